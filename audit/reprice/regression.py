"""regression: each unit adds the outcome and every term by itself, each number squared, and every two multiplied.

Privacy: a unit adds at most M, M^2 and M1*M2 in absolute value (1 for a condition) to one cell each, and 1 to the
count. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice.asked import Statistic
from audit.reprice.factors import factors, needs, product, squares
from audit.reprice.names import Names
from audit.reprice.parts import Cells, Takes

_MOST = 9
"""The outcome and eight terms."""


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    of = factors(asked, names, _MOST)
    alone = (factor.alone(by, f"v{place}" if place else "") for place, factor in enumerate(of))
    both = (product(of[i], of[j], by, f"p{i}{j}") for i in range(len(of)) for j in range(i + 1, len(of)))
    return Takes(needs(of), (*alone, *squares(of, by), *both), by)
