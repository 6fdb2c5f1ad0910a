"""Where the rows stand that a finding is about: found afterwards, and only for findings that there are.

Every rule is looked at once more over the same rows, by the same functions; nothing here decides what is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from node.importing.read import Raw
from node.importing.report import MOST_ROWS, Finding, Place
from node.importing.tables import Index
from node.importing.units import NOBODY, Kept, keep_rows, number_households, persons
from node.importing.values import MISSING, name_of, readings
from policies.study.codebook import Codebook, Table

Rows = NDArray[np.int64]
"""Places among a table's long rows."""
_OF_VALUES = ("unreadable", "unknown_code", "clamped", "snapped")


@dataclass(frozen=True, slots=True)
class _Looked:
    """One table: its rows, those that can be used, and the codebook."""

    table: Table
    raw: Raw
    kept: Kept
    every: Mapping[Table, Kept]
    codebook: Codebook


def placed(findings: Sequence[Finding], raws: Mapping[Table, Raw], codebook: Codebook) -> tuple[Finding, ...]:
    """The findings with the places of their first rows, of those that are about rows."""
    every = {table: keep_rows(table, raw, codebook) for table, raw in raws.items()}
    looked = {table: _Looked(table, raws[table], every[table], every, codebook) for table in raws}
    return tuple(
        finding
        if finding.table not in looked or not finding.count
        else replace(finding, places=_places(finding, looked[finding.table]))
        for finding in findings
    )


def _places(finding: Finding, at: _Looked) -> tuple[Place, ...]:
    if finding.rule == "ragged_row":
        return _told((origin.file, origin.numbering.ragged) for origin in at.raw.origins)
    if finding.rule == "no_answers":
        numbers = ((one, one.numbering.of(one.silent) if one.numbering.known else ()) for one in at.raw.origins)
        return _told((origin.file, [int(number) for number in found]) for origin, found in numbers)
    find = _RULES.get(finding.rule)
    if find is None and finding.rule in _OF_VALUES:
        return _at(at.raw, _of_values(finding.rule, finding.name, at))
    return () if find is None else _at(at.raw, find(finding, at))


def _at(raw: Raw, rows: Rows) -> tuple[Place, ...]:
    """The numbers of these rows in the files that they came from."""
    found, start = [], 0
    for origin in raw.origins:
        end = start + len(origin.at)
        own = origin.at[rows[(rows >= start) & (rows < end)] - start].astype(np.int64)
        # A row of a file may give several rows of the table.
        numbers = np.unique(origin.numbering.of(own)).tolist() if origin.numbering.known else []
        found.append((origin.file, numbers))
        start = end
    return _told(iter(found))


def _told(found: Iterator[tuple[str, Sequence[int]]]) -> tuple[Place, ...]:
    """The first ones, of all files together."""
    left, places = MOST_ROWS, []
    for file, numbers in found:
        if own := tuple(numbers)[:left]:
            places.append(Place(file, own))
            left -= len(own)
    return tuple(places)


def _of_values(rule: str, name: str, at: _Looked) -> Rows:
    variable, shape, column = at.codebook.variables[name], at.codebook.columns[name], at.raw.columns[name]
    hit = np.array([found == rule for _, found in readings(column, variable, shape)], np.bool_)
    return np.flatnonzero(hit[column.codes]) if len(hit) else np.empty(0, np.int64)


def _without_household(_finding: Finding, at: _Looked) -> Rows:
    return np.flatnonzero(~_named(at, at.codebook.units.household))


def _unknown_wave(_finding: Finding, at: _Looked) -> Rows:
    column = at.raw.columns[at.codebook.units.wave]
    waves = {wave.casefold() for wave in at.codebook.waves}
    known = np.array([text.casefold() in waves for text in column.texts], np.bool_)[column.codes]
    return np.flatnonzero(_named(at, at.codebook.units.household) & ~known)


def _without_person(_finding: Finding, at: _Looked) -> Rows:
    return np.flatnonzero(_named(at, at.codebook.units.household) & ~_named(at, at.codebook.units.person))


def _named(at: _Looked, name: str) -> NDArray[np.bool_]:
    column = at.raw.columns[name]
    return np.array([bool(name_of(text)) for text in column.texts], np.bool_)[column.codes]


def _duplicates(_finding: Finding, at: _Looked) -> Rows:
    """Rows beyond the first of a unit and wave."""
    _, first = np.unique(_slots(at, waves=True), return_index=True)
    again = np.ones(len(at.kept.rows), np.bool_)
    again[first] = False
    return at.kept.rows[again]


def _over_cap(_finding: Finding, at: _Looked) -> Rows:
    def named(home: int, person: str) -> bytes:
        return f"{home} {person}".encode("utf-8", "surrogatepass")

    numbers = number_households(at.every)
    counted = persons(at.table, at.kept, numbers, at.codebook.cap(at.table), named, NOBODY)
    found: Rows = np.setdiff1d(at.kept.rows, counted.units.rows)
    return found


def _not_asked(finding: Finding, at: _Looked) -> Rows:
    waves = tuple(at.codebook.waves)
    asked = [waves.index(wave) for wave in at.codebook.columns[finding.name].waves]
    found: Rows = at.kept.rows[(_index(finding.name, at) != MISSING) & ~np.isin(at.kept.waves, asked)]
    return found


def _conflicts(finding: Finding, at: _Looked) -> Rows:
    """All rows with a value of a unit whose values differ."""
    slots = _slots(at, waves=bool(at.codebook.columns[finding.name].waves))
    index = _index(finding.name, at)
    given = np.flatnonzero(index != MISSING)
    if not len(given):
        return np.empty(0, np.int64)
    _, group = np.unique(slots[given], return_inverse=True)
    high, low = np.full(group.max() + 1, MISSING, np.int64), np.full(group.max() + 1, 2**31, np.int64)
    np.maximum.at(high, group, index[given])
    np.minimum.at(low, group, index[given])
    found: Rows = at.kept.rows[given[high[group] != low[group]]]
    return found


def _index(name: str, at: _Looked) -> Index:
    """The value of each row that can be used."""
    column = at.raw.columns[name]
    read = [place for place, _ in readings(column, at.codebook.variables[name], at.codebook.columns[name])]
    index: Index = np.array(read, np.int32)
    return index[column.codes[at.kept.rows]] if read else index


def _slots(at: _Looked, *, waves: bool) -> NDArray[np.int64]:
    """One number for each unit, and wave, of the rows that can be used."""
    columns = [at.kept.households, *(() if at.kept.persons is None else (at.kept.persons,))]
    found = np.zeros(len(at.kept.rows), np.int64)
    for column in columns:
        # Texts that differ may be one name once they are trimmed.
        names = {name: number for number, name in enumerate(dict.fromkeys(column.texts))}
        own = np.array([names[text] for text in column.texts], np.int64)[column.codes]
        found = found * (len(names) + 1) + own
    if waves:
        found = found * (len(at.codebook.waves) + 1) + at.kept.waves
    return found


_RULES: Mapping[str, Callable[[Finding, _Looked], Rows]] = {
    "no_household_id": _without_household,
    "unknown_wave": _unknown_wave,
    "no_person_id": _without_person,
    "duplicate_row": _duplicates,
    "over_cap": _over_cap,
    "not_asked": _not_asked,
    "conflict": _conflicts,
}
