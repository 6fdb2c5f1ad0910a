"""proportion: the share of selected units for which a condition holds, per cell.

Two blocks: sum(2y - d), centred, and sum(d). Only units whose answer is known count in either. The share is
(N/D + 1)/2.

Privacy: a selected unit adds +1 or -1 to one coordinate of the first block and 1 to one of the second, once a pooled
wave; with at most C units a household's vectors have L2 norm at most C*W each. Centring halves the noise on y (y would
need D = C for a value in 0..1, 2y - d has D = C for a value in -1..1) and holds for add/remove of a household only.
"""

from __future__ import annotations

from policies.statistics.blocks import Indicator
from policies.statistics.shapes import Part, Shape, StatisticScope, select, single
from policies.statistics.statistic import Statistic
from policies.study.expressions.nodes import required
from policies.study.expressions.parse import parse, spell


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` is a condition. Raises ValueError for another form, BadExpression for an unreadable condition."""
    of = parse(single(statistic, "a proportion has one wave, and a condition in `of`"), scope.names)
    needed = tuple(required(of))
    selection = select(statistic, scope, needed)
    part = Part(Indicator(of), scope.by)
    return Shape(selection, scope.by, (part,), has_denominator=True), spell(of, scope.names)
