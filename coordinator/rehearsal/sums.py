"""Exact sums of blocks, unit by unit, as `policies/statistics/blocks.py` says in words. Slow, and shares no code with
a node: tests hold the two against each other on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from coordinator.rehearsal.units import Region, Unit, Values, holds
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
    Value,
)
from policies.study.columns import Ref


def exact_sums(region: Region, blocks: Sequence[Block]) -> dict[str, list[int]]:
    """The whole numbers of each block by its id, row-major over its cells."""
    return {block.id: _summed(block, region[block.selection.unit]) for block in blocks}


def _summed(block: Block, units: Sequence[Unit]) -> list[int]:
    cells = [0] * block.cells
    for term in block.terms:
        for unit in units:
            if _selected(term.selection, unit) and (cell := _cell(term.axes, unit.values)) is not None:
                cells[cell] += _added(term.summand, unit.values)
    return cells


def _selected(selection: Selection, unit: Unit) -> bool:
    seen = all(wave in unit.waves for wave in selection.waves)
    known = all(unit.values[ref] is not None for ref in selection.required)
    return seen and known and (selection.where is None or holds(selection.where, unit.values) is True)


def _cell(axes: Sequence[AnyAxis], values: Values) -> int | None:
    """Row-major over the axes; None where a key is missing."""
    cell = 0
    for axis in axes:
        place = _place(axis, values)
        if place is None:
            return None
        cell = cell * axis.size + place
    return cell


def _place(axis: AnyAxis, values: Values) -> int | None:
    match axis:
        case Axis(ref=ref, starts=starts):
            index = values[ref]
            return index if index is None or not starts else sum(start <= index for start in starts)
        case Change(before=before, after=after, better=better):
            old, new = values[before], values[after]
            if old is None or new is None:
                return None
            return 1 if old == new else 0 if (new < old) == (better == "lower") else 2
        case _:
            assert_never(axis)


def _added(summand: Summand, values: Values) -> int:
    match summand:
        case Ones():
            return 1
        case Indicator(of=of):
            return 1 if holds(of, values) is True else -1
        case Value(of=ref, top=top, low=low):
            return 2 * _held(values, ref, low, top) - top
        case Square(of=ref, reach=reach, low=low):
            return 2 * (2 * _held(values, ref, low, reach) - reach) ** 2 - reach**2
        case Difference(before=before, after=after, top=top, low=low):
            return _held(values, after, low, top) - _held(values, before, low, top)
        case Product(one=one, other=other):
            return _added(one, values) * _added(other, values)
        case _:
            assert_never(summand)


def _held(values: Values, ref: Ref, low: int, top: int) -> int:
    """Steps from `low`, within 0..top."""
    index = values[ref]
    # Whoever asks for a value also requires it, by itself or by what is derived from it.
    assert index is not None
    return min(max(index - low, 0), top)
