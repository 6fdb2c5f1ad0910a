"""What each kind of statistic gives the compiler: a selection, cells, and summands."""

from __future__ import annotations

from dataclasses import dataclass

from policies.statistics.blocks import AnyAxis, Axis, RowAxis, Selection, Summand
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing
from policies.study.expressions.normal import both
from policies.study.expressions.parse import Scope


@dataclass(frozen=True, slots=True)
class StatisticScope:
    """Names in reach, with the statistic's filter and `by` axes already resolved."""

    names: Scope
    where: Expr | None
    by: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a statistic's own. The first is named after the statistic, a further one also after its `role`.

    `shared`: where a mean or another statistic sums exactly the same, its block serves for both and is charged once.
    """

    summand: Summand
    axes: tuple[AnyAxis, ...]
    role: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """Without `parts` the statistic is its denominator alone (a count, a histogram).

    `axes` are those of its denominator, and of its rows too where `rows` does not say otherwise.
    """

    selection: Selection
    axes: tuple[AnyAxis, ...]
    parts: tuple[Part, ...]
    has_denominator: bool
    rows: tuple[RowAxis, ...] | None = None


def single(statistic: Statistic, expected: str) -> str:
    """The one thing in `of`, of a statistic of one wave. Raises ValueError, saying what was expected, otherwise."""
    if not isinstance(statistic.of, str) or len(statistic.waves) != 1:
        raise ValueError(expected)
    return statistic.of


def select(statistic: Statistic, scope: StatisticScope, required: tuple[Ref, ...]) -> Selection:
    """The selection of a statistic: its waves, its filter, and what must be present (the `by` keys always).

    `not missing(x)` in the filter becomes part of the missing rule, and the rule drops what is implied: by the filter,
    and by a derived variable about its sources. So two statistics that each ask for the other's answer too
    (`where: "not missing(y)"`) have one selection, and share one denominator.
    """
    where, present, implied = _split(scope.where)
    needed = {*required, *present} | {axis.ref for axis in scope.by}
    known = {Ref(source, ref.wave) for ref in needed | implied for source in scope.names.columns[ref.name].sources}
    needed -= implied | known
    return Selection(statistic.unit, statistic.waves, where, tuple(sorted(needed)))


def _split(where: Expr | None) -> tuple[Expr | None, frozenset[Ref], frozenset[Ref]]:
    """A filter without its `not missing(...)` terms; what those name; what must be present for the rest to hold."""
    if where is None:
        return None, frozenset(), frozenset()
    parts = where.parts if isinstance(where, All) else (where,)
    present = frozenset(part.ref for part in parts if isinstance(part, Missing) and part.negated)
    rest = [part for part in parts if not (isinstance(part, Missing) and part.negated)]
    implied = frozenset(part.ref for part in rest if isinstance(part, Among))
    return (both(rest) if rest else None), present - implied, implied
