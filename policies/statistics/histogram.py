"""histogram: how many units have each value, and which share of them, per cell.

Over the categories of a variable, or over public `bins` of a number (`bins: ["1", "22"]`: below 1, 1 to below 22, 22
and up). One block of one-hot counts; the denominator of the shares is the sum of the same counts, so no second block is
charged. It is the block of a count with the variable as last `by` key, and shared with it.

Privacy: each unit adds 1 to one coordinate, once a pooled wave; with at most C units the L2 norm is at most C*W,
whatever the number of bins. Add/remove one household; exact.
"""

from __future__ import annotations

from policies.statistics.blocks import Axis
from policies.statistics.ranges import bin_starts
from policies.statistics.shapes import Shape, StatisticScope, select, single
from policies.statistics.statistic import Statistic
from policies.study.expressions.parse import parse_ref


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a category, or a number with `bins`. Raises ValueError otherwise."""
    of = single(statistic, "a histogram has one wave, and a variable in `of`")
    ref = parse_ref(of, scope.names)
    column = scope.names.columns[ref.name]
    if column.categorical == bool(statistic.bins):
        raise ValueError(
            f"`{ref.name}` is a category and has its own cells; leave `bins` out"
            if column.categorical
            else f"`{ref.name}` is a number: give `bins`, the values at which the second, third, ... bin begins"
        )
    starts = bin_starts(statistic, column)
    axis = Axis(ref, len(starts) + 1, starts) if starts else Axis(ref, column.size)
    return Shape(select(statistic, scope, (ref,)), (*scope.by, axis), (), has_denominator=True), ref.text
