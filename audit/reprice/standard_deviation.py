"""standard_deviation: takes what a variance takes; the root is drawn of noisy numbers.

Privacy: as a variance: at most M^2, M and 1 to one cell each, once a wave. Add or remove one household; exact.
"""

from __future__ import annotations

from audit.reprice import variance
from audit.reprice.asked import Statistic
from audit.reprice.names import Names
from audit.reprice.parts import Cells, Takes


def takes(asked: Statistic, names: Names, by: tuple[Cells, ...]) -> Takes:
    """Raises CannotDerive."""
    return variance.takes(asked, names, by)
