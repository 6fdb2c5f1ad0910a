"""A snapshot on disk: whole or absent, private, never changed afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from node.files import make_folder, sync_folder, write_private
from node.importing.kept import FILE as IDS
from node.importing.tables import Wide
from node.importing.values import MISSING
from node.snapshots import FOLDER, Manifest, Snapshot
from policies.study.codebook import Table

_TYPES = ((1 << 7, pa.int8(), np.int8), (1 << 15, pa.int16(), np.int16), (1 << 31, pa.int32(), np.int32))
_GROUP_ROWS = 122_880
"""DuckDB's own unit: it gives each thread one group."""


def write_snapshot(home: Path, manifest: Manifest, tables: Mapping[Table, Wide], report: str, ids: bytes) -> Snapshot:
    """Writes HOME/snapshots/<id>/ under another name, syncs it, and gives it its name. Raises OSError.

    Durable on return. After a crash there is at most a folder named `.<id>.part`, which nothing opens.
    """
    place = home / FOLDER / manifest.id
    part = place.with_name(f".{manifest.id}.part")
    make_folder(place.parent)
    part.mkdir(mode=0o700)
    try:
        for name, wide in tables.items():
            write_private(part / f"{name}.parquet", parquet(wide))
        write_private(part / IDS, ids)
        write_private(part / "report.json", report.encode("utf-8"))
        write_private(part / "manifest.json", manifest.to_bytes())
        part.rename(place)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sync_folder(place.parent)
    return Snapshot(manifest.id, manifest.cohort, manifest.codebook.hash, place)


def discard(snapshot: Snapshot) -> None:
    """Removes a snapshot that the ledger will never name. Raises OSError."""
    shutil.rmtree(snapshot.folder)
    sync_folder(snapshot.folder.parent)


def parquet(wide: Wide) -> bytes:
    """The table as Parquet. The same table gives the same bytes."""
    whole = np.zeros(len(wide.household), np.bool_)
    fields = [pa.field("hh", pa.int32(), nullable=False)]
    columns = [_array(pa.int32(), wide.household.astype(np.int32), whole)]
    for wave, present in wide.present.items():
        fields.append(pa.field(f"present__{wave}", pa.bool_(), nullable=False))
        columns.append(_array(pa.bool_(), _bits(present), whole))
    for name, index in wide.values.items():
        kind, width = next((kind, width) for most, kind, width in _TYPES if wide.sizes[name] <= most)
        fields.append(pa.field(name, kind))
        columns.append(_array(kind, index.astype(width), index == MISSING))
    sink = pa.BufferOutputStream()
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    pq.write_table(table, sink, compression="snappy", store_schema=False, row_group_size=_GROUP_ROWS)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


def _array(kind: pa.DataType, data: NDArray[Any], missing: NDArray[np.bool_]) -> pa.Array:
    """An Arrow array from its buffers. `pa.array` would load pandas, which costs more than importing a region."""
    validity = pa.py_buffer(_bits(~missing)) if missing.any() else None
    return pa.Array.from_buffers(kind, len(missing), [validity, pa.py_buffer(data)])


def _bits(flags: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.packbits(flags, bitorder="little")
