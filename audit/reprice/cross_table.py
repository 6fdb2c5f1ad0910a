"""cross_table: each unit counts once, in the cell of its two or three categories.

Privacy: a unit adds 1 to one cell of the count, once a wave. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.names import Names
from audit.reprice.parts import Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    if len(asked.of) < 2 or len(asked.waves) != 1:
        raise CannotDerive("a cross_table has one wave and two or three variables in `of`")
    cells = tuple(names.categories(name) for name in asked.of)
    return Takes(tuple(names.ref(name) for name in asked.of), (), (*by, *cells))
