"""What each kind of statistic gives the compiler: a selection, cells, and a summand."""

from __future__ import annotations

from dataclasses import dataclass

from policies.statistics.blocks import Axis, Selection, Summand
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.study.expressions.nodes import Expr
from policies.study.expressions.parse import Scope


@dataclass(frozen=True, slots=True)
class StatisticScope:
    """Names in reach, with the statistic's filter and `by` axes already resolved."""

    names: Scope
    where: Expr | None
    by: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """`summand` None: the statistic is its denominator alone (a count)."""

    selection: Selection
    axes: tuple[Axis, ...]
    summand: Summand | None
    has_denominator: bool


def select(statistic: Statistic, scope: StatisticScope, required: tuple[Ref, ...]) -> Selection:
    """The selection of a statistic: its waves, its filter, and what must be present (the `by` keys always)."""
    needed = tuple(sorted({*required, *(axis.ref for axis in scope.by)}))
    return Selection(statistic.unit, statistic.waves, scope.where, needed)
