"""cross_table: how many units are in each combination of two or three categories, and which share of the table.

One block of one-hot counts over `of: [a, b]` within each `by` cell, at most three keys in all. Shares are of the table
of their `by` cell, whose denominator is the sum of its own cells; shares of a row are those of a table with that row's
key in `by`. The block is shared with a count by the same keys.

Privacy: each unit adds 1 to one coordinate, once a pooled wave; with at most C units the L2 norm is at most C*W.
Add/remove one household; exact.
"""

from __future__ import annotations

from policies.statistics.blocks import Axis
from policies.statistics.shapes import Shape, StatisticScope, select
from policies.statistics.statistic import MOST_KEYS, Statistic
from policies.study.expressions.parse import parse_ref


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, tuple[str, ...]]:
    """`of` lists two or three categories. Raises ValueError otherwise."""
    if not isinstance(statistic.of, tuple) or len(statistic.of) < 2 or len(statistic.waves) != 1:
        raise ValueError("a cross-table has one wave, and two or three category variables in `of: [a, b]`")
    if len(statistic.of) + len(scope.by) > MOST_KEYS:
        raise ValueError(f"a cross-table has at most {MOST_KEYS} keys, those of `by` included")
    refs = tuple(parse_ref(key, scope.names) for key in statistic.of)
    for ref in refs:
        if not scope.names.columns[ref.name].categorical:
            raise ValueError(f"`{ref.name}` is a number; a cross-table needs categories (a histogram takes `bins`)")
    if len({*refs, *(axis.ref for axis in scope.by)}) < len(refs) + len(scope.by):
        raise ValueError("a key stands twice; the keys of a cross-table differ")
    axes = (*scope.by, *(Axis(ref, scope.names.columns[ref.name].size) for ref in refs))
    return Shape(select(statistic, scope, refs), axes, (), has_denominator=True), tuple(ref.text for ref in refs)
