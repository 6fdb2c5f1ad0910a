"""Parquet, and Arrow's columns as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from node.importing.cells import Cells, TextColumn
from node.importing.problems import BadImport, shown

_FAULTS = (pa.ArrowException, OSError, UnicodeError, ValueError)
"""What the reader raises for a damaged file."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    file: str
    names: tuple[str, ...]
    _parquet: pq.ParquetFile

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text: numbers, words and booleans; other types are refused."""
        try:
            # A table read by name would stop at names that repeat; unused ones may.
            table = self._parquet.read(columns=[self.names[place] for place in places])
        except _FAULTS:
            raise BadImport("unreadable", file=self.file, format="Parquet") from None
        columns = {place: self._text(table.column(self.names[place]), self.names[place]) for place in places}
        return Cells(columns, table.num_rows)

    def _text(self, column: Any, name: str) -> TextColumn:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        plain = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
        texts = (pa.types.is_string, pa.types.is_large_string)
        if not any(test(kind) for test in (*plain, *texts)):
            raise BadImport("type", file=self.file, column=shown(name))
        try:
            return column_of(column.cast(pa.string()))
        except _FAULTS:
            raise BadImport("type", file=self.file, column=shown(name)) from None


def open_parquet(file: str, data: bytes) -> ParquetSource:
    """A Parquet file. Raises BadImport."""
    try:
        parquet = pq.ParquetFile(pa.BufferReader(data))
        return ParquetSource(file, tuple(parquet.schema_arrow.names), parquet)
    except _FAULTS:
        raise BadImport("unreadable", file=file, format="Parquet") from None


def text_array(texts: Sequence[str]) -> pa.StringArray:
    """Texts for Arrow, from buffers: its own conversion would load pandas."""
    data = "".join(texts).encode("utf-8", "surrogatepass")
    lengths = (
        map(len, texts)
        if len(data) == sum(map(len, texts))
        else (len(text.encode("utf-8", "surrogatepass")) for text in texts)
    )
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, len(texts)), out=offsets[1:])
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(data))


def column_of(column: Any) -> TextColumn:
    """Arrow text as codes. Distinct texts stay distinct here even if trimming makes them alike."""
    encoded = column.dictionary_encode(null_encoding="encode")
    encoded = encoded.unify_dictionaries().combine_chunks()
    words = encoded.dictionary.to_pylist()
    texts = tuple(map(str.strip, words if encoded.dictionary.null_count == 0 else (word or "" for word in words)))
    indices = encoded.indices
    # From the buffer: Arrow's own conversion would load pandas, which costs more than reading a region's files.
    codes = np.frombuffer(indices.buffers()[1], np.int32, len(indices), 4 * indices.offset)
    return TextColumn(codes, texts)
