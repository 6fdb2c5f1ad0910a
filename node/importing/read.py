"""Delivered files as long tables: one row per unit and wave, under the codebook's names, with its codes.

A reader's own error messages may quote a row, so none of them is passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from node.importing.arrow import open_parquet
from node.importing.cells import Numbering, Source, TextColumn, places_of
from node.importing.database import open_query
from node.importing.excel import open_excel
from node.importing.files import EXCEL, PARQUET, QUERY, SPSS
from node.importing.lengthen import Slice, lengthen, slices, stacked
from node.importing.problems import BadImport, shown
from node.importing.recode import EITHER, Rules
from node.importing.report import MOST_ROWS
from node.importing.spss import open_spss, try_layouts
from node.importing.text import TextSource, open_text
from policies.study.codebook import Codebook, Table
from policies.study.mapping import Part

_SIGNS = {"comma": ",", "point": ".", "either": EITHER}


@dataclass(frozen=True, slots=True)
class Origin:
    """A file that gave rows: which of its own rows each is of, and the first of its rows that gave none."""

    file: str
    numbering: Numbering
    at: NDArray[np.int32]
    silent: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Raw:
    """A table's rows by the codebook's names. `delivered` rows stand in its files; `ragged` of them were dropped, and
    `silent` ones tell of no wave. `unknown` are the files' columns that nobody wants. `origins` are of the files, in
    the order of their rows."""

    columns: Mapping[str, TextColumn]
    rows: int
    unknown: tuple[str, ...] = ()
    ragged: int = 0
    silent: int = 0
    delivered: int = 0
    origins: tuple[Origin, ...] = ()


def read_tables(parts: Sequence[tuple[Part, Path]], codebook: Codebook, rules: Rules) -> dict[Table, Raw]:
    """Every table that has a part. Parts in one file are read in one go. Raises BadImport."""
    by_place: dict[tuple[Path, str | None], list[Part]] = {}
    for part, path in parts:
        by_place.setdefault((path, part.sheet), []).append(part)
    try_layouts([path for path, _ in by_place if path.suffix.casefold() in SPSS])
    found: dict[Table, list[Raw]] = {}
    for (path, sheet), mine in by_place.items():
        for part, raw in zip(mine, _read(path, sheet, mine, codebook, rules), strict=True):
            found.setdefault(part.table, []).append(raw)
    return {table: _together(raws) for table, raws in found.items()}


def _read(path: Path, sheet: str | None, parts: Sequence[Part], codebook: Codebook, rules: Rules) -> list[Raw]:
    """One file's parts. What concerns the whole file (unknown columns, ragged rows) stands with the first."""
    file = shown(path.name)
    source = open_source(path, sheet, parts[0].household, rules)
    wanted = [slices(part, codebook) for part in parts]
    places = places_of(source.names, _names(wanted), file)
    for part, mine in zip(parts, wanted, strict=True):
        _check(part, mine, places, file)
    cells = source.read(tuple(sorted(places.values())))
    by_name = {name: cells.columns[place] for name, place in places.items()}
    # Other formats hold numbers, not their spelling.
    sign = _SIGNS[rules.text.decimal] if isinstance(source, TextSource) else ""
    raws = []
    for part, mine in zip(parts, wanted, strict=True):
        long = lengthen(part, mine, by_name, cells.rows, codebook, rules, sign)
        origin = Origin(file, cells.numbering, long.at, long.silent[:MOST_ROWS])
        raws.append(Raw(long.columns, len(long.at), silent=len(long.silent), origins=(origin,)))
    used = set(places.values())
    unknown = [shown(name.strip()) for place, name in enumerate(source.names) if place not in used]
    ragged, rows = cells.ragged, cells.rows + cells.ragged
    raws[0] = replace(raws[0], unknown=tuple(name for name in unknown if name), ragged=ragged)
    return [replace(raw, delivered=rows) for raw in raws]


def open_source(path: Path, sheet: str | None, key: str, rules: Rules) -> Source:
    """The file by the ending of its name. `key` is a column that a CSV file must have. Raises BadImport."""
    file, ending = shown(path.name), path.suffix.casefold()
    try:
        if ending in SPSS:
            if not path.stat().st_size:
                raise BadImport("empty", file=file)
            return open_spss(file, path)
        if ending in QUERY:
            return open_query(file, path, rules.database)
        data = path.read_bytes()
    except OSError:
        raise BadImport("unreadable", file=file, format="CSV / SPSS / Excel / Parquet") from None
    if not data or data.isspace():
        raise BadImport("empty", file=file)
    if ending in PARQUET:
        return open_parquet(file, data)
    if ending in EXCEL:
        return open_excel(file, data, sheet)
    return open_text(file, data, key, rules.text.encoding, rules.text.delimiter)


def _names(wanted: Iterable[Sequence[Slice]]) -> set[str]:
    return {name for mine in wanted for one in mine for name in one.names()}


def _check(part: Part, mine: Sequence[Slice], places: Mapping[str, int], file: str) -> None:
    """Columns that the mapping names must be there; those it only looks for need not."""
    for one in mine:
        for name in one.needed(part):
            if name.strip().casefold() not in places:
                raise BadImport("no_column", file=file, column=shown(name))


def _together(raws: Sequence[Raw]) -> Raw:
    if len(raws) == 1:
        return raws[0]
    names = dict.fromkeys(name for raw in raws for name in raw.columns)
    return Raw(
        {name: stacked([(raw.columns.get(name), raw.rows) for raw in raws]) for name in names},
        sum(raw.rows for raw in raws),
        tuple(name for raw in raws for name in raw.unknown),
        sum(raw.ragged for raw in raws),
        sum(raw.silent for raw in raws),
        sum(raw.delivered for raw in raws),
        tuple(origin for raw in raws for origin in raw.origins),
    )
