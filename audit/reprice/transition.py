"""transition: each unit whose category is known at both waves counts once, in the cell of the pair.

Privacy: a unit adds 1 to one cell; there is no count beside it. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.names import Names, both_ends
from audit.reprice.parts import Adds, Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    ends = both_ends(asked, names)
    cells = (*by, *(names.at(end.wave).categories(end.text) for end in ends))
    return Takes(ends, (Adds(1, "1 for each unit", cells),), None)
