"""A later epoch's ledger: written whole, in a file of its own, before it takes the place of the one that was lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rondgang.notes import Note
from rondgang.signed import Signed

from node.ledger.evidence import Seen, keep
from node.ledger.ledger import Ledger
from node.ledger.log import Clock, Log
from node.ledger.schema import connect
from policies.rules.entries import Adopted, Imported, Inherited, Reset

CarriedAnswer = tuple[str, str, bytes]
"""Programme hash, snapshot, and the signed answer's bytes."""


@dataclass(frozen=True, slots=True)
class TakenAlong:
    """What goes over into a new epoch: documents and snapshots in force, answers that had left, what others showed.

    `inherited` is what the calendar among the documents hands over, for a region that was formed of others.
    """

    adopted: tuple[tuple[Adopted, Signed], ...]
    inherited: Inherited | None = None
    imported: tuple[Imported, ...] = ()
    answers: Iterable[CarriedAnswer] = ()
    seen: tuple[Note, ...] = ()


def released_answers(ledger: Ledger) -> Iterable[CarriedAnswer]:
    """The answers that may be given again in a later epoch: those that were cosigned, and so left or could leave.

    A stored answer that was never cosigned stays behind: a copy of this node may have given another one to its debit.
    """
    book = ledger.book
    for programme, snapshot in sorted({*book.answered, *book.carried}):
        answer = ledger.answer(programme, snapshot)
        if answer is not None and ledger.released(programme, snapshot):
            yield programme, snapshot, answer


def write_epoch(path: Path, reset: Reset, along: TakenAlong, clock: Clock) -> None:
    """Writes a new ledger that begins with `reset`, in one transaction. Durable on return. Raises DiskFault.

    `path` must not exist.
    """
    log = Log(path, clock, connect)
    try:
        with log.transaction("reset") as draft:
            draft.append(reset)
            for adopted, signed in along.adopted:
                draft.append(adopted)
                keep(draft.connection, signed)
                if along.inherited is not None and along.inherited.calendar == adopted.hash:
                    draft.append(along.inherited)
            for imported in along.imported:
                draft.append(imported)
            draft.connection.executemany(
                "INSERT INTO carried (programme, snapshot, bytes) VALUES (?, ?, ?)", along.answers
            )
            seen = Seen(draft.connection)
            for note in along.seen:
                seen.hold(note)
            seen.write(draft.connection)
    finally:
        log.connection.close()
