"""Exact sums of the blocks over a snapshot. The only place where rows are read for an answer.

What leaves this module goes into node/mechanism.py and nowhere else: no log, no error text, no file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import duckdb

from node.snapshots import Snapshot
from node.vectors.queries import Query, queries
from policies.statistics.blocks import Block

_REMEMBERED = 256


class SumsFailed(Exception):
    """The engine could not sum. Deliberately says nothing: its own message could quote a value."""


class Engine:
    """A DuckDB connection without files of its own, and the SQL already written for earlier blocks.

    One caller at a time. `threads` is at least 1: a region's table is one row group (122,880 rows), which one thread
    reads, and idle ones only cost the wake-ups.
    """

    def __init__(self, scratch: Path, threads: int = 1, memory_mb: int = 2048) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": str(scratch),
                "home_directory": str(scratch),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._connection.execute("SET parquet_metadata_cache = true")
        self._written: OrderedDict[tuple[Block, ...], tuple[Query, ...]] = OrderedDict()

    def close(self) -> None:
        self._connection.close()

    def sums(self, snapshot: Snapshot, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        """One list of exact integers per block id, row-major over its cells; empty cells are zero.

        The length of each list depends on the codebook alone. Raises SumsFailed, which carries no detail.
        """
        try:
            found = {block.id: [0] * block.cells for block in blocks}
            for query in self._queries(blocks):
                self._add(query, snapshot, found)
        except (duckdb.Error, OSError):
            # Without `from`: the engine's message may hold a value from a row, and tracebacks get logged.
            raise SumsFailed from None
        return found

    def _queries(self, blocks: tuple[Block, ...]) -> tuple[Query, ...]:
        known = self._written.pop(blocks, None) or queries(blocks)
        self._written[blocks] = known
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)
        return known

    def _add(self, query: Query, snapshot: Snapshot, found: Mapping[str, list[int]]) -> None:
        path = str(snapshot.table_path(query.unit)).replace("'", "''")
        relation = f"WITH \"{query.unit}\" AS (SELECT * FROM read_parquet('{path}')) "
        for row in self._connection.execute(relation + query.sql).fetchall():
            cell, values = (row[0], row[1:]) if query.grouped else (0, row)
            for block, value in zip(query.blocks, values, strict=True):
                found[block][cell] += int(value or 0)
