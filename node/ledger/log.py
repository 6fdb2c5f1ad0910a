"""The entries on disk: one file, one writer, everything of a transaction or nothing.

`book` and `tree` are what is on disk. Inside a transaction the book has its entries on trial, so that decisions see
them, and it goes back to what it was when anything breaks before the commit has succeeded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rondgang.canonical import digest
from rondgang.merkle import Tree

from node.errors import BrokenLedger, DiskFault
from node.ledger.book import Book
from node.ledger.schema import trouble
from policies.documents import from_canonical
from policies.rules.entries import Answered, Entry, Event

Clock = Callable[[], int]
"""Unix seconds."""
Connect = Callable[[Path], sqlite3.Connection]


@dataclass(slots=True)
class Draft:
    """One transaction in the making. `book` has its entries already, on trial, for whoever decides by it."""

    connection: sqlite3.Connection
    book: Book
    clock: Clock
    leaves: list[bytes] = field(default_factory=list)

    def append(self, event: Event) -> int:
        """Adds an entry and gives its place. Raises BrokenLedger where it does not follow from those before."""
        seq, data = self.book.size, self.book.entry(event, self.clock())
        self.book.take(data)
        self.connection.execute("INSERT INTO entries (seq, body, hash) VALUES (?, ?, ?)", (seq, data, self.book.head))
        self.leaves.append(bytes.fromhex(self.book.head))
        return seq


class Log:
    """Opening replays and checks the whole chain and the stored answers. Raises BrokenLedger and DiskFault."""

    def __init__(self, path: Path, clock: Clock, connect: Connect) -> None:
        self._clock = clock
        self._failed = False
        self.connection = connect(path)
        self.tree = Tree()
        try:
            with reading("open"):
                self.book = Book(carried=_carried(self.connection))
                self._replay()
        except BaseException:
            self.connection.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether more can be written: no commit has failed. For any thread, also while one is under way."""
        return not self._failed

    @contextmanager
    def transaction(self, name: str) -> Iterator[Draft]:
        """One `BEGIN IMMEDIATE` ... `COMMIT`; durable when the block has ended. Raises BrokenLedger and DiskFault.

        It begins with a look whether the file is still the one we know. After a commit that failed nobody knows what
        is on disk, so nothing more is written until the ledger is opened anew.
        """
        if self._failed:
            raise DiskFault(f"{name}: an earlier commit failed; start the node again")
        with reading(name):
            self.connection.execute("BEGIN IMMEDIATE")
            draft = Draft(self.connection, self.book, self._clock)
            self.book.begin()
            try:
                self._still_ours(name)
                yield draft
                self._commit(name)
            except BaseException:
                self.book.undo()
                # SQLite ends a transaction by itself after some errors of the disk.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        self.book.settle()
        for leaf in draft.leaves:
            self.tree.append(leaf)

    def last_entries(self, count: int) -> tuple[Entry, ...]:
        """The newest entries, oldest of them first."""
        rows = self.connection.execute("SELECT body FROM entries ORDER BY seq DESC LIMIT ?", (count,)).fetchall()
        return tuple(from_canonical(Entry, bytes(body)) for (body,) in reversed(rows))

    def entries(self, first: int, end: int) -> tuple[Entry, ...]:
        """The entries from number `first` up to `end`, which is not in it."""
        rows = self.connection.execute(
            "SELECT body FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq", (first, end)
        ).fetchall()
        return tuple(from_canonical(Entry, bytes(body)) for (body,) in rows)

    def first_entry(self) -> bytes:
        """Canonical bytes of the entry that opened the log."""
        (body,) = self.connection.execute("SELECT body FROM entries WHERE seq = 0").fetchone()
        return bytes(body)

    def _commit(self, name: str) -> None:
        if not self.connection.in_transaction:
            raise BrokenLedger(f"{name}: the transaction ended before its commit")
        try:
            self.connection.execute("COMMIT")
        except BaseException:
            self._failed = True
            raise

    def _still_ours(self, name: str) -> None:
        row = self.connection.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None and row != (self.book.size - 1, self.book.head):
            raise BrokenLedger(f"{name}: another process wrote to the ledger")
        if row is None and self.book.size:
            raise BrokenLedger(f"{name}: the ledger was emptied")

    def _replay(self) -> None:
        answers: dict[int, str] = {}
        for seq, body, stored in self.connection.execute("SELECT seq, body, hash FROM entries ORDER BY seq"):
            if seq != self.book.size:
                raise BrokenLedger("an entry is missing", self.book.size)
            entry = self.book.take(bytes(body))
            if self.book.head != stored:
                raise BrokenLedger("its hash is not the one stored beside it", seq)
            self.tree.append(bytes.fromhex(stored))
            if isinstance(entry.body, Answered):
                answers[entry.body.debit] = entry.body.answer
        kept = self.connection.execute("SELECT debit_seq, programme, snapshot, bytes FROM answers")
        for debit, programme, snapshot, reply in kept:
            if self.book.answered.get((programme, snapshot)) != debit or answers.pop(debit) != digest(bytes(reply)):
                raise BrokenLedger("a stored answer is not the one that was logged", debit)
        if answers:
            raise BrokenLedger("a logged answer is missing", min(answers))


@contextmanager
def reading(doing: str) -> Iterator[None]:
    """Turns SQLite's errors into the ledger's faults; `doing` says what was tried."""
    try:
        yield
    except sqlite3.Error as error:
        raise trouble(doing, error) from error


def _carried(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    return frozenset(connection.execute("SELECT programme, snapshot FROM carried"))
