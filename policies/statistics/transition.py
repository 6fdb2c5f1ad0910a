"""transition: from which category to which, between two waves, as a table of row shares, per cell.

One block of K*K one-hot counts per `by` cell, over units whose category is known at both waves. The denominator of a
row share is the sum of its own row, so no second block is charged: the noise variance of a share p is
s^2 [(1-p)^2 + (K-1) p^2] / D^2.

Privacy: each unit adds 1 to one coordinate; with at most C units the L2 norm is at most C. Add/remove one household.
"""

from __future__ import annotations

from dataclasses import replace

from policies.statistics.blocks import Axis, Ones
from policies.statistics.shapes import Part, Shape, StatisticScope, select
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.study.expressions.parse import parse_ref


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a category that is asked at both waves. Raises ValueError otherwise."""
    first, last = ends(statistic, scope, "a transition", "a category variable")
    column = scope.names.columns[first.name]
    if not column.categorical:
        raise ValueError(f"`{first.name}` is a number; a transition needs a category (or ask a paired change)")
    axes = (*scope.by, Axis(first, column.size), Axis(last, column.size))
    selection = select(statistic, scope, (first, last))
    return Shape(selection, axes, (Part(Ones(), axes),), has_denominator=False), first.name


def ends(statistic: Statistic, scope: StatisticScope, called: str, what: str) -> tuple[Ref, Ref]:
    """The variable of `of` at the two waves of a change. Raises ValueError where it has no two waves."""
    if not isinstance(statistic.of, str) or len(statistic.waves) != 2:
        raise ValueError(f'{called} has two waves ("T0->T1"), and {what} in `of`')
    if statistic.waves[0] == statistic.waves[1]:
        raise ValueError(f"{called} is between two different waves")
    first, last = (parse_ref(statistic.of, replace(scope.names, wave=wave)) for wave in statistic.waves)
    name = first.name
    if not scope.names.columns[name].waves:
        raise ValueError(f"`{name}` has no waves and cannot change")
    if (first.wave, last.wave) != statistic.waves:
        raise ValueError(f"`of` names the variable alone (`{name}`); the waves stand in `wave`")
    return first, last
