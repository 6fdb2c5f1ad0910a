"""correlation: the covariance of two numbers or conditions over the root of their variances, per cell.

The blocks of a covariance, and sum(2z^2 - M^2*d) of each number, as for a variance; a condition needs none, for its
z^2 is 1. All are shared with whatever sums the same. Of two conditions it is the phi coefficient.

Privacy: as a covariance, and between -M^2 and M^2 to one coordinate for each number, so at most C*M^2 in L2 norm.
Add/remove one household; whole numbers, exact.
"""

from __future__ import annotations

from policies.statistics import covariance
from policies.statistics.factors import needs, squares
from policies.statistics.shapes import Shape, StatisticScope, select
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, tuple[str, ...]]:
    """`of` lists two numbers or conditions. Raises ValueError otherwise."""
    of = covariance.pair(statistic, scope, "a correlation")
    parts = (*covariance.parts(of, scope.by), *squares(of, scope.by))
    made = Shape(select(statistic, scope, needs(of)), scope.by, parts, has_denominator=True)
    return made, tuple(factor.text for factor in of)
