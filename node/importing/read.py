"""CSV and Parquet as columns of text: both formats look alike from here on.

A reader's own error messages may quote a row, so none of them is passed on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from node.importing.files import PARQUET
from node.importing.problems import BadImport, shown

DELIMITERS = {"semicolon": ";", "comma": ",", "tab": "\t"}
_BLOCK_BYTES = 1 << 24
"""The reader's unit of work, and the longest row it takes."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One cell a row: `texts[codes[row]]`, trimmed. Each distinct text is cleaned once, whatever the rows."""

    codes: NDArray[np.int32]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """A file's wanted columns by name. `unknown` are column names that nobody wants; `ragged` rows were dropped."""

    columns: dict[str, TextColumn]
    rows: int
    unknown: tuple[str, ...] = ()
    ragged: int = 0


def read_table(path: Path, wanted: Iterable[str], needed: Sequence[str], delimiter: str) -> Raw:
    """The wanted columns of a CSV or Parquet file; names match in upper or lower case. `needed` ones must be there.

    `delimiter` is auto (told by the line of column names alone), semicolon, comma or tab. Raises BadImport.
    """
    try:
        data = path.read_bytes()
    except OSError:
        raise BadImport("unreadable", file=shown(path.name), format="CSV / Parquet") from None
    if not data or data.isspace():
        raise BadImport("empty", file=shown(path.name))
    file = _File(shown(path.name), data, tuple(wanted), tuple(needed))
    return file.parquet() if path.suffix.casefold() in PARQUET else file.csv(delimiter)


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    data: bytes
    wanted: tuple[str, ...]
    needed: tuple[str, ...]

    def csv(self, delimiter: str) -> Raw:
        data = self.data.removeprefix(b"\xef\xbb\xbf")
        self._check_text(data)
        line, _, body = data.partition(b"\n")
        names, sign = self._header(line.decode("utf-8"), delimiter)
        places, unknown = self._places(names)
        ragged = 0

        def skip(_row: Any) -> str:
            nonlocal ragged
            ragged += 1
            return "skip"

        if not body.strip():
            return Raw({name: TextColumn(np.empty(0, np.int32), ()) for name in places}, 0, unknown)
        # Columns are numbered, because names in a file may repeat.
        numbers = [str(place) for place in range(len(names))]
        chosen = [str(place) for place in places.values()]
        try:
            table = pcsv.read_csv(
                pa.py_buffer(body),
                pcsv.ReadOptions(column_names=numbers, block_size=_BLOCK_BYTES),
                pcsv.ParseOptions(delimiter=sign, newlines_in_values=True, invalid_row_handler=skip),
                pcsv.ConvertOptions(
                    column_types=dict.fromkeys(chosen, pa.string()),
                    include_columns=chosen,
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowException:
            raise BadImport("unreadable", file=self.name, format="CSV") from None
        columns = {name: _column(table.column(str(place))) for name, place in places.items()}
        return Raw(columns, table.num_rows, unknown, ragged)

    def parquet(self) -> Raw:
        try:
            file = pq.ParquetFile(pa.BufferReader(self.data))
            names = file.schema_arrow.names
            places, unknown = self._places(names)
            # A table read by name would stop at names that repeat; unused ones may.
            table = file.read(columns=[names[place] for place in places.values()])
        except pa.ArrowException:
            raise BadImport("unreadable", file=self.name, format="Parquet") from None
        columns = {name: self._text(table.column(names[place]), name) for name, place in places.items()}
        return Raw(columns, table.num_rows, unknown)

    def _check_text(self, data: bytes) -> None:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise BadImport("not_utf8", file=self.name) from None
        if data.count(b'"') % 2:
            # An open quote would swallow every row behind it.
            raise BadImport("quotes", file=self.name)

    def _header(self, line: str, delimiter: str) -> tuple[list[str], str]:
        """The column names and the delimiter. The rows have no say in it: they must not change how others are read."""
        signs = list(DELIMITERS.values()) if delimiter == "auto" else [DELIMITERS[delimiter]]
        for sign in signs:
            try:
                names = next(csv.reader(io.StringIO(line.rstrip("\r")), delimiter=sign), [])
            except csv.Error:
                continue
            if {self.needed[0].casefold()} & {name.strip().casefold() for name in names}:
                return names, sign
        raise BadImport("no_column", file=self.name, column=self.needed[0])

    def _places(self, names: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
        """Where each wanted column stands, and the columns that nobody wants."""
        by_key = {name.casefold(): name for name in self.wanted}
        places: dict[str, int] = {}
        unknown = []
        for place, written in enumerate(names):
            name = by_key.get(written.strip().casefold())
            if name is None:
                unknown.append(shown(written.strip()))
            elif name in places:
                raise BadImport("twice", file=self.name, column=name)
            else:
                places[name] = place
        for name in self.needed:
            if name not in places:
                raise BadImport("no_column", file=self.name, column=name)
        return places, tuple(name for name in unknown if name)

    def _text(self, column: Any, name: str) -> TextColumn:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        plain = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
        texts = (pa.types.is_string, pa.types.is_large_string)
        if not any(test(kind) for test in (*plain, *texts)):
            raise BadImport("type", file=self.name, column=name)
        try:
            return _column(column.cast(pa.string()))
        except pa.ArrowException:
            raise BadImport("type", file=self.name, column=name) from None


def _column(column: Any) -> TextColumn:
    """Arrow text as codes. Distinct texts stay distinct here even if trimming makes them alike."""
    encoded = column.dictionary_encode(null_encoding="encode")
    encoded = encoded.unify_dictionaries().combine_chunks()
    texts = tuple((text or "").strip() for text in encoded.dictionary.to_pylist())
    indices = encoded.indices
    # From the buffer: Arrow's own conversion would load pandas, which costs more than reading a region's files.
    codes = np.frombuffer(indices.buffers()[1], np.int32, len(indices), 4 * indices.offset)
    return TextColumn(codes, texts)
