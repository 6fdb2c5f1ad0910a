"""What is kept beside the log: the documents it cites, its cosigned checkpoints, and those of other regions.

Documents are written with the entries that cite them. Checkpoints are evidence on which no decision of ours rests:
they wait in memory for the next transaction, and a crash may cost the newest.
"""

from __future__ import annotations

import sqlite3

from rondgang.canonical import digest
from rondgang.merkle import Tree
from rondgang.notes import BadNote, Checkpoint, Note
from rondgang.signed import Signed

from node.errors import BrokenLedger


def keep(connection: sqlite3.Connection, signed: Signed) -> None:
    """Keeps a signed document, once for each set of signatures under it."""
    data = signed.to_bytes()
    row = (signed.kind, signed.digest, digest(data), data)
    # Only the envelope may be there already: any other clash is a fault.
    connection.execute(
        "INSERT INTO documents (kind, hash, envelope, signed) VALUES (?, ?, ?, ?) ON CONFLICT (envelope) DO NOTHING",
        row,
    )


def kept(connection: sqlite3.Connection, kind: str, hash_: str) -> Signed | None:
    """The document of this kind and hash as it came first."""
    row = connection.execute(
        "SELECT signed FROM documents WHERE kind = ? AND hash = ? ORDER BY place LIMIT 1", (kind, hash_)
    ).fetchone()
    return None if row is None else Signed.from_bytes(bytes(row[0]))


class Checkpoints:
    """The log's own cosigned checkpoints. `largest` is the size of the largest one, 0 without any."""

    def __init__(self, connection: sqlite3.Connection, origin: str, tree: Tree) -> None:
        """Raises BrokenLedger where a stored checkpoint is not one of this log."""
        self._connection, self._origin, self._tree = connection, origin, tree
        self._waiting: dict[int, Note] = {}
        self.largest = 0
        for size, text in connection.execute("SELECT size, note FROM checkpoints ORDER BY size"):
            if self._ours(_note(text)) != size:
                raise BrokenLedger(f"the checkpoint stored for size {size} is of another size")
            self.largest = size

    def hold(self, note: Note) -> None:
        """Holds a note; the first one of each size stays. Raises BrokenLedger where it is not one of this log."""
        size = self._ours(note)
        self._waiting.setdefault(size, note)
        self.largest = max(self.largest, size)

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def write(self, connection: sqlite3.Connection) -> None:
        """Writes what waits, as part of a transaction."""
        rows = [(size, note.to_text()) for size, note in self._waiting.items()]
        connection.executemany("INSERT INTO checkpoints (size, note) VALUES (?, ?) ON CONFLICT (size) DO NOTHING", rows)

    def written(self) -> None:
        """The transaction is on disk."""
        self._waiting.clear()

    def all(self) -> tuple[Note, ...]:
        """Every one held, in order of size."""
        rows = self._connection.execute("SELECT size, note FROM checkpoints ORDER BY size")
        found = self._waiting | {size: _note(text) for size, text in rows}
        return tuple(found[size] for size in sorted(found))

    def _ours(self, note: Note) -> int:
        try:
            found = note.checkpoint
        except BadNote as error:
            raise BrokenLedger(f"a stored checkpoint cannot be read: {error}") from error
        size = self._tree.size
        if found.origin != self._origin:
            raise BrokenLedger(f"a checkpoint of {found.origin} was stored with the log {self._origin}")
        if found.size > size:
            raise BrokenLedger(f"size {found.size} was cosigned and the ledger has {size} entries: it was cut off")
        if found.root != self._tree.root(found.size):
            raise BrokenLedger(f"size {found.size} was cosigned with other entries than the {size} that are here")
        return found.size


class Seen:
    """The newest checkpoint of each other region that a witness showed us (gossip)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Raises BrokenLedger where a stored one cannot be read."""
        rows = connection.execute("SELECT region, note FROM seen")
        self._newest: dict[str, tuple[Checkpoint, Note]] = {}
        for _region, text in rows:
            self._take(_note(text))
        self._waiting: set[str] = set()

    def hold(self, note: Note) -> None:
        """Holds a note that is newer, by epoch and size, than what was seen of its region. Raises BadNote."""
        if region := self._take(note):
            self._waiting.add(region)

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def write(self, connection: sqlite3.Connection) -> None:
        """Writes what waits, as part of a transaction."""
        connection.executemany(
            "INSERT INTO seen (region, note) VALUES (?, ?) ON CONFLICT (region) DO UPDATE SET note = excluded.note",
            [(region, self._newest[region][1].to_text()) for region in sorted(self._waiting)],
        )

    def written(self) -> None:
        """The transaction is on disk."""
        self._waiting.clear()

    def all(self) -> tuple[Note, ...]:
        """One for each region, by its code."""
        return tuple(self._newest[region][1] for region in sorted(self._newest))

    def _take(self, note: Note) -> str | None:
        found = note.checkpoint
        held = self._newest.get(found.region)
        if held is not None and (found.epoch, found.size) <= (held[0].epoch, held[0].size):
            return None
        self._newest[found.region] = (found, note)
        return found.region


def _note(text: str) -> Note:
    try:
        return Note.parse(text)
    except BadNote as error:
        raise BrokenLedger(f"a stored checkpoint cannot be read: {error}") from error
