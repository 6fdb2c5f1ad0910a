"""paired_change: each unit that has the number at both waves adds the difference, and counts once by its direction.

Privacy: both values are held within the same M steps, so the difference lies between -M and M: a unit adds at most M in
absolute value to one cell of the first block and 1 to one of three of the second; there is no count beside them. Add or
remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.names import Names, both_ends
from audit.reprice.parts import Adds, Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    first, last = both_ends(asked, names)
    number = names.at(last.wave).number(last.text, asked)
    change = f"{last.text} less {first.text}"
    difference = Adds(number.steps, f"{change}, both within {number.steps} steps from {number.low}", by)
    directions = Adds(1, "1 for each unit", (*by, Cells(f"better, same or worse: {change}", 3)), role="directions")
    return Takes((first, last), (difference, directions), None)
