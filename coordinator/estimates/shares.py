"""What each statistic of a programme costs: its own blocks, and its part of the blocks that it shares."""

from __future__ import annotations

from fractions import Fraction

from policies.statistics.blocks import Mode
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme
from policies.units.money import NanoRho


def price_shares(programme: Programme, compilation: Compilation) -> dict[str, NanoRho]:
    """The nano-rho of each statistic by id; together exactly the programme's charge (with one attempt).

    A block that k statistics share counts for 1/k in each; blocks of two modes are never shared.

    Privacy: nothing is charged by these numbers; they split the exact zCDP price D^2/(2 sigma^2) of the blocks, under
    add/remove of one household. Running totals of each mode are rounded up, as its charge is, so no share is lost or
    added.
    """
    rho = {block.id: block.rho for block in programme.blocks}
    users = {block.id: len(compilation.users(block.id)) for block in compilation.blocks}
    shares: dict[str, NanoRho] = {}
    exact: dict[Mode, Fraction] = {"regional": Fraction(0), "national": Fraction(0)}
    for compiled in compilation.statistics:
        mode = compiled.statistic.mode
        before = NanoRho.ceil(exact[mode])
        exact[mode] += sum((rho[block] / users[block] for block in compiled.blocks), Fraction(0))
        shares[compiled.statistic.id] = NanoRho.ceil(exact[mode]).left_after(before)
    return shares
