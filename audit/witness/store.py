"""The witness's store: SQLite in WAL with synchronous=FULL. Each public function is one transaction.

What a function returns may leave the process: it is on disk by then. One process serves; others may read beside it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from rondgang.keys import SigningKey
from rondgang.notes import Note
from rondgang.signed import Signed

from audit.witness.memory import SqliteMemory
from audit.witness.schema import connect
from policies.rules.witness import Ask, Exchanged, Fork, Reply, add_checkpoint, exchange
from policies.study.roster import Roster

T = TypeVar("T")


class Store:
    """What one witness remembers. Any thread may call; they take turns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    def add(self, asks: Sequence[Ask], key: SigningKey, now: int) -> list[Reply]:
        """Considers what regions brought, in order, and cosigns with `key`: all in one commit, durable on return."""
        return self._within(lambda memory: [add_checkpoint(memory, key, ask, now) for ask in asks])

    def exchange(self, roster: Roster, region: str, shown: Sequence[Note], now: int) -> Exchanged:
        """Takes in what a region's node saw of others, and gives what is known here."""
        return self._within(lambda memory: exchange(memory, roster, region, shown, now))

    def keep_documents(self, papers: Iterable[Signed], now: int) -> None:
        """Keeps signed documents that are worked by from now on, in this order; those kept before stay as they are."""
        rows = [(paper.digest, now, paper.to_bytes()) for paper in papers]
        statement = "INSERT INTO documents (hash, since, signed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        with self._transaction():
            self._connection.executemany(statement, rows)

    def documents(self) -> list[Signed]:
        """Every document that was ever worked by, oldest first."""
        rows = self._rows("SELECT signed FROM documents ORDER BY number")
        return [Signed.from_bytes(row[0]) for row in rows]

    def checkpoints(self, region: str) -> list[str]:
        """Every note cosigned for a region, epochs and sizes ascending."""
        rows = self._rows("SELECT note FROM checkpoints WHERE region = ? ORDER BY epoch, size", region)
        return [str(row[0]) for row in rows]

    def regions(self) -> list[str]:
        """Every region that something was cosigned for."""
        return [str(row[0]) for row in self._rows("SELECT DISTINCT region FROM checkpoints ORDER BY region")]

    def last_sizes(self) -> dict[str, tuple[int, int]]:
        """The epoch and the size of the last checkpoint cosigned for every region."""
        rows = self._rows(
            "SELECT region, epoch, max(size) FROM checkpoints GROUP BY region, epoch ORDER BY region, epoch"
        )
        # The latest epoch of a region comes last.
        return {str(region): (int(epoch), int(size)) for region, epoch, size in rows}

    def forks(self) -> list[Fork]:
        """All evidence of forks, oldest first."""
        rows = self._rows("SELECT region, why, at, held, offered FROM forks ORDER BY at, region, digest")
        return [Fork(*row) for row in rows]

    def close(self) -> None:
        self._connection.close()

    def _within(self, work: Callable[[SqliteMemory], T]) -> T:
        with self._transaction():
            return work(SqliteMemory(self._connection))

    # What columns hold is in the migrations, and strict tables hold nothing else.
    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._turn, closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A failed COMMIT may have rolled back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """The store in a file, made if absent. Raises `BrokenStore`."""
    store = Store(connect(path))
    try:
        yield store
    finally:
        store.close()
