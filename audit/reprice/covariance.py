"""covariance: each unit adds the product of two factors, and each factor by itself.

Privacy: a unit adds at most M1*M2, M1 and M2 in absolute value (1 for a condition) to one cell each, and 1 to the
count. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.factors import Factor, factors, needs, product
from audit.reprice.names import Names
from audit.reprice.parts import Adds, Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    of = factors(asked, names, most=2)
    return Takes(needs(of), together(of, by), by)


def together(of: tuple[Factor, ...], by: tuple[Cells, ...]) -> tuple[Adds, ...]:
    """The product, and both by themselves."""
    one, other = of
    return product(one, other, by, ""), one.alone(by, "v0"), other.alone(by, "v1")
