"""Long rows to one row a unit, wide over waves, in whole numbers: what a snapshot holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from node.importing.derived import value
from node.importing.read import Raw
from node.importing.report import Finding
from node.importing.units import Units
from node.importing.values import MISSING, clean
from policies.study.codebook import Codebook, Table
from policies.study.columns import Column, Ref
from policies.study.derive import Rule

Index = NDArray[np.int32]
_HIGH = np.int32(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Wide:
    """One row a unit. `present` by wave; `values` by stored name, 0..size-1 or MISSING; `sizes` by stored name.

    `torn` says, of each variable without waves, whose own rows contradict each other: MISSING, whatever comes later.
    """

    household: NDArray[np.int64]
    present: Mapping[str, NDArray[np.bool_]]
    values: Mapping[str, Index]
    sizes: Mapping[str, int]
    torn: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def stored(self) -> tuple[str, ...]:
        """Column names in file order."""
        return ("hh", *(f"present__{wave}" for wave in self.present), *self.values)


@dataclass(frozen=True, slots=True)
class _Slots:
    """Rows of one table sorted by unit and wave. `starts` begins each run of rows that share unit and wave (`unit`,
    `wave`); `unit_starts` those that share a unit (`units`). Duplicates are rows beyond the first of a run."""

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    unit: NDArray[np.int64]
    wave: NDArray[np.int64]
    unit_starts: NDArray[np.int64]
    units: NDArray[np.int64]


def widen(table: Table, raw: Raw | None, units: Units, codebook: Codebook) -> tuple[Wide, list[Finding]]:
    """The table's own variables, without derived ones. Where a unit's rows of one wave disagree: missing."""
    slots = _sorted_slots(units, len(codebook.waves))
    findings = [Finding("duplicate_row", table, count=len(units.rows) - len(slots.starts))]
    waves = tuple(codebook.waves)
    present = {wave: np.zeros(units.count, np.bool_) for wave in waves}
    for number, wave in enumerate(waves):
        present[wave][slots.unit[slots.wave == number]] = True
    values: dict[str, Index] = {}
    sizes: dict[str, int] = {}
    torn: dict[str, NDArray[np.bool_]] = {}
    for name, variable in codebook.variables.items():
        shape = codebook.columns[name]
        if shape.table != table:
            continue
        wanted = [Ref(name, wave).stored for wave in shape.waves or ("",)]
        sizes |= dict.fromkeys(wanted, shape.size)
        torn |= {} if shape.waves else {name: np.zeros(units.count, np.bool_)}
        if raw is None or name not in raw.columns:
            values |= {stored: np.full(units.count, MISSING, np.int32) for stored in wanted}
            findings += [Finding("absent_variable", table, name)] if raw is not None else []
            continue
        cleaned = clean(raw.columns[name], variable, shape)
        findings += [Finding(rule, table, name, count) for rule, count in cleaned.counts.items()]
        index = cleaned.index[units.rows][slots.order]
        columns, counts = _merged(index, shape, slots, units.count, waves)
        values |= columns
        if not shape.waves:
            torn[name][slots.units] = _torn(index, slots.unit_starts)
        findings += [Finding(rule, table, name, count) for rule, count in counts.items()]
    return Wide(units.household, present, values, sizes, torn), findings


def joined(own: Wide, household: Wide) -> Wide:
    """Persons with the columns of their household; presence stays the person's own."""
    of_home = {name: column[own.household] for name, column in household.values.items()}
    return replace(own, values={**own.values, **of_home}, sizes={**own.sizes, **household.sizes})


def with_derived(wide: Wide, rules: Iterable[Rule], columns: Mapping[str, Column], table: Table) -> Wide:
    """The table with its derived variables computed, in the codebook's order."""
    values, sizes = dict(wide.values), dict(wide.sizes)
    for rule in rules:
        if columns[rule.ref.name].table == table:
            values[rule.ref.stored] = value(rule, values, len(wide.household))
            sizes[rule.ref.stored] = columns[rule.ref.name].size
    return replace(wide, values=values, sizes=sizes)


def _sorted_slots(units: Units, waves: int) -> _Slots:
    slot = units.unit * waves + units.wave
    order = np.argsort(slot, kind="stable")
    slots, starts = np.unique(slot[order], return_index=True)
    owners, unit_starts = np.unique(units.unit[order], return_index=True)
    return _Slots(order, starts, slots // waves, slots % waves, unit_starts, owners)


def _merged(
    index: Index, shape: Column, slots: _Slots, count: int, waves: tuple[str, ...]
) -> tuple[dict[str, Index], dict[str, int]]:
    """The variable's columns, one a wave it is asked at (or one), from its sorted values; and what was found."""
    if not shape.waves:
        agreed, given = _agreed(index, slots.unit_starts)
        return {shape.name: _spread(agreed, slots.units, count)}, _counts(agreed, given)
    agreed, given = _agreed(index, slots.starts)
    found: dict[str, Index] = {}
    asked = np.zeros(len(agreed), np.bool_)
    for wave in shape.waves:
        here = slots.wave == waves.index(wave)
        asked |= here
        found[Ref(shape.name, wave).stored] = _spread(agreed[here], slots.unit[here], count)
    return found, {**_counts(agreed[asked], given[asked]), "not_asked": int((given & ~asked).sum())}


def _agreed(index: Index, starts: NDArray[np.int64]) -> tuple[Index, NDArray[np.bool_]]:
    """The one value that a run's rows give, MISSING where they give none or several; and whether they give any."""
    highest = _runs(np.maximum.reduceat, index, starts)
    lowest = _runs(np.minimum.reduceat, np.where(index == MISSING, _HIGH, index), starts)
    return np.where(lowest == highest, highest, MISSING).astype(np.int32), highest != MISSING


def _torn(index: Index, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which runs give more than one value."""
    agreed, given = _agreed(index, starts)
    return np.asarray(given & (agreed == MISSING))


def _counts(agreed: Index, given: NDArray[np.bool_]) -> dict[str, int]:
    return {"conflict": int((given & (agreed == MISSING)).sum()), "missing": int((~given).sum())}


def _runs(fold: Callable[[Index, NDArray[np.int64]], Index], index: Index, starts: NDArray[np.int64]) -> Index:
    # reduceat refuses an empty list of runs.
    return fold(index, starts) if len(starts) else np.empty(0, np.int32)


def _spread(values: Index, places: NDArray[np.int64], count: int) -> Index:
    column = np.full(count, MISSING, np.int32)
    column[places] = values
    return column
