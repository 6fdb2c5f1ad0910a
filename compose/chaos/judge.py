"""What must hold of a region's ledger, whatever died and whenever. Reads the files as they are, with SQLite and JSON.

- it is readable, and holds all that it ever held, unchanged
- what a node said was on disk is there
- every answer that left is in it, under a debit before it; one answer to a debit, one to a programme
- totals are the sum of the charges
- what left was cosigned: an independent witness holds a larger size
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rondgang import canonical
from rondgang.canonical import digest
from rondgang.leaves import GENESIS, leaf_hash

_ROWS_ARE_READ = ("cosigned", "read", "noised")


@dataclass(slots=True)
class Judge:
    """Remembers one region's log as it was last seen; `look` finds what is wrong since then."""

    region: str
    ledger: Path
    witnesses: Sequence[Path]
    """The independent witnesses' files."""
    heads: list[str] = field(default_factory=lambda: [GENESIS])
    """The head at each size."""
    debits: dict[int, str] = field(default_factory=dict)
    """Programme of each debit, by its place."""
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Place and hash of the answer to each programme."""
    paid_by: set[int] = field(default_factory=set)
    lifetime: int = 0
    said: dict[int, str] = field(default_factory=dict)
    """What a node said was on disk, and nobody has checked yet: the head at a size."""
    left: dict[str, set[str]] = field(default_factory=dict)
    """Hashes of the replies that left, by programme."""
    read_at: int = 0
    """The size of the log when rows were read last."""

    @property
    def size(self) -> int:
        return len(self.heads) - 1

    def told(self, what: Mapping[str, Any]) -> None:
        """One line of a node (child.py): what is on disk, that rows were read, or that a reply left."""
        match what:
            case {"at": str(at), "size": int(size), "head": str(head)}:
                self.on_disk(size, head)
                self.read_at = size if at in _ROWS_ARE_READ else self.read_at
            case {"at": "sent", "programme": str(programme), "reply": str(reply)}:
                self.sent(programme, reply)
            case _:
                pass

    def on_disk(self, size: int, head: str) -> None:
        """So many entries are on disk, the last of them with this hash."""
        self.said[size] = head

    def sent(self, programme: str, reply: str) -> None:
        """A reply left."""
        self.left.setdefault(programme, set()).add(reply)

    def look(self) -> list[str]:
        """Reads what is new, and says what is wrong; nothing if all is well."""
        try:
            return [f"{self.region}: {what}" for what in (*self._read(), *self._promises())]
        except sqlite3.Error as error:
            return [f"{self.region}: the ledger cannot be read: {error}"]

    def _read(self) -> Iterator[str]:
        with closing(sqlite3.connect(f"{self.ledger.resolve().as_uri()}?mode=ro", uri=True)) as file:
            query = "SELECT seq, body, hash FROM entries WHERE seq >= ? ORDER BY seq"
            rows = file.execute(query, (max(0, self.size - 1),)).fetchall()
            if self.size and (not rows or rows[0][0] != self.size - 1 or rows[0][2] != self.heads[-1]):
                yield f"entry {self.size - 1} is not what it was"
                return
            for seq, body, hash_ in rows[1 if self.size else 0 :]:
                yield from self._take(seq, bytes(body), hash_, file)

    def _take(self, seq: int, data: bytes, hash_: str, file: sqlite3.Connection) -> Iterator[str]:
        value: Any = canonical.decode(data)
        if (seq, value["seq"], value["previous"], hash_) != (self.size, self.size, self.heads[-1], leaf_hash(data)):
            yield f"entry {seq} does not follow from the one before it"
        self.heads.append(hash_)
        body = value["body"]
        if body["event"] == "debited":
            self.debits[seq] = body["programme"]
            self.lifetime += int(body["charge"])
            if int(body["lifetime_total"]) != self.lifetime:
                yield f"the total of entry {seq} is not the sum of the charges"
        if body["event"] == "answered":
            yield from self._answered(seq, body, file)

    def _answered(self, seq: int, body: dict[str, Any], file: sqlite3.Connection) -> Iterator[str]:
        debit, programme, answer = int(body["debit"]), str(body["programme"]), str(body["answer"])
        if self.debits.get(debit) != programme:
            yield f"entry {seq} answers without a debit"
        if debit in self.paid_by:
            yield f"entry {seq} is the second answer to debit {debit}"
        if programme in self.answers:
            yield f"entry {seq} is the second answer to one programme"
        self.paid_by.add(debit)
        self.answers[programme] = seq, answer
        stored = file.execute("SELECT bytes FROM answers WHERE debit_seq = ?", (debit,)).fetchone()
        if stored is None or digest(bytes(stored[0])) != answer:
            yield f"the reply of entry {seq} is not stored as it was logged"

    def _promises(self) -> Iterator[str]:
        for size, head in self.said.items():
            if size > self.size or self.heads[size] != head:
                yield f"{size} entries were on disk, and are not there"
        self.said.clear()
        cosigned = max((_cosigned(path, self.region) for path in self.witnesses), default=0)
        if self.read_at > cosigned:
            yield f"rows were read at {self.read_at} entries, of which {cosigned} were cosigned"
        for programme, replies in self.left.items():
            place, answer = self.answers.get(programme, (-1, ""))
            if replies != {answer}:
                yield f"what left for programme {programme[:12]} is not the one answer to it"
            elif place >= cosigned:
                yield f"the answer of entry {place} left before it was cosigned"
        # An answer that was checked once is checked again only when it leaves again.
        self.left.clear()


def _cosigned(path: Path, region: str) -> int:
    """The largest size that a witness holds of a region's first epoch."""
    query = "SELECT coalesce(max(size), 0) FROM checkpoints WHERE region = ? AND epoch = 1"
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
        (size,) = file.execute(query, (region,)).fetchone()
    return int(size)
