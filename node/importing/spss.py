"""SPSS .sav and .zsav: numbers are doubles, texts are padded, and the file itself declares labels and missing codes.

What a file declares about a column (labels, missing codes) is part of its layout, like the names of columns: it is
the same for every row, whoever is in the file.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyreadstat

from node.importing.cells import Cells, TextColumn, encoded, number_text
from node.importing.problems import BadImport

_FAULTS = (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError, ValueError, MemoryError)
"""What the reader raises for a damaged file. Its messages are not passed on: they may quote a cell."""


@dataclass(frozen=True, slots=True)
class SpssSource:
    """A .sav file of which only the layout is read."""

    file: str
    names: tuple[str, ...]
    _path: Path
    _labels: Mapping[str, Mapping[Hashable, str]] = field(repr=False)
    _declared: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text, with the labels and the missing codes that the file declares."""
        chosen = [self.names[place] for place in places]
        data, _ = _read(self.file, self._path, usecols=chosen)
        rows = len(data[chosen[0]])
        # Each list of numbers is let go when its column is made: they take ten times the room.
        return Cells(
            {place: self._column(name, data.pop(name), rows) for place, name in zip(places, chosen, strict=True)}, rows
        )

    def _column(self, name: str, values: Sequence[Hashable], rows: int) -> TextColumn:
        column = encoded(values, rows, _spelled)
        labels = {_spelled(value): " ".join(label.split()) for value, label in self._labels.get(name, {}).items()}
        ranges = self._declared.get(name, ())
        return replace(
            column,
            labels=tuple(labels.get(text, "") for text in column.texts) if labels else (),
            declared=frozenset(place for place, text in enumerate(column.texts) if _within(text, ranges)),
        )


def open_spss(file: str, path: Path) -> SpssSource:
    """A .sav or .zsav file. Raises BadImport."""
    _, layout = _read(file, path, metadataonly=True)
    return SpssSource(file, tuple(layout.column_names), path, layout.variable_value_labels, layout.missing_ranges)


def _read(file: str, path: Path, **options: Any) -> tuple[dict[str, Any], Any]:
    try:
        data, layout = pyreadstat.read_sav(
            path, output_format="dict", user_missing=True, disable_datetime_conversion=True, **options
        )
    except _FAULTS:
        raise BadImport("unreadable", file=file, format="SPSS") from None
    return data, layout


def _spelled(value: object) -> str:
    if isinstance(value, float | int):
        return number_text(float(value))
    return "" if value is None else str(value).strip()


def _within(text: str, ranges: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the file declares this text missing: by a code, or by a range of numbers with both ends in it."""
    for one in ranges:
        low, high = one["lo"], one["hi"]
        if isinstance(low, str) or isinstance(high, str):
            if text and text == str(low).strip():
                return True
        elif text and _is_number(text) and low <= float(text) <= high:
            return True
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
