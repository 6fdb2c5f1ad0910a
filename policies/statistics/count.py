"""count: how many units satisfy a condition, per cell.

The block is sum(d), d = 1 for a selected unit. It is the same block that proportions use as their denominator, so a
count whose selection a proportion shares costs nothing more.

Privacy: each unit adds 1 to one coordinate, once a pooled wave; a household has at most C units, so its vector has L2
norm at most C*W. Add/remove one household; exact.
"""

from __future__ import annotations

from policies.statistics.shapes import Shape, StatisticScope, select
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, None]:
    """A count has no `of`: its condition is `where`. Raises ValueError otherwise."""
    if statistic.of is not None or len(statistic.waves) != 1:
        raise ValueError("a count has one wave, and its condition in `where` (no `of`)")
    return Shape(select(statistic, scope, ()), scope.by, (), has_denominator=True), None
