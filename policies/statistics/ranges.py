"""Which steps of a number's grid count: the codebook's bounds, or narrower ones that the statistic names."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from policies.statistics.statistic import Statistic
from policies.study.columns import Column, Ref
from policies.study.expressions.parse import Scope, parse_ref

MOST_BINS = 200


def numeric(source: str, scope: Scope, instead: str) -> tuple[Ref, Column]:
    """A single number of the codebook. Raises ValueError for a category; `instead` says what to ask of one."""
    ref = parse_ref(source, scope)
    column = scope.columns[ref.name]
    if column.categorical:
        raise ValueError(f"`{ref.name}` is a category and has no {instead}")
    return ref, column


def held(statistic: Statistic, column: Column) -> tuple[int, int]:
    """First and last index that count: the codebook's, or those of `within`. Raises ValueError off the grid."""
    return between(statistic.within, column, "`within`")


def between(bounds: tuple[Decimal, Decimal] | None, column: Column, called: str) -> tuple[int, int]:
    """First and last index between two values; all of the codebook's without them. Raises ValueError off the grid."""
    if bounds is None:
        return 0, column.size - 1
    low, high = ((Fraction(bound) - column.lower) / column.grid for bound in bounds)
    if low.denominator != 1 or high.denominator != 1 or not 0 <= low < high <= column.size - 1:
        raise ValueError(
            f"{called} must be two values of `{column.name}` on its grid, low < high, "
            f"between {column.value_text(0)} and {column.value_text(column.size - 1)}"
        )
    return int(low), int(high)


def check_sd(statistic: Statistic, column: Column, low: int, high: int, widest: Fraction) -> None:
    """Raises ValueError unless a planning deviation is above zero and at most `widest` times the held range."""
    if statistic.sd is None:
        return
    most = column.grid * (high - low) * widest
    if not 0 < Fraction(statistic.sd) <= most:
        raise ValueError(f"`sd` is a planning deviation above 0, and of values held so at most {float(most):g}")


def bin_starts(statistic: Statistic, column: Column) -> tuple[int, ...]:
    """The index at which each bin but the first begins. Raises ValueError for bins off the grid or out of order."""
    steps = [(Fraction(start) - column.lower) / column.grid for start in statistic.bins]
    starts = tuple(int(step) for step in steps)
    edges = (0, *starts, column.size)
    if any(step.denominator != 1 for step in steps) or any(b <= a for a, b in pairwise(edges)):
        raise ValueError(
            f"`bins` lists where the second bin of `{column.name}` begins, the third, and so on: ascending values on "
            f"its grid, above {column.value_text(0)} and up to {column.value_text(column.size - 1)}"
        )
    if len(starts) >= MOST_BINS:
        raise ValueError(f"at most {MOST_BINS} bins")
    return starts
