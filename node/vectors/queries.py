"""From blocks to SQL: one query for all blocks that share a table and cells. Pure; Ibis only writes the text.

Every block is a sum over units of a bounded whole number, so a query is a single scan: sums of CASE expressions,
grouped by the number of the cell. Persons over the household's cap are not in the snapshot (see node/importing), so
a sum over units is the sum of the household vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, assert_never

import ibis
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler
from ibis.expr import types as ir

from node.expressions import condition
from policies.statistics.blocks import Axis, Block, Indicator, Ones, Selection, Unit, Value
from policies.study.columns import Ref
from policies.study.expressions.nodes import refs

_COMPILER = DuckDBCompiler()


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
    table = ibis.table(_schema(blocks), name=unit)
    counted = table.filter([table[axis.ref.stored].notnull() for axis in axes]) if axes else table
    sums = {f"s{i}": _summed(block, counted) for i, block in enumerate(blocks)}
    expression = counted.group_by(_cell(axes, counted)).aggregate(**sums) if axes else counted.aggregate(**sums)
    sql = _COMPILER.to_sqlglot(expression).sql("duckdb")
    return Query(unit, sql, tuple(block.id for block in blocks), blocks[0].cells, bool(axes))


def _cell(axes: tuple[Axis, ...], table: ir.Table) -> ir.Value:
    """The number of a unit's cell, row-major over the axes."""
    first, *rest = axes
    number = reduce(lambda total, axis: total * axis.size + _wide(table, axis.ref), rest, _wide(table, first.ref))
    return number.name("cell")


def _summed(block: Block, table: ir.Table) -> ir.Value:
    return ibis.ifelse(_selected(block.selection, table), _added(block, table), ibis.literal(0, "int32")).sum()


def _selected(selection: Selection, table: ir.Table) -> ir.BooleanValue:
    """True for a counted unit; false or unknown otherwise, and CASE treats both alike."""
    parts: list[Any] = [table[f"present__{wave}"] for wave in selection.waves]
    parts += [table[ref.stored].notnull() for ref in selection.required]
    if selection.where is not None:
        parts.append(condition(selection.where, table))
    return reduce(lambda left, right: left & right, parts)


def _added(block: Block, table: ir.Table) -> ir.Value:
    match block.summand:
        case Ones():
            return ibis.literal(1, "int32")
        case Indicator(of=of):
            return ibis.ifelse(condition(of, table), ibis.literal(1, "int32"), ibis.literal(-1, "int32"))
        case Value(of=ref, top=top):
            return _wide(table, ref) * 2 - top
        case _:
            assert_never(block.summand)


def _wide(table: ir.Table, ref: Ref) -> Any:
    """The index as 32 bits: snapshots store the narrowest type, which doubling could leave."""
    return table[ref.stored].cast("int32")


def _schema(blocks: list[Block]) -> dict[str, str]:
    """Only the columns these blocks touch. Types are the widest a snapshot stores; they steer text, not storage."""
    columns: dict[str, str] = {}
    for block in blocks:
        selection = block.selection
        columns |= {f"present__{wave}": "boolean" for wave in selection.waves}
        used = {*selection.required, *(axis.ref for axis in block.axes)}
        used |= refs(selection.where) if selection.where is not None else frozenset()
        match block.summand:
            case Indicator(of=of):
                used |= refs(of)
            case Value(of=ref):
                used.add(ref)
            case Ones():
                pass
        columns |= {ref.stored: "int16" for ref in sorted(used)}
    return columns
