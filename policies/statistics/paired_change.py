"""paired_change: how a number changed from one wave to another, over units that have it at both, per cell.

Two blocks: sum(x1 - x0) in steps of the grid, centred by its nature, and counts of units that improved, stayed the same
or got worse, in the direction that the codebook gives (`better: lower` or `higher`). The denominator of both the mean
change and the shares is the sum of the three counts. `within` holds both values of the mean change within bounds, as
for a mean, and leaves the counts alone: they need no bounds.

Privacy: a selected unit adds between -M and M (the held range) to one coordinate of the first block and 1 to one of the
second; with at most C units the L2 norms are at most C*M and C. Add/remove one household; whole numbers, exact.
"""

from __future__ import annotations

from fractions import Fraction

from policies.statistics.blocks import AnyAxis, Change, Difference, Ones
from policies.statistics.ranges import check_sd, held
from policies.statistics.shapes import Part, Shape, StatisticScope, select
from policies.statistics.statistic import Statistic
from policies.statistics.transition import ends


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a number with a direction that is asked at both waves. Raises ValueError otherwise."""
    before, after = ends(statistic, scope, "a paired change", "a numeric variable")
    column = scope.names.columns[before.name]
    if column.categorical:
        raise ValueError(f"`{before.name}` is a category; ask a transition")
    if column.better is None:
        raise ValueError(f"the codebook does not say which way `{before.name}` improves (`better: lower` or `higher`)")
    low, high = held(statistic, column)
    check_sd(statistic, column, low, high, Fraction(1))
    axes: tuple[AnyAxis, ...] = (*scope.by, Change(before, after, column.better))
    parts = (Part(Difference(before, after, top=high - low, low=low), scope.by), Part(Ones(), axes, role="directions"))
    return Shape(select(statistic, scope, (before, after)), axes, parts, has_denominator=False), before.name
