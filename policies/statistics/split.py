"""The written split of a price: which part of it each block gets, so that its noise follows from what the person wrote.

`rondgang coordinator plan` writes one; without it a programme is split by the rule of `plan_blocks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from policies.statistics.compile import Compilation

_MOST_NAMED = 12


def split_problem(split: Mapping[str, Decimal], compilation: Compilation) -> str | None:
    """What is wrong with the ids of a split, with those that there are; None where they fit."""
    blocks = [block.id for block in compilation.blocks]
    if unknown := sorted(set(split) - set(blocks)):
        return f"split.{unknown[0]}: the programme has no such block; {_told(blocks, compilation)}"
    if missing := [name for name in blocks if name not in split]:
        return f"split: block {missing[0]} has no part; {_told(blocks, compilation)}"
    return None


def split_rho(split: Mapping[str, Decimal], rho: Fraction) -> dict[str, Fraction]:
    """The rho of each block: its part of the whole, exactly; the parts need not add up to one.

    Privacy: exact, and together exactly `rho` (zCDP adds up), so that nothing is lost or gained by the split.
    """
    whole = sum((Fraction(part) for part in split.values()), Fraction(0))
    return {name: rho * Fraction(part) / whole for name, part in split.items()}


def _told(blocks: list[str], compilation: Compilation) -> str:
    """The ids that a split must have; of a denominator, whose it is."""
    named = []
    for name in blocks[:_MOST_NAMED]:
        users = "" if compilation.own(name) else ", ".join(one.id for one in compilation.users(name))
        named.append(f"{name} (units of {users})" if users and users != name else name)
    more = len(blocks) - _MOST_NAMED
    return f"it has {', '.join(named)}{f' and {more} more' if more > 0 else ''}. `price` lists them."
