"""Conditions as SQL: the one translation of the expression grammar to Ibis, whose compiler prints it.

SQL's three-valued logic is the grammar's own (Kleene): an atom on a missing variable is NULL, AND and OR follow, and a
filter keeps what is certainly true. Nothing here reads a row.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, assert_never

from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some

if TYPE_CHECKING:  # types only: whoever calls `condition` has Ibis loaded already
    from ibis.expr.types import BooleanValue, IntegerValue, Table


def condition(expr: Expr, table: Table) -> BooleanValue:
    """The condition over `table`, whose columns are a snapshot's: TRUE, FALSE, or NULL where it is unknown.

    Raises Ibis's error where the table lacks a column of the condition; take the table from the same codebook.
    """
    match expr:
        case Among(ref, ranges):
            return _among(_column(ref, table), ranges)
        case Missing(ref, negated):
            column = _column(ref, table)
            return column.notnull() if negated else column.isnull()
        case All(parts):
            return reduce(lambda left, right: left & right, (condition(part, table) for part in parts))
        case Some(parts):
            return reduce(lambda left, right: left | right, (condition(part, table) for part in parts))
        case _:
            assert_never(expr)


def _column(ref: Ref, table: Table) -> IntegerValue:
    return table[ref.stored]


def _among(column: IntegerValue, ranges: tuple[tuple[int, int], ...]) -> BooleanValue:
    if not ranges:
        # False for every index, and still NULL for a missing one.
        return column < 0
    atoms = (column == low if low == high else column.between(low, high) for low, high in ranges)
    return reduce(lambda left, right: left | right, atoms)
