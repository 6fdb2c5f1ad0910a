"""Parts of a mapping whose columns are all there: a mapping names a column for every person and wave that it lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from node.drafting.matching import Match
from policies.study.codebook import Table
from policies.study.mapping import PERSON, WAVE


@dataclass(frozen=True, slots=True)
class Column:
    """A variable in a mapping: where it stands, and what its codes mean where that must be said. `match` None: it is of
    the draft codebook."""

    name: str
    template: str
    label: str
    codes: Mapping[str, str]
    match: Match | None = None
    waves: tuple[str, ...] = ()
    cells: frozenset[tuple[int | None, str | None]] = frozenset()
    """The persons and waves that the file has columns of; `waves` are all of the variable."""


@dataclass(frozen=True, slots=True)
class DraftPart:
    """A table in a file. The wave is told by `suffixes`, by `wave_column` with `wave_values`, or it is `always` one."""

    table: Table
    file: str
    household: str | None
    person: str | None
    persons: tuple[int, ...]
    suffixes: Mapping[str, str]
    wave_column: str | None
    wave_values: Mapping[str, str]
    present: str | None
    columns: tuple[Column, ...]


def complete(part: DraftPart) -> tuple[DraftPart, ...]:
    """The part as it is; where some columns are absent, a part for each wave and for persons with the same columns."""
    if all(_has(column, person, wave) for column in part.columns for person, wave in _needed(part, column)):
        return (part,)
    return tuple(_split(part))


def _needed(part: DraftPart, column: Column) -> Iterator[tuple[int | None, str | None]]:
    """What a mapping's part asks for of a variable."""
    waves = [wave for wave in part.suffixes if wave in column.waves] if WAVE in column.template else [None]
    for person in part.persons if PERSON in column.template else (None,):
        yield from ((person, wave) for wave in waves)


def _has(column: Column, person: int | None, wave: str | None) -> bool:
    own = person if PERSON in column.template else None
    at = wave if WAVE in column.template else None
    return not column.cells or (own, at) in column.cells


def _split(part: DraftPart) -> Iterator[DraftPart]:
    for wave in part.suffixes or (None,):
        groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for person in part.persons or (None,):
            names = tuple(one.name for one in part.columns if _has(one, person, wave))
            groups[names].extend(() if person is None else (person,))
        for names, persons in groups.items():
            columns = tuple(one for one in part.columns if one.name in names)
            waved = any(WAVE in one.template for one in columns)
            if wave is None or waved or part.present:
                suffixes = {} if wave is None else {wave: part.suffixes[wave]}
                yield replace(part, suffixes=suffixes, persons=tuple(persons), columns=columns)
