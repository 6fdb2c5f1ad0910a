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
from policies.statistics.blocks import Axis, Block, Indicator, Ones, Selection, Unit, Value
from policies.study.columns import Ref

DIALECT = "duckdb"


@dataclass(frozen=True, slots=True)
class Query:
    """`sql` gives rows (cell, sum of block 0, sum of block 1, ...) from a relation named after the unit.

    Without axes there is one row and no cell column. Cells without units are absent, and a missing sum is zero.
    """

    unit: Unit
    sql: str
    blocks: tuple[str, ...]
    cells: int
    grouped: bool


def queries(blocks: tuple[Block, ...]) -> tuple[Query, ...]:
    """The queries that sum all blocks, one for each table and set of axes."""
    groups: dict[tuple[Unit, tuple[Axis, ...]], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.selection.unit, block.axes), []).append(block)
    return tuple(_query(unit, axes, group) for (unit, axes), group in groups.items())


def _query(unit: Unit, axes: tuple[Axis, ...], blocks: list[Block]) -> Query:
    sums: list[exp.Expr] = [_summed(block) for block in blocks]
    table = exp.to_table(unit)
    if axes:
        known = exp.and_(*(present(column(axis.ref.stored)) for axis in axes), copy=False)
        select = exp.select(_cell(axes), *sums, copy=False).from_(table, copy=False).where(known, copy=False)
        select = select.group_by(exp.Literal.number(1), copy=False)
    else:
        select = exp.select(*sums, copy=False).from_(table, copy=False)
    return Query(
        unit, select.sql(DIALECT, copy=False), tuple(block.id for block in blocks), blocks[0].cells, bool(axes)
    )


def _cell(axes: tuple[Axis, ...]) -> exp.Expr:
    """The number of a unit's cell, row-major over the axes."""
    first, *rest = axes
    return reduce(_next_axis, rest, _wide(first.ref))


def _next_axis(before: exp.Expr, axis: Axis) -> exp.Expr:
    scaled = exp.Mul(this=exp.Paren(this=before), expression=number(axis.size))
    return exp.Add(this=scaled, expression=_wide(axis.ref))


def _summed(block: Block) -> exp.Expr:
    return exp.Sum(this=choose(_selected(block.selection), _added(block), number(0)))


def _selected(selection: Selection) -> exp.Expr:
    """True for a counted unit; false or unknown otherwise, and CASE treats both alike."""
    parts: list[exp.Expr] = [column(f"present__{wave}") for wave in selection.waves]
    parts += [present(column(ref.stored)) for ref in selection.required]
    if selection.where is not None:
        parts.append(condition(selection.where))
    return exp.and_(*parts, copy=False)


def _added(block: Block) -> exp.Expr:
    match block.summand:
        case Ones():
            return number(1)
        case Indicator(of=of):
            return choose(condition(of), number(1), number(-1))
        case Value(of=ref, top=top, low=low):
            held = exp.Least(
                this=exp.Greatest(this=_wide(ref), expressions=[number(low)]), expressions=[number(low + top)]
            )
            return exp.Sub(this=exp.Mul(this=held, expression=number(2)), expression=number(top + 2 * low))
        case _:
            assert_never(block.summand)


def _wide(ref: Ref) -> exp.Expr:
    """The index as 32 bits: snapshots store the narrowest type, which doubling could leave."""
    return exp.cast(column(ref.stored), "INT", copy=False)
