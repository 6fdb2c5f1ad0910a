"""How cells are written: a key and a code for each axis, from the codebook alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from policies.statistics.blocks import CHANGES, Axis, Change, Named, RowAxis
from policies.study.columns import Column


def axis_key(axis: RowAxis, pooled: bool) -> str:
    """The variable, with its wave unless waves are pooled; `change` for a change."""
    match axis:
        case Axis(ref=ref):
            return ref.name if pooled else ref.text
        case Change():
            return "change"
        case Named(key=key):
            return key
        case _:
            assert_never(axis)


def axis_codes(axis: RowAxis, columns: Mapping[str, Column]) -> tuple[str, ...]:
    """The places of an axis: category codes, bins such as `1..21`, or improved, same, worse."""
    match axis:
        case Axis(ref=ref, starts=()):
            return columns[ref.name].codes
        case Axis(ref=ref, starts=starts):
            column = columns[ref.name]
            firsts, lasts = (0, *starts), (*(start - 1 for start in starts), column.size - 1)
            return tuple(_bin(column, first, last) for first, last in zip(firsts, lasts, strict=True))
        case Change():
            return CHANGES
        case Named(codes=codes):
            return codes
        case _:
            assert_never(axis)


def _bin(column: Column, first: int, last: int) -> str:
    low, high = column.value_text(first), column.value_text(last)
    return low if first == last else f"{low}..{high}"
