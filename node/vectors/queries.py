"""From blocks to SQL: one query for all blocks that share a table and cells. Pure: it only writes text.

Every block is a sum over units of a bounded whole number, so a query is a single scan: sums of CASE expressions,
grouped by the number of the cell. Persons over the household's cap are not in the snapshot (see node/importing), so
a sum over units is the sum of the household vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import assert_never

from sqlglot import exp

from node.expressions import choose, column, condition, number, present
from policies.statistics.blocks import (
    AnyAxis,
    Axis,
    Block,
    Change,
    Difference,
    Indicator,
    Ones,
    Product,
    Selection,
    Square,
    Summand,
    Term,
    Unit,
    Value,
)
from policies.study.columns import Ref

DIALECT = "duckdb"


@dataclass(frozen=True, slots=True)
class Query:
    """`sql` gives rows (cell, sum, sum, ...) from a relation named after the unit; `blocks` says whose each sum is.

    Without axes there is one row and no cell column. Cells without units are absent, and a missing sum is zero. A block
    that pools waves has a sum for each, in one query or in several: they are added.
    """

    unit: Unit
    sql: str
    blocks: tuple[str, ...]
    grouped: bool


def queries(blocks: tuple[Block, ...]) -> tuple[Query, ...]:
    """The queries that sum all blocks, one for each table and set of axes."""
    groups: dict[tuple[Unit, tuple[AnyAxis, ...]], list[tuple[str, Term]]] = {}
    for block in blocks:
        for term in block.terms:
            groups.setdefault((term.selection.unit, term.axes), []).append((block.id, term))
    return tuple(_query(unit, axes, group) for (unit, axes), group in groups.items())


def _query(unit: Unit, axes: tuple[AnyAxis, ...], group: list[tuple[str, Term]]) -> Query:
    sums: list[exp.Expr] = [_summed(term) for _, term in group]
    table = exp.to_table(unit)
    if axes:
        known = exp.and_(*(present(column(ref.stored)) for axis in axes for ref in _refs(axis)), copy=False)
        select = exp.select(_cell(axes), *sums, copy=False).from_(table, copy=False).where(known, copy=False)
        select = select.group_by(exp.Literal.number(1), copy=False)
    else:
        select = exp.select(*sums, copy=False).from_(table, copy=False)
    return Query(unit, select.sql(DIALECT, copy=False), tuple(name for name, _ in group), bool(axes))


def _refs(axis: AnyAxis) -> tuple[Ref, ...]:
    return (axis.ref,) if isinstance(axis, Axis) else (axis.before, axis.after)


def _cell(axes: tuple[AnyAxis, ...]) -> exp.Expr:
    """The number of a unit's cell, row-major over the axes."""
    first, *rest = axes
    return reduce(_next_axis, rest, _place(first))


def _next_axis(before: exp.Expr, axis: AnyAxis) -> exp.Expr:
    scaled = exp.Mul(this=exp.Paren(this=before), expression=number(axis.size))
    return exp.Add(this=scaled, expression=_place(axis))


def _place(axis: AnyAxis) -> exp.Expr:
    """The unit's place 0..size-1 on an axis on which it is known."""
    match axis:
        case Axis(ref=ref, starts=()):
            return _wide(ref)
        case Axis(ref=ref, starts=starts):
            below = [
                exp.If(this=exp.LT(this=column(ref.stored), expression=number(s)), true=number(i))
                for i, s in enumerate(starts)
            ]
            return exp.Case(ifs=below, default=number(len(starts)))
        case Change(before=before, after=after, better=better):
            improved = exp.LT if better == "lower" else exp.GT
            one, other = column(after.stored), column(before.stored)
            worse_or_same = choose(exp.EQ(this=one, expression=other), number(1), number(2))
            return choose(improved(this=one.copy(), expression=other.copy()), number(0), worse_or_same)
        case _:
            assert_never(axis)


def _summed(term: Term) -> exp.Expr:
    return exp.Sum(this=choose(_selected(term.selection), _added(term.summand), number(0)))


def _selected(selection: Selection) -> exp.Expr:
    """True for a counted unit; false or unknown otherwise, and CASE treats both alike."""
    parts: list[exp.Expr] = [column(f"present__{wave}") for wave in selection.waves]
    parts += [present(column(ref.stored)) for ref in selection.required]
    if selection.where is not None:
        parts.append(condition(selection.where))
    return exp.and_(*parts, copy=False)


def _added(summand: Summand) -> exp.Expr:
    match summand:
        case Ones():
            return number(1)
        case Indicator(of=of):
            return choose(condition(of), number(1), number(-1))
        case Value(of=ref, top=top, low=low):
            return _centred(_held(ref, low, top), low, top)
        case Square(of=ref, reach=reach, low=low):
            # 64 bits: the square of a million steps leaves 32.
            z = exp.Paren(this=exp.cast(exp.Paren(this=_centred(_held(ref, low, reach), low, reach)), "BIGINT"))
            square = exp.Mul(this=exp.Mul(this=number(2), expression=z), expression=z.copy())
            return exp.Sub(this=square, expression=number(reach**2))
        case Difference(before=before, after=after, top=top, low=low):
            return exp.Sub(this=_held(after, low, top), expression=_held(before, low, top))
        case Product(one=one, other=other):
            # 64 bits: the product of two millions of steps leaves 32.
            first = exp.cast(exp.Paren(this=_added(one)), "BIGINT")
            return exp.Mul(this=first, expression=exp.Paren(this=_added(other)))
        case _:
            assert_never(summand)


def _held(ref: Ref, low: int, top: int) -> exp.Expr:
    """The index held within low..low+top."""
    above = exp.Greatest(this=_wide(ref), expressions=[number(low)])
    return exp.Least(this=above, expressions=[number(low + top)])


def _centred(held: exp.Expr, low: int, top: int) -> exp.Expr:
    """2x - top, with x the held index counted from low."""
    return exp.Sub(this=exp.Mul(this=held, expression=number(2)), expression=number(top + 2 * low))


def _wide(ref: Ref) -> exp.Expr:
    """The index as 32 bits: snapshots store the narrowest type, which doubling could leave."""
    return exp.cast(column(ref.stored), "INT", copy=False)
