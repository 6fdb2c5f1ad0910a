"""mean: the average of a numeric variable over selected units, per cell.

Two blocks on the variable's public grid, x = 0..M: sum(2x - M*d), centred, and sum(d). The mean is
low + grid * (N/D + M)/2. With `within: [a, b]` values below a count as a and above b as b (a winsorised mean), M is the
number of steps from a to b, and the noise shrinks with it: a public choice between a little bias and a lot of noise.

Privacy: a selected unit adds between -M and M to one coordinate of the first block and 1 to one of the second, once a
pooled wave; with at most C units the L2 norms are at most C*W*M and C*W. Add/remove one household; whole numbers,
nothing rounded.
"""

from __future__ import annotations

from fractions import Fraction

from policies.statistics.blocks import Value
from policies.statistics.ranges import check_sd, held, numeric
from policies.statistics.shapes import Part, Shape, StatisticScope, select, single
from policies.statistics.statistic import Statistic


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    of = single(statistic, "a mean has one wave, and a variable in `of`")
    ref, column = numeric(of, scope.names, "mean; ask a proportion")
    low, high = held(statistic, column)
    check_sd(statistic, column, low, high, Fraction(1, 2))
    part = Part(Value(ref, top=high - low, low=low), scope.by)
    return Shape(select(statistic, scope, (ref,)), scope.by, (part,), has_denominator=True), ref.text
