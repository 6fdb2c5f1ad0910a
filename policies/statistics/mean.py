"""mean: the average of a numeric variable over selected units, per cell.

Two blocks on the variable's public grid, x = 0..M: sum(2x - M*d), centred, and sum(d). The mean is
low + grid * (N/D + M)/2.

Privacy: a selected unit adds between -M and M to one coordinate of the first block and 1 to one of the second; with
at most C units the L2 norms are at most C*M and C. Add/remove one household; whole numbers, nothing rounded.
"""

from __future__ import annotations

from policies.statistics.blocks import Value
from policies.statistics.shapes import Shape, StatisticScope, select
from policies.statistics.statistic import Statistic
from policies.study.expressions.parse import parse_ref


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str | None]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    if statistic.of is None or len(statistic.waves) != 1:
        raise ValueError("a mean has one wave, and a variable in `of`")
    ref = parse_ref(statistic.of, scope.names)
    column = scope.names.columns[ref.name]
    if column.categorical:
        raise ValueError(f"`{ref.name}` is a category and has no mean; ask a proportion")
    return Shape(
        select(statistic, scope, (ref,)), scope.by, Value(ref, column.size - 1), has_denominator=True
    ), ref.text
