"""mean: the average of a numeric variable over selected units, per cell.

Two blocks on the variable's public grid, x = 0..M: sum(2x - M*d), centred, and sum(d). The mean is
low + grid * (N/D + M)/2. With `within: [a, b]` values below a count as a and above b as b (a winsorised mean), M is the
number of steps from a to b, and the noise shrinks with it: a public choice between a little bias and a lot of noise.

Privacy: a selected unit adds between -M and M to one coordinate of the first block and 1 to one of the second; with
at most C units the L2 norms are at most C*M and C. Add/remove one household; whole numbers, nothing rounded.
"""

from __future__ import annotations

from fractions import Fraction

from policies.statistics.blocks import Value
from policies.statistics.shapes import Shape, StatisticScope, select
from policies.statistics.statistic import Statistic
from policies.study.columns import Column
from policies.study.expressions.parse import parse_ref


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str | None]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    if statistic.of is None or len(statistic.waves) != 1:
        raise ValueError("a mean has one wave, and a variable in `of`")
    ref = parse_ref(statistic.of, scope.names)
    column = scope.names.columns[ref.name]
    if column.categorical:
        raise ValueError(f"`{ref.name}` is a category and has no mean; ask a proportion")
    low, high = _range(statistic, column)
    summand = Value(ref, top=high - low, low=low)
    return Shape(select(statistic, scope, (ref,)), scope.by, summand, has_denominator=True), ref.text


def _range(statistic: Statistic, column: Column) -> tuple[int, int]:
    """First and last index that count: the codebook's, or those of `within`."""
    if statistic.within is None:
        return 0, column.size - 1
    low, high = ((Fraction(bound) - column.lower) / column.grid for bound in statistic.within)
    if low.denominator != 1 or high.denominator != 1 or not 0 <= low < high <= column.size - 1:
        raise ValueError(
            f"`within` must be two values of `{column.name}` on its grid, low < high, "
            f"between {column.value_text(0)} and {column.value_text(column.size - 1)}"
        )
    return int(low), int(high)
