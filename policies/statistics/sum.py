"""sum: the total of a numeric variable over selected units, per cell; with `within` as for a mean.

The two blocks of a mean: sum(2x - M*d), centred, and sum(d). The total is grid * (N + M*D)/2 + low * D. Alone it costs
as much as summing the values themselves would; the denominator is shared with whatever has the same selection, and the
first block with a mean or variance of the same variable, and then it costs less or nothing.

Privacy: a selected unit adds between -M and M to one coordinate of the first block and 1 to one of the second, once a
pooled wave; with at most C units the L2 norms are at most C*W*M and C*W. Add/remove one household; whole numbers,
nothing rounded.
"""

from __future__ import annotations

from policies.statistics.blocks import Value
from policies.statistics.ranges import held, numeric
from policies.statistics.shapes import Part, Shape, StatisticScope, select, single
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    of = single(statistic, "a sum has one wave, and a variable in `of`")
    ref, column = numeric(of, scope.names, "sum; ask a count")
    low, high = held(statistic, column)
    part = Part(Value(ref, top=high - low, low=low), scope.by, shared=True)
    return Shape(select(statistic, scope, (ref,)), scope.by, (part,), has_denominator=True), ref.text
