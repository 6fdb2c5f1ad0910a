"""transition: from which category to which, between two waves, as a table of row shares, per cell.

One block of K*K one-hot counts per `by` cell, over units whose category is known at both waves. The denominator of a
row share is the sum of its own row, so no second block is charged: the noise variance of a share p is
s^2 [(1-p)^2 + (K-1) p^2] / D^2.

Privacy: each unit adds 1 to one coordinate; with at most C units the L2 norm is at most C. Add/remove one household.
"""

from __future__ import annotations

from dataclasses import replace

from policies.statistics.blocks import Axis, Ones
from policies.statistics.shapes import Shape, StatisticScope, select
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.study.expressions.parse import parse_ref


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str | None]:
    """`of` names a category that is asked at both waves. Raises ValueError otherwise."""
    if statistic.of is None or len(statistic.waves) != 2:
        raise ValueError('a transition has two waves ("T0->T1"), and a category variable in `of`')
    if statistic.waves[0] == statistic.waves[1]:
        raise ValueError("a transition is between two different waves")
    ends: list[Ref] = [parse_ref(statistic.of, replace(scope.names, wave=wave)) for wave in statistic.waves]
    name = ends[0].name
    column = scope.names.columns[name]
    if not column.waves:
        raise ValueError(f"`{name}` has no waves and cannot change")
    if tuple(ref.wave for ref in ends) != statistic.waves:
        raise ValueError(f"`of` names the variable alone (`{name}`); the waves stand in `wave`")
    if not column.categorical:
        raise ValueError(f"`{name}` is a number; a transition needs a category")
    axes = (*scope.by, *(Axis(ref, column.size) for ref in ends))
    return Shape(select(statistic, scope, tuple(ends)), axes, Ones(), has_denominator=False), name
