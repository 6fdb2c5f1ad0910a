"""One row per household, with columns per wave and person, to one row per unit and wave.

Privacy: each row of a file is cut up by itself, by the mapping alone. No other row has a say in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from node.importing.cells import TextColumn
from node.importing.recode import Rules, recoded, translated, without_declared
from node.importing.values import name_of, whole
from policies.study.codebook import Codebook
from policies.study.mapping import PERSON, STABLE, WAVE, Part

Columns = Mapping[str, TextColumn]
"""A file's columns by their name in lower case."""
STABLE_ID = "<stable>"
"""Under which name a household's stable id stands among a table's columns: no variable can be called so."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One long row that each row of a file may give. `wave` and `person` are empty where the row tells them.

    `values` names the columns of variables; `answers` are those among them by which a unit shows that it took part.
    `stable` names the column of a household's stable id.
    """

    wave: str
    person: str
    values: Mapping[str, str]
    answers: tuple[str, ...]
    ids: tuple[str, ...]
    present: str | None
    stable: str | None = None

    def names(self) -> Iterator[str]:
        """Every column it looks for."""
        yield from self.ids
        yield from self.values.values()
        if self.present is not None:
            yield self.present
        if self.stable is not None:
            yield self.stable

    def needed(self, part: Part) -> Iterator[str]:
        """The columns that must be there."""
        yield from self.ids
        yield from (column for name, column in self.values.items() if name in part.columns)
        if self.present is not None:
            yield self.present
        if part.stable is not None:
            yield part.stable


def slices(part: Part, codebook: Codebook) -> tuple[Slice, ...]:
    """The long rows that a part's file gives, by the mapping and the codebook alone."""
    waves = tuple(part.wave.suffixes) or ("",)
    return tuple(_slice(part, codebook, wave, person) for person in part.persons or ("",) for wave in waves)


def _slice(part: Part, codebook: Codebook, wave: str, person: str) -> Slice:
    shapes = [codebook.columns[name] for name, variable in codebook.variables.items() if variable.table == part.table]
    found = {shape.name: part.column(shape, wave, person) for shape in shapes}
    values = {name: column for name, column in found.items() if column is not None}
    if wave:
        answers = tuple(name for name in values if codebook.columns[name].waves)
    else:
        sources = {name: part.source(name) for name in values}
        answers = tuple(name for name, source in sources.items() if source and PERSON in source.column)
    ids = [column for column in (part.household, part.person, part.wave.column) if column is not None]
    present = part.present.column.replace(WAVE, part.wave.suffixes.get(wave, "")) if part.present else None
    named = tuple(column.replace(PERSON, person) for column in ids)
    # A variable of that name is a variable.
    stable = part.stable or (None if part.table != "household" or STABLE in codebook.variables else STABLE)
    return Slice(wave, person, values, answers, named, present.replace(PERSON, person) if present else None, stable)


@dataclass(frozen=True, slots=True)
class Long:
    """A part's long rows by the codebook's names, the file's row of each, and the file's rows that gave none."""

    columns: dict[str, TextColumn]
    at: NDArray[np.int32]
    silent: NDArray[np.int64]


def lengthen(
    part: Part, wanted: Sequence[Slice], file: Columns, rows: int, codebook: Codebook, rules: Rules, sign: str
) -> Long:
    """A part's long rows.

    `sign` is the decimal sign of numbers that are written as text; see recode.py.
    """
    missing = frozenset((*rules.missing, *part.missing))
    told = np.zeros(rows, np.bool_)
    cut: list[tuple[dict[str, TextColumn], NDArray[np.bool_] | None]] = []
    for one in wanted:
        columns = {}
        for name, written in one.values.items():
            column, source = file.get(written.strip().casefold()), part.source(name)
            if column is not None and source is not None:
                columns[name] = recoded(column, codebook.variables[name], source, missing, sign)
        kept = _took_part(part, one, columns, file, rows, missing)
        told |= True if kept is None else kept
        cut.append(({**_ids(part, one, file, rows, codebook), **_stable(one, file, missing), **columns}, kept))
    lengths = [rows if kept is None else int(kept.sum()) for _, kept in cut]
    names = dict.fromkeys(name for columns, _ in cut for name in columns)
    long = {
        name: stacked(
            [(_some(columns.get(name), kept), length) for (columns, kept), length in zip(cut, lengths, strict=True)]
        )
        for name in names
    }
    every = np.arange(rows, dtype=np.int32)
    at = [every if kept is None else np.flatnonzero(kept).astype(np.int32) for _, kept in cut]
    silent = np.flatnonzero(np.zeros(rows, np.bool_) if part.persons else ~told)
    return Long(long, at[0] if len(at) == 1 else np.concatenate(at), silent)


def stacked(columns: Sequence[tuple[TextColumn | None, int]]) -> TextColumn:
    """Columns one below the other, each with its number of rows; None: nothing in any of them."""
    if len(columns) == 1 and columns[0][0] is not None:
        return columns[0][0]
    texts: list[str] = []
    starts: dict[tuple[str, ...], int] = {}
    codes = []
    for column, rows in columns:
        own = ("",) if column is None else column.texts
        if own not in starts:
            starts[own] = len(texts)
            texts.extend(own)
        codes.append(np.zeros(rows, np.int32) + starts[own] if column is None else column.codes + np.int32(starts[own]))
    return TextColumn(np.concatenate(codes, dtype=np.int32), tuple(texts))


def _ids(part: Part, one: Slice, file: Columns, rows: int, codebook: Codebook) -> dict[str, TextColumn]:
    units = codebook.units
    column = [without_declared(file[name.strip().casefold()]) for name in one.ids]
    found = {units.household: column.pop(0)}
    if part.table != "household":
        found[units.person] = column.pop(0) if part.person else _constant(one.person, rows)
    wave = one.wave or part.wave.always
    found[units.wave] = translated(column.pop(0), part.wave.values) if wave is None else _constant(wave, rows)
    return found


def _stable(one: Slice, file: Columns, missing: frozenset[str]) -> dict[str, TextColumn]:
    """The column of stable ids, if there is one; a code for "not known" is no id."""
    found = None if one.stable is None else file.get(one.stable.strip().casefold())
    if found is None:
        return {}
    column = without_declared(found)
    return {STABLE_ID: TextColumn(column.codes, tuple("" if text in missing else text for text in column.texts))}


def _took_part(
    part: Part, one: Slice, columns: Columns, file: Columns, rows: int, missing: frozenset[str]
) -> NDArray[np.bool_] | None:
    """Which rows tell of this person at this wave; None: all, because each row is of one unit and one wave."""
    if one.present is not None and part.present is not None:
        said = without_declared(file[one.present.strip().casefold()])
        return np.array([_says(text, part.present.values, missing) for text in said.texts], np.bool_)[said.codes]
    if not one.wave and not one.person:
        return None
    found = np.zeros(rows, np.bool_)
    for name in one.answers:
        if name in columns:
            found |= np.array([bool(text) for text in columns[name].texts], np.bool_)[columns[name].codes]
    return found


def _says(text: str, values: Sequence[str], missing: frozenset[str]) -> bool:
    """Whether this text of a column of presence says that the unit took part."""
    spelled = {text, whole(text)}
    return bool(spelled & set(values)) if values else bool(name_of(text)) and not spelled & missing


def _some(column: TextColumn | None, kept: NDArray[np.bool_] | None) -> TextColumn | None:
    return column if column is None or kept is None else TextColumn(column.codes[kept], column.texts)


def _constant(text: str, rows: int) -> TextColumn:
    return TextColumn(np.zeros(rows, np.int32), (text,))
