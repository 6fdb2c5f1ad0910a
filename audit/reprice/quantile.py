"""quantile: at every level of a binary tree over a number's range each household counts once, in one of 2^l ranges.

Privacy: a household adds 1 to one cell of each block; there is one block a level, and each is paid for. Add or remove
one household; exact.
"""

from __future__ import annotations

from fractions import Fraction

from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.names import Names, Number, only
from audit.reprice.parts import Adds, Cells, Takes

_MOST_LEAVES = 1024


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    if asked.pooled or names.persons() != 1 or not asked.at or not all(0 < at < 1 for at in asked.at):
        raise CannotDerive("a quantile has one wave, levels between 0 and 1, and units that come once a household")
    number = names.number(only(asked), asked)
    ranges = [2**level for level in range(1, _MOST_LEAVES.bit_length()) if 2**level <= asked.leaves]
    if not ranges or ranges[-1] != asked.leaves or asked.leaves > number.steps + 1:
        raise CannotDerive("the leaves of a quantile are a power of two, no more than its values")
    adds = (_counted(place, number, count, by) for place, count in enumerate(ranges, 1))
    return Takes((number.ref,), tuple(adds), None)


def _counted(level: int, number: Number, ranges: int, by: tuple[Cells, ...]) -> Adds:
    """One for each household, in its range; range k begins k/ranges of the way, at a whole step (rounded down)."""
    firsts = [number.low + int(Fraction(k * (number.steps + 1), ranges)) for k in range(1, ranges)]
    cells = Cells(f"{number.ref.text} from step {', '.join(map(str, firsts))}", ranges)
    return Adds(1, "1 for each unit", (*by, cells), f"level{level}" if level > 1 else "", shared=True)
