"""Cells as text, column by column: every format looks alike from here on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from node.importing.problems import BadImport, shown


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One cell a row: `texts[codes[row]]`, trimmed. Each distinct text is cleaned once, whatever the rows.

    Where the file says so itself: `labels` has a text's value label or nothing, `declared` the places of texts that
    mean "not known".
    """

    codes: NDArray[np.int32]
    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    declared: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a steward counts the rows of a file: from `first` on, or by `numbers`, one a row, where some are skipped.

    `ragged` are the numbers of the first rows that were dropped. `known` is False where nobody can say.
    """

    first: int = 1
    numbers: NDArray[np.int32] | None = None
    ragged: tuple[int, ...] = ()
    known: bool = True

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of these rows."""
        return rows + self.first if self.numbers is None else self.numbers[rows].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Cells:
    """Columns by their place in the file, all with `rows` rows; `ragged` more rows were dropped."""

    columns: Mapping[int, TextColumn]
    rows: int
    ragged: int = 0
    numbering: Numbering = Numbering()


class Source(Protocol):
    """An opened file: the names of its columns as they are written, which may repeat, and its cells."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self, places: Sequence[int]) -> Cells:
        """The columns at these places (at least one). Raises BadImport."""
        ...


def encoded(values: Iterable[Hashable], rows: int, spelled: Callable[[object], str]) -> TextColumn:
    """Values as a column. Values that are equal must be spelled alike: 1 and 1.0, but not 1 and True."""
    numbers = _Numbers()
    codes = np.fromiter(map(numbers.__getitem__, values), np.int32, rows)
    return TextColumn(codes, tuple(map(spelled, numbers)))


class _Numbers(dict[Hashable, int]):
    """Gives each new key the next number."""

    def __missing__(self, key: Hashable) -> int:
        number = self[key] = len(self)
        return number


def number_text(value: float) -> str:
    """The shortest decimal that is this double; whole numbers without ".0", NaN as nothing."""
    if value.is_integer() and -1e15 < value < 1e15:
        return str(int(value))
    return repr(value) if value == value else ""


def places_of(names: Sequence[str], wanted: Iterable[str], file: str) -> dict[str, int]:
    """Where wanted columns stand, by their name in lower case; absent ones are left out.

    Raises BadImport where a wanted name stands twice: which one is meant, nobody knows.
    """
    keys = {name.strip().casefold() for name in wanted}
    places: dict[str, int] = {}
    for place, written in enumerate(names):
        key = written.strip().casefold()
        if key in places:
            raise BadImport("twice", file=file, column=shown(written.strip()))
        if key in keys:
            places[key] = place
    return places
