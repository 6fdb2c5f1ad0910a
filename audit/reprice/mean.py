"""mean: each unit adds 2x - M, where x = 0..M are the steps of the number's grid.

Privacy: 2x - M lies between -M and M, so a unit adds at most M in absolute value to one cell, once a wave, and 1 to the
count. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.names import Names, Number, only
from audit.reprice.parts import Adds, Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    number = names.number(only(asked), asked)
    return Takes((number.ref,), (values(number, by),), by)


def values(number: Number, by: tuple[Cells, ...], role: str = "", shared: bool = False) -> Adds:
    """The centred values of a number."""
    return Adds(number.steps, f"2x - {number.steps} of {number.text}", by, role, shared)
