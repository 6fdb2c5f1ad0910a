"""A snapshot on disk: whole or absent, private, never changed afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from node.files import make_folder, sync_folder, write_private
from node.importing.tables import Wide
from node.importing.values import MISSING
from node.snapshots import FOLDER, Manifest, Snapshot
from policies.study.codebook import Table

_TYPES = ((1 << 7, pa.int8()), (1 << 15, pa.int16()), (1 << 31, pa.int32()))


def write_snapshot(home: Path, manifest: Manifest, tables: Mapping[Table, Wide], report: str) -> Snapshot:
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
        write_private(part / "report.json", report.encode("utf-8"))
        write_private(part / "manifest.json", manifest.to_bytes())
        part.rename(place)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    sync_folder(place.parent)
    return Snapshot(manifest.id, manifest.cohort, manifest.codebook.hash, place)


def parquet(wide: Wide) -> bytes:
    """The table as Parquet. The same table gives the same bytes."""
    columns = [(pa.field("hh", pa.int32(), nullable=False), pa.array(wide.household.astype(np.int32)))]
    for wave, present in wide.present.items():
        columns.append((pa.field(f"present__{wave}", pa.bool_(), nullable=False), pa.array(present)))
    for name, index in wide.values.items():
        column = _narrow(index, wide.sizes[name])
        columns.append((pa.field(name, column.type), column))
    sink = pa.BufferOutputStream()
    table = pa.table([column for _, column in columns], schema=pa.schema([field for field, _ in columns]))
    pq.write_table(table, sink, compression="snappy", store_schema=False)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


def _narrow(index: NDArray[np.int32], size: int) -> pa.Array:
    """The smallest whole-number type that holds 0..size-1, with null for missing."""
    kind = next(kind for most, kind in _TYPES if size <= most)
    return pa.array(index.astype(kind.to_pandas_dtype()), kind, mask=index == MISSING)
