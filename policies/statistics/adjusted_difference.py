"""adjusted_difference: the difference in an outcome between groups, with the groups made alike in public strata.

`of` is a condition or a number, `compare` the category of the groups: each later one is held against the first. Who is
worse off gets more help, so a plain table of outcomes by help misleads. Within one stratum (`strata: [state@T0]`)
families are alike in that respect; the differences there are averaged with the strata's shares of all units together
(direct standardisation). Beside it stands the naive difference, from the same blocks.

Groups and strata that `where` leaves out are none: `where: "help != none"` compares the other kinds of help, against
the first of those, and `where: "state@T0 != none"` has a stratum less. That is read from the question alone.

Two blocks over the cells by x strata x groups: those of a proportion (or mean) with the strata and `compare` in its
`by`, whose denominator is shared with it.

Privacy: a selected unit adds +1 or -1 (a number: -M..M) to one coordinate of the first block and 1 to one of the
second; with at most C units a household's vectors have L2 norm at most C (C*M) and C. Add/remove one household; whole
numbers, nothing rounded.
"""

from __future__ import annotations

from policies.statistics.blocks import Axis, Indicator, Named, RowAxis, Value
from policies.statistics.ranges import held, numeric
from policies.statistics.shapes import Part, Shape, StatisticScope, select, single
from policies.statistics.statistic import MOST_STRATA, Statistic
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, required
from policies.study.expressions.parse import BadExpression, parse, parse_ref, spell

_ONE_WAVE = "an adjusted difference has one wave, and a condition or a number in `of`"


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """Raises ValueError for another form, BadExpression for an unreadable condition."""
    of = single(statistic, _ONE_WAVE)
    compared, strata = _groups(statistic, scope)
    axes = (*scope.by, *strata, compared)
    if len({axis.ref for axis in axes}) < len(axes):
        raise ValueError("a key stands twice; `by`, `strata` and `compare` name different variables")
    summand, needed, spelled = _outcome(of, statistic, scope)
    selection = select(statistic, scope, (*needed, *(axis.ref for axis in axes)))
    for axis, least in ((compared, 2), *((axis, 1) for axis in strata)):
        if len(left(selection.where, axis)) < least:
            raise ValueError(f"`where` leaves nothing of `{axis.ref.name}` to compare")
    codes = scope.names.columns[compared.ref.name].codes
    later = tuple(codes[place] for place in left(selection.where, compared)[1:])
    rows: tuple[RowAxis, ...] = (*scope.by, Named(compared.ref.text, later))
    return Shape(selection, axes, (Part(summand, axes),), has_denominator=True, rows=rows), spelled


def left(where: Expr | None, axis: Axis) -> tuple[int, ...]:
    """The places of a category that a filter leaves: those that no part of it, one that must hold, rules out."""
    parts = where.parts if isinstance(where, All) else (where,)
    kept = set(range(axis.size))
    for part in parts:
        if isinstance(part, Among) and part.ref == axis.ref:
            kept &= {place for low, high in part.ranges for place in range(low, high + 1)}
    return tuple(sorted(kept))


def _groups(statistic: Statistic, scope: StatisticScope) -> tuple[Axis, tuple[Axis, ...]]:
    if statistic.compare is None:
        raise ValueError("an adjusted difference names in `compare` the category whose groups are compared")
    if not 1 <= len(statistic.strata) <= MOST_STRATA:
        raise ValueError(f"an adjusted difference has 1 to {MOST_STRATA} `strata`, the categories to be made alike in")
    return _axis("compare", statistic.compare, scope), tuple(_axis("strata", key, scope) for key in statistic.strata)


def _axis(field: str, key: str, scope: StatisticScope) -> Axis:
    ref = parse_ref(key, scope.names)
    column = scope.names.columns[ref.name]
    if not column.categorical:
        raise ValueError(f"`{field}: {ref.name}` must be a category; numbers have no public cells")
    return Axis(ref, column.size)


def _outcome(of: str, statistic: Statistic, scope: StatisticScope) -> tuple[Indicator | Value, tuple[Ref, ...], str]:
    """What a unit adds, what must be known for it, and the canonical spelling."""
    if not _names_one(of, scope):
        if statistic.within is not None:
            raise ValueError("`within` belongs to a number; this `of` is a condition")
        condition = parse(of, scope.names)
        return Indicator(condition), tuple(required(condition)), spell(condition, scope.names)
    ref, column = numeric(of, scope.names, "mean; write a condition such as `x == yes`")
    low, high = held(statistic, column)
    return Value(ref, top=high - low, low=low), (ref,), ref.text


def _names_one(of: str, scope: StatisticScope) -> bool:
    try:
        parse_ref(of, scope.names)
    except BadExpression:
        return False
    return True
