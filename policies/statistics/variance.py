"""variance: how far a numeric variable spreads over selected units, per cell; with `within` as for a mean.

Three blocks, with x = 0..M the steps of the grid and z = 2x - M: sum(2z^2 - M^2*d) and sum(z), both centred, and
sum(d). The variance is that of the units at hand (divided by their number, not by one less), in the square of the
variable's own unit: grid^2/4 * [mean(z^2) - mean(z)^2]. The last two blocks are shared with a mean or sum of the same
variable, all three with its standard deviation.

Privacy: a selected unit adds between -M^2 and M^2 (z^2 lies in 0..M^2), between -M and M, and 1, each to one
coordinate, once a pooled wave; with at most C units the L2 norms are at most C*W*M^2, C*W*M and C*W. Add/remove one
household; whole numbers, nothing rounded.
"""

from __future__ import annotations

from policies.statistics.blocks import Square, Value
from policies.statistics.ranges import held, numeric
from policies.statistics.shapes import Part, Shape, StatisticScope, select, single
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    return spread(statistic, scope, "a variance")


def spread(statistic: Statistic, scope: StatisticScope, called: str) -> tuple[Shape, str]:
    """The blocks of a variance, and so of a standard deviation. Raises ValueError as `shape`."""
    of = single(statistic, f"{called} has one wave, and a variable in `of`")
    ref, column = numeric(of, scope.names, "variance; ask a histogram")
    low, high = held(statistic, column)
    parts = (
        Part(Square(ref, reach=high - low, low=low), scope.by, shared=True),
        Part(Value(ref, top=high - low, low=low), scope.by, role="values", shared=True),
    )
    return Shape(select(statistic, scope, (ref,)), scope.by, parts, has_denominator=True), ref.text
