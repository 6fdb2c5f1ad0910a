"""What the witness remembers, as rows of its SQLite file. Used inside one transaction; see `policies.rules.witness`."""

from __future__ import annotations

import sqlite3

from rondgang.notes import Checkpoint, Note

from policies.rules.witness import Fork


class SqliteMemory:
    """A `policies.rules.witness.Memory` over the tables of migration 0001."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def last(self, region: str) -> Note | None:
        newest = "SELECT note FROM checkpoints WHERE region = ? ORDER BY epoch DESC, size DESC LIMIT 1"
        return self._note(newest, region)

    def at(self, checkpoint: Checkpoint) -> Note | None:
        place = (checkpoint.region, checkpoint.epoch, checkpoint.size)
        return self._note("SELECT note FROM checkpoints WHERE region = ? AND epoch = ? AND size = ?", *place)

    def last_time(self) -> int:
        (time,) = self._connection.execute("SELECT coalesce(max(time), 0) FROM checkpoints").fetchone()
        return int(time)

    def keep(self, note: Note, time: int) -> None:
        found = note.checkpoint
        self._connection.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET note = excluded.note, time = excluded.time",
            (found.region, found.epoch, found.size, note.to_text(), time),
        )

    def seen(self, region: str) -> Note | None:
        return self._note("SELECT note FROM seen WHERE region = ?", region)

    def keep_seen(self, note: Note, time: int) -> None:
        row = (note.checkpoint.region, note.to_text(), time)
        self._connection.execute(
            "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET note = excluded.note, at = excluded.at", row
        )

    def forks(self, region: str) -> int:
        (count,) = self._connection.execute("SELECT count(*) FROM forks WHERE region = ?", (region,)).fetchone()
        return int(count)

    def keep_fork(self, fork: Fork) -> None:
        row = (fork.digest, fork.region, fork.why, fork.at, fork.held, fork.offered)
        self._connection.execute("INSERT INTO forks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)

    def _note(self, query: str, *values: str | int) -> Note | None:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else Note.parse(row[0])
