"""Exact sums of blocks, unit by unit, as `policies/statistics/blocks.py` says in words. Slow, and shares no code with
a node: tests hold the two against each other on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from coordinator.rehearsal.units import Region, Unit, Values, holds
from policies.statistics.blocks import Axis, Block, Indicator, Ones, Selection, Summand, Value


def exact_sums(region: Region, blocks: Sequence[Block]) -> dict[str, list[int]]:
    """The whole numbers of each block by its id, row-major over its cells."""
    return {block.id: _summed(block, region[block.selection.unit]) for block in blocks}


def _summed(block: Block, units: Sequence[Unit]) -> list[int]:
    cells = [0] * block.cells
    for unit in units:
        if _selected(block.selection, unit) and (cell := _cell(block.axes, unit.values)) is not None:
            cells[cell] += _added(block.summand, unit.values)
    return cells


def _selected(selection: Selection, unit: Unit) -> bool:
    seen = all(wave in unit.waves for wave in selection.waves)
    known = all(unit.values[ref] is not None for ref in selection.required)
    return seen and known and (selection.where is None or holds(selection.where, unit.values) is True)


def _cell(axes: Sequence[Axis], values: Values) -> int | None:
    """Row-major over the axes; None where a key is missing."""
    cell = 0
    for axis in axes:
        index = values[axis.ref]
        if index is None:
            return None
        cell = cell * axis.size + index
    return cell


def _added(summand: Summand, values: Values) -> int:
    match summand:
        case Ones():
            return 1
        case Indicator(of=of):
            return 1 if holds(of, values) is True else -1
        case Value(of=ref, top=top, low=low):
            index = values[ref]
            # Whoever asks a value also requires it, see `select`.
            assert index is not None
            return 2 * min(max(index - low, 0), top) - top
        case _:
            assert_never(summand)
