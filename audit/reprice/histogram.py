"""histogram: each unit counts once, in the cell of its category or in the bin of its number.

Privacy: a unit adds 1 to one cell of the count, once a wave, however many bins there are. Add or remove one household;
exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.names import Names, only
from audit.reprice.parts import Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    name = only(asked)
    cells = names.bins(name, asked.bins) if asked.bins else names.categories(name)
    return Takes((names.ref(name),), (), (*by, cells))
