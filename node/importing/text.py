"""CSV: UTF-8 unless the steward says otherwise, and a delimiter that the line of column names alone tells."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from node.importing.arrow import column_of
from node.importing.cells import Cells, TextColumn
from node.importing.lines import numbered
from node.importing.problems import BadImport
from policies.study.mapping import Delimiter, Encoding

DELIMITERS: dict[Delimiter, str] = {"semicolon": ";", "comma": ",", "tab": "\t"}
_BLOCK_BYTES = 1 << 24
"""The reader's unit of work, and the longest row it takes."""
_CODECS: dict[Encoding, str] = {"latin-1": "latin-1", "windows-1252": "cp1252", "utf-16": "utf-16"}


@dataclass(frozen=True, slots=True)
class TextSource:
    """A CSV file in memory: its header is read, its rows are not."""

    file: str
    names: tuple[str, ...]
    _sign: str
    _body: bytes = field(repr=False)

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text. Rows with another number of fields are dropped and counted."""
        if not self._body or self._body.isspace():
            return Cells({place: TextColumn(np.empty(0, np.int32), ()) for place in places}, 0)
        ragged = 0

        def skip(_row: Any) -> str:
            nonlocal ragged
            ragged += 1
            return "skip"

        # Columns are numbered, because names in a file may repeat.
        numbers = [str(place) for place in range(len(self.names))]
        chosen = [str(place) for place in places]
        try:
            table = pcsv.read_csv(
                pa.py_buffer(self._body),
                pcsv.ReadOptions(column_names=numbers, block_size=_BLOCK_BYTES),
                pcsv.ParseOptions(delimiter=self._sign, newlines_in_values=True, invalid_row_handler=skip),
                pcsv.ConvertOptions(
                    column_types=dict.fromkeys(chosen, pa.string()),
                    include_columns=chosen,
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowException:
            raise BadImport("unreadable", file=self.file, format="CSV") from None
        columns = {place: column_of(table.column(str(place))) for place in places}
        numbering = numbered(self._body, self._sign, len(self.names), table.num_rows)
        return Cells(columns, table.num_rows, ragged, numbering)


def open_text(file: str, data: bytes, key: str, encoding: Encoding, delimiter: Delimiter) -> TextSource:
    """A CSV file; `key` is a column it must have, by which the delimiter is told where it is auto. Raises BadImport."""
    data = _utf8(file, data, encoding).removeprefix(b"\xef\xbb\xbf")
    if data.count(b'"') % 2:
        # An open quote would swallow every row behind it.
        raise BadImport("quotes", file=file)
    line, _, body = data.partition(b"\n")
    names, sign = _header(file, line.decode("utf-8"), key, delimiter)
    return TextSource(file, tuple(names), sign, body)


def open_plain(file: str, data: bytes, encoding: Encoding, delimiter: Delimiter) -> TextSource:
    """A CSV file of which no column is known; where the delimiter is auto it is the one that gives most names.

    Raises BadImport.
    """
    data = _utf8(file, data, encoding).removeprefix(b"\xef\xbb\xbf")
    if data.count(b'"') % 2:
        raise BadImport("quotes", file=file)
    line, _, body = data.partition(b"\n")
    signs = list(DELIMITERS.values()) if delimiter == "auto" else [DELIMITERS[delimiter]]
    found = [(_names(line.decode("utf-8"), sign), sign) for sign in signs]
    names, sign = max(found, key=lambda one: len(one[0]))
    return TextSource(file, tuple(names), sign, body)


def _utf8(file: str, data: bytes, encoding: Encoding) -> bytes:
    try:
        if encoding == "utf-8":
            data.decode("utf-8")
            return data
        return data.decode(_CODECS[encoding]).encode("utf-8")
    except UnicodeDecodeError:
        raise BadImport(
            "not_utf8" if encoding == "utf-8" else "encoding_differs", file=file, encoding=encoding
        ) from None


def _header(file: str, line: str, key: str, delimiter: Delimiter) -> tuple[list[str], str]:
    """The column names and the delimiter. The rows have no say in it: they must not change how others are read."""
    signs = list(DELIMITERS.values()) if delimiter == "auto" else [DELIMITERS[delimiter]]
    for sign in signs:
        names = _names(line, sign)
        if key.strip().casefold() in {name.strip().casefold() for name in names}:
            return names, sign
    raise BadImport("no_column", file=file, column=key)


def _names(line: str, sign: str) -> list[str]:
    """The names in a first line; none where it cannot be read with this delimiter."""
    try:
        return next(csv.reader(io.StringIO(line.rstrip("\r")), delimiter=sign), [])
    except csv.Error:
        return []
