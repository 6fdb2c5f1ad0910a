"""variance: each unit adds 2z^2 - M^2 with z = 2x - M, and z itself.

Privacy: z lies between -M and M and z^2 between 0 and M^2, so a unit adds at most M^2 in absolute value to one cell of
the first block, M to one of the second and 1 to the count, once a wave. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.mean import values
from audit.reprice.names import Names, only
from audit.reprice.parts import Adds, Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    number = names.number(only(asked), asked)
    largest = number.steps**2
    squares = Adds(largest, f"2z^2 - {largest}, z = 2x - {number.steps} of {number.text}", by, shared=True)
    return Takes((number.ref,), (squares, values(number, by, role="values", shared=True)), by)
