"""What each statistic of a programme costs: its own blocks, and its part of the blocks that it shares."""

from __future__ import annotations

from fractions import Fraction

from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme
from policies.units.money import NanoRho


def price_shares(programme: Programme, compilation: Compilation) -> dict[str, NanoRho]:
    """The nano-rho of each statistic by id; together exactly the programme's charge.

    A block that k statistics share counts for 1/k in each.

    Privacy: nothing is charged by these numbers; they split the exact zCDP price D^2/(2 sigma^2) of the blocks, under
    add/remove of one household. Running totals are rounded up, as the charge is, so no share is lost or added.
    """
    rho = {block.id: block.rho for block in programme.blocks}
    users = {block.id: len(compilation.users(block.id)) for block in compilation.blocks}
    shares: dict[str, NanoRho] = {}
    exact, rounded = Fraction(0), NanoRho(0)
    for compiled in compilation.statistics:
        exact += sum((rho[block] / users[block] for block in compiled.blocks), Fraction(0))
        total = NanoRho.ceil(exact)
        shares[compiled.statistic.id] = total.left_after(rounded)
        rounded = total
    return shares
