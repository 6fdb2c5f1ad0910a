"""What a snapshot keeps for later waves: whose row each is, by pseudonym, in a file that the serving node never opens.

HOME/snapshots/<id>/ids.parquet has one row for every row of the three tables, in their order: `table` (0, 1, 2),
`pseudonym` (32 bytes, node/pseudonyms.py), `stable` (that of the household's stable id, or nothing), and `torn` (the
variables without waves whose rows contradict each other). Its metadata names the key by its check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from node.importing.arrow import text_array
from node.importing.tables import Index, Wide
from node.importing.units import Before
from node.importing.values import MISSING
from node.pseudonyms import SIZE
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.columns import Ref

FILE = "ids.parquet"
_CHECK = b"rondgang.key"
_PRESENT = "present__"
_FAULTS = (pa.ArrowException, OSError, KeyError, ValueError)
"""What reading a file raises that is gone, or is another one."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The pseudonyms of each table's rows; `stable` has one place for each household, None for one without."""

    units: Mapping[Table, Sequence[bytes]]
    stable: Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Held:
    """A snapshot as import reads it: each table's own variables, without derived ones, and whose rows they are."""

    tables: Mapping[Table, Wide]
    ids: Ids

    def before(self, table: Table) -> Before:
        """The persons of a table that count already."""
        return Before(self.tables[table].household, tuple(self.ids.units[table]))

    def without(self, gone: NDArray[np.bool_]) -> Held:
        """Without the households marked as gone, and their persons. The others' numbers close up."""
        places = np.cumsum(~gone) - 1
        tables, units = {}, {}
        for table, wide in self.tables.items():
            stay = ~gone[wide.household]
            tables[table] = _some(wide, stay, places[wide.household[stay]])
            units[table] = [self.ids.units[table][place] for place in np.flatnonzero(stay).tolist()]
        stable = [self.ids.stable[place] for place in np.flatnonzero(~gone).tolist()]
        return Held(tables, Ids(units, stable))


def waves_of(tables: Mapping[Table, Wide], codebook: Codebook) -> tuple[str, ...]:
    """The waves that any row of a snapshot is of."""
    return tuple(wave for wave in codebook.waves if any(wide.present[wave].any() for wide in tables.values()))


def ids_parquet(ids: Ids, tables: Mapping[Table, Wide], check: str) -> bytes:
    """The file's bytes. `check` is that of the key."""
    count = [len(ids.units[table]) for table in TABLES]
    kinds = np.repeat(np.arange(len(TABLES), dtype=np.int8), count)
    names = b"".join(name for table in TABLES for name in ids.units[table])
    stable = [*ids.stable, *([None] * sum(count[1:]))]
    given = np.array([one is not None for one in stable], np.bool_)
    present = pa.py_buffer(np.packbits(given, bitorder="little"))
    binary = pa.binary(SIZE)
    columns = {
        "table": pa.Array.from_buffers(pa.int8(), len(kinds), [None, pa.py_buffer(kinds)]),
        "pseudonym": pa.Array.from_buffers(binary, len(kinds), [None, pa.py_buffer(names)]),
        "stable": pa.Array.from_buffers(
            binary, len(kinds), [present, pa.py_buffer(b"".join(one or bytes(SIZE) for one in stable))]
        ),
        "torn": text_array([text for table in TABLES for text in _torn_texts(tables[table])]),
    }
    schema = pa.schema([pa.field(name, column.type) for name, column in columns.items()], metadata={_CHECK: check})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(list(columns.values()), schema=schema), sink, compression="snappy")
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]  # pyarrow ships no types


def held_waves(folder: Path) -> tuple[str, ...]:
    """The waves of a snapshot's rows; none where its files cannot be read. Reads the columns of presence alone."""
    found: set[str] = set()
    try:
        for table in TABLES:
            file = pq.ParquetFile(folder / f"{table}.parquet")
            names = [name for name in file.schema_arrow.names if name.startswith(_PRESENT)]
            held = file.read(columns=names)
            found |= {name.removeprefix(_PRESENT) for name in names if (_whole(held.column(name)) > 0).any()}
    except _FAULTS:
        return ()
    return tuple(sorted(found))


def read_held(folder: Path, codebook: Codebook, check: str) -> Held | str:
    """The snapshot for adding a wave to it; or why that cannot be: gone, no_ids, other_key.

    `check` is that of the key of now. `codebook` is the one that the snapshot follows.
    """
    if not (folder / FILE).exists():
        return "no_ids" if (folder / "household.parquet").exists() else "gone"
    try:
        ids = pq.read_table(folder / FILE)
        if (ids.schema.metadata or {}).get(_CHECK) != check.encode("ascii"):
            return "other_key"
        kinds = _whole(ids.column("table"))
        names, stable = ids.column("pseudonym").to_pylist(), ids.column("stable").to_pylist()
        torn = ids.column("torn").to_pylist()
        tables, units = {}, {}
        for number, table in enumerate(TABLES):
            rows = np.flatnonzero(kinds == number).tolist()
            units[table] = [names[row] for row in rows]
            tables[table] = _read(folder / f"{table}.parquet", table, codebook, [torn[row] for row in rows])
            if len(tables[table].household) != len(rows):
                return "gone"
    except _FAULTS:
        return "gone"
    return Held(tables, Ids(units, stable[: len(units["household"])]))


def _torn_texts(wide: Wide) -> list[str]:
    """Of each row the names of its torn variables, in one text."""
    texts = [""] * len(wide.household)
    for name, torn in wide.torn.items():
        for row in np.flatnonzero(torn).tolist():
            texts[row] = f"{texts[row]} {name}".strip()
    return texts


def _read(path: Path, table: Table, codebook: Codebook, torn: Sequence[str]) -> Wide:
    """A table's own variables."""
    found = pq.read_table(path)
    present = {wave: _whole(found.column(f"{_PRESENT}{wave}")).astype(np.bool_) for wave in codebook.waves}
    values: dict[str, Index] = {}
    sizes: dict[str, int] = {}
    contradicting = {}
    for name in codebook.variables:
        shape = codebook.columns[name]
        if shape.table != table:
            continue
        for wave in shape.waves or ("",):
            stored = Ref(name, wave).stored
            values[stored], sizes[stored] = _whole(found.column(stored)), shape.size
        if not shape.waves:
            contradicting[name] = np.fromiter((name in text.split() for text in torn), np.bool_, len(torn))
    return Wide(_whole(found.column("hh")).astype(np.int64), present, values, sizes, contradicting)


def _whole(column: pa.ChunkedArray) -> Index:
    """Whole numbers or truth values, MISSING for nothing. From the buffer: Arrow's own way would load pandas."""
    chunks = [_chunk(chunk) for chunk in column.chunks]
    return np.concatenate(chunks) if chunks else np.empty(0, np.int32)


def _chunk(chunk: pa.Array) -> Index:
    filled = pc.fill_null(chunk.cast(pa.int32()), MISSING)
    return np.frombuffer(filled.buffers()[1], np.int32, len(filled), 4 * filled.offset)


def _some(wide: Wide, stay: NDArray[np.bool_], household: NDArray[np.int64]) -> Wide:
    return replace(
        wide,
        household=household,
        present={wave: flags[stay] for wave, flags in wide.present.items()},
        values={stored: column[stay] for stored, column in wide.values.items()},
        torn={name: flags[stay] for name, flags in wide.torn.items()},
    )
