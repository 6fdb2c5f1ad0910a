"""standard_deviation: the root of a variance, from the same three blocks (see variance).

Privacy: as a variance, with which it shares every block: L2 norms at most C*W*M^2, C*W*M and C*W under add/remove of
one household. The root is taken by the coordinator, of noisy numbers, and costs nothing.
"""

from __future__ import annotations

from policies.statistics import variance
from policies.statistics.shapes import Shape, StatisticScope
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    return variance.spread(statistic, scope, "a standard deviation")
