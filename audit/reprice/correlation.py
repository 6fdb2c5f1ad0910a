"""correlation: what a covariance takes, and the square of each number.

Privacy: as a covariance, and at most M^2 for each number, to one cell each. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.covariance import together
from audit.reprice.factors import factors, needs, squares
from audit.reprice.names import Names
from audit.reprice.parts import Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    of = factors(asked, names, most=2)
    return Takes(needs(of), (*together(of, by), *squares(of, by)), by)
