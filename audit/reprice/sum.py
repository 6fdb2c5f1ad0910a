"""sum: each unit adds 2x - M, as for a mean; the total follows from it and the count.

Privacy: as a mean: at most M in absolute value to one cell, once a wave, and 1 to the count. Add or remove one
household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.mean import values
from audit.reprice.names import Names, only
from audit.reprice.parts import Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    number = names.number(only(asked), asked)
    return Takes((number.ref,), (values(number, by, shared=True),), by)
