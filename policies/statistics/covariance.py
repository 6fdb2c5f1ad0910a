"""covariance: how two numbers or conditions vary together over selected units, per cell.

Four blocks: sum(z1 z2), which is centred, sum(z1) and sum(z2) (see factors), and sum(d). The covariance is that of the
units at hand (divided by their number), in the product of the units of both; of a condition 0 and 1:
(g1 g2 / 4) * [mean(z1 z2) - mean(z1) mean(z2)], with g the step of the grid, or 1 for a condition. All blocks are
shared with whatever sums the same: a correlation or regression of both, a mean of one of them over the same units.

Privacy: a selected unit adds between -M1*M2 and M1*M2, -M1 and M1, -M2 and M2, and 1, each to one coordinate (M = 1 for
a condition); with at most C units the L2 norms are at most C*M1*M2, C*M1, C*M2 and C. Add/remove one household; whole
numbers, nothing rounded.
"""

from __future__ import annotations

from policies.statistics.blocks import Axis
from policies.statistics.factors import Factor, factors, needs, product_of, sums
from policies.statistics.shapes import Part, Shape, StatisticScope, select
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, tuple[str, ...]]:
    """`of` lists two numbers or conditions. Raises ValueError otherwise."""
    of = pair(statistic, scope, "a covariance")
    made = Shape(select(statistic, scope, needs(of)), scope.by, parts(of, scope.by), has_denominator=True)
    return made, tuple(factor.text for factor in of)


def pair(statistic: Statistic, scope: StatisticScope, called: str) -> tuple[Factor, ...]:
    """The two factors. Raises ValueError where `of` lists no two."""
    return factors(statistic, scope, 2, 2, f"{called} has one wave, and two numbers or conditions in `of: [a, b]`")


def parts(of: tuple[Factor, ...], by: tuple[Axis, ...]) -> tuple[Part, ...]:
    """The product first, which is named after the statistic, then both sums."""
    one, other = of
    return (Part(product_of(one.summand, other.summand), by, shared=True), *sums(of, by))
