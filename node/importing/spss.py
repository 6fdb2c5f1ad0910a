"""SPSS .sav and .zsav: numbers are doubles, texts are padded, and the file itself declares labels and missing codes.

What a file declares about a column (labels, missing codes) is part of its layout, like the names of columns: it is
the same for every row, whoever is in the file.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyreadstat

from node.importing.cells import Cells, TextColumn, encoded, number_text
from node.importing.problems import BadImport, shown

_TRIAL = """
import sys, warnings, pyreadstat
warnings.simplefilter("ignore")
for path in sys.argv[1:]:
    try:
        pyreadstat.read_sav(path, metadataonly=True, output_format="dict")
    except Exception:
        pass
    print("read", flush=True)
"""
_TRIAL_S = 120
_ROOM = {".sav": 1, ".zsav": 2000}
"""Most cells for each byte of a file: a cell of .sav has a byte of its own, .zsav squeezes those."""


@dataclass(frozen=True, slots=True)
class SpssSource:
    """A .sav file of which only the layout is read."""

    file: str
    names: tuple[str, ...]
    _path: Path
    _labels: Mapping[str, Mapping[Hashable, str | None]] = field(repr=False)
    _declared: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text, with the labels and the missing codes that the file declares."""
        chosen = [self.names[place] for place in places]
        data, _ = _read(self.file, self._path, usecols=chosen)
        rows = len(data[chosen[0]])
        # Each list of numbers is let go when its column is made: they take ten times the room.
        columns = {place: self._column(name, data.pop(name), rows) for place, name in zip(places, chosen, strict=True)}
        return Cells(columns, rows)

    def _column(self, name: str, values: Sequence[Hashable], rows: int) -> TextColumn:
        column = encoded(values, rows, _spelled)
        labels = {_spelled(value): label or "" for value, label in self._labels.get(name, {}).items()}
        ranges = self._declared.get(name, ())
        return replace(
            column,
            labels=tuple(labels.get(text, "") for text in column.texts) if labels else (),
            declared=frozenset(place for place, text in enumerate(column.texts) if _within(text, ranges)),
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file says of a column: its label, those of its codes, codes that mean missing, and how it is shown.

    `decimals` is None for a text. A range of codes that mean missing stands for no code in particular.
    """

    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    format: str = ""
    decimals: int | None = None


def declared_in(file: str, path: Path) -> dict[str, Declared]:
    """What a file whose layout was tried says of its columns, by name. Raises BadImport."""
    _, layout = _read(file, path, metadataonly=True)
    found = {}
    for name in layout.column_names:
        told = layout.variable_value_labels.get(name, {})
        labels = {_spelled(code): str(label or "") for code, label in told.items()}
        ranges = layout.missing_ranges.get(name, ())
        missing = tuple(_spelled(one["lo"]) for one in ranges if one["lo"] == one["hi"])
        shape = str(layout.original_variable_types.get(name, ""))
        width, point, decimals = shape.lstrip("".join(map(chr, range(65, 91)))).partition(".")
        number = bool(point and width and decimals.isdigit())
        label = str(layout.column_names_to_labels.get(name) or "")
        found[name] = Declared(label, labels, missing, shape, int(decimals) if number else None)
    return found


def try_layouts(paths: Sequence[Path]) -> None:
    """Has the layouts of these files read in another process first: a damaged one may end the process that reads it.

    Raises BadImport for the first file that does.
    """
    if not paths:
        return
    command = [sys.executable, "-P", "-c", _TRIAL, *map(str, paths)]
    try:
        tried = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_TRIAL_S, check=False)
        done, survived = tried.stdout.split().count(b"read"), tried.returncode == 0
    except subprocess.TimeoutExpired as slow:
        done, survived = (slow.stdout or b"").split().count(b"read"), False
    if not survived and done < len(paths):
        raise BadImport("unreadable", file=shown(paths[done].name), format="SPSS")


def open_spss(file: str, path: Path) -> SpssSource:
    """A .sav or .zsav file whose layout was tried. Raises BadImport."""
    _, layout = _read(file, path, metadataonly=True)
    names = tuple(name or "" for name in layout.column_names)
    # The reader makes room for as many rows as a damaged file says it has.
    if (layout.number_rows or 0) * len(names) > path.stat().st_size * _ROOM[path.suffix.casefold()]:
        raise BadImport("unreadable", file=file, format="SPSS")
    return SpssSource(file, names, path, layout.variable_value_labels, layout.missing_ranges)


def _read(file: str, path: Path, **options: Any) -> tuple[dict[str, Any], Any]:
    try:
        with warnings.catch_warnings():
            # The reader's warnings quote names of columns; what matters of them is in the report.
            warnings.simplefilter("ignore")
            data, layout = pyreadstat.read_sav(
                path, output_format="dict", user_missing=True, disable_datetime_conversion=True, **options
            )
    except Exception:
        # It raises many kinds for a damaged file, and their messages may quote a cell.
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
        if isinstance(low, float | int) and isinstance(high, float | int):
            if _is_number(text) and low <= float(text) <= high:
                return True
        elif text and text == str(low).strip():
            return True
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
