"""Conditions in one normal form, so that two spellings of one meaning are one value and one text.

A condition is built from atoms "this variable's index lies in these ranges" and "this variable is (not) missing",
joined by all/any. `not` never remains: it is pushed into the atoms. Three values (true, false, unknown): an atom on a
missing variable is unknown, and unknown means not selected. Kleene's rules are kept by every rewriting here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policies.study.columns import Column, Ref

Ranges = tuple[tuple[int, int], ...]
"""Disjoint, ascending, non-touching inclusive ranges of indices."""


@dataclass(frozen=True, slots=True)
class Among:
    """The variable's index lies in one of the ranges; unknown when the variable is missing."""

    ref: Ref
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Missing:
    """The variable is missing (`negated`: is present). Never unknown."""

    ref: Ref
    negated: bool = False


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds. Two or more parts, sorted and distinct."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds. Two or more parts, sorted and distinct."""

    parts: tuple[Expr, ...]


Expr = Among | Missing | All | Some


def refs(expr: Expr) -> frozenset[Ref]:
    """Every variable the condition mentions."""
    if isinstance(expr, (All, Some)):
        return frozenset().union(*(refs(part) for part in expr.parts))
    return frozenset((expr.ref,))


def required(expr: Expr) -> frozenset[Ref]:
    """The variables that must be present for the condition to be certainly true or false."""
    if isinstance(expr, (All, Some)):
        return frozenset().union(*(required(part) for part in expr.parts))
    return frozenset((expr.ref,)) if isinstance(expr, Among) else frozenset()


def text(expr: Expr, columns: Mapping[str, Column]) -> str:
    """The canonical spelling: parsing it gives `expr` back."""
    if isinstance(expr, Among):
        column = columns[expr.ref.name]
        return f"{expr.ref.text} in {{{', '.join(_range_text(column, low, high) for low, high in expr.ranges)}}}"
    if isinstance(expr, Missing):
        return f"{'not ' if expr.negated else ''}missing({expr.ref.text})"
    word = " and " if isinstance(expr, All) else " or "
    return word.join(f"({text(p, columns)})" if isinstance(p, (All, Some)) else text(p, columns) for p in expr.parts)


def _range_text(column: Column, low: int, high: int) -> str:
    if column.categorical:
        return ", ".join(column.codes[low : high + 1])
    if low == high:
        return column.value_text(low)
    return f"{column.value_text(low)}..{column.value_text(high)}"
