"""The ledger itself: named transactions on one SQLite file, each on disk when its function returns.

Answers are kept in the same file as the log, not in a folder beside it: so a reply and the entry that holds its hash
are one commit, and no crash can leave one without the other. Only the holder of the home's lock opens this.

A debit's life: `debit` puts it on disk, and it is *in hand* of this process; `begin` says that rows are about to be
read for it, and from then on it is either used up by `store_answers` or `log_attempt`, once, or dead. The debits of an
earlier process are dead: charged, never answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rondgang import notes
from rondgang.canonical import digest
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, Note
from rondgang.signed import Signed

from node.errors import BrokenLedger
from node.ledger.book import Book
from node.ledger.claims import Ask, Claim, Debit, Key
from node.ledger.evidence import Checkpoints, Seen, keep, kept
from node.ledger.log import Clock, Connect, Draft, Log, reading
from node.ledger.schema import connect
from policies.rules.approval import Approval
from policies.rules.entries import (
    Adopted,
    Answered,
    Approved,
    AskedEntry,
    Attempted,
    Debited,
    Declined,
    Entry,
    Event,
    Imported,
    Inherited,
    Opened,
    RefusedEntry,
    ResultEntry,
    Summed,
)
from policies.rules.refusals import Refused

__all__ = ["Ask", "Claim", "Clock", "Debit", "Ledger"]


class Ledger:
    """Opening replays and checks the whole log, and raises BrokenLedger if anything is amiss, or DiskFault.

    `book` is what the entries on disk add up to. One call at a time.
    """

    def __init__(self, path: Path, region: str, clock: Clock, connect: Connect = connect) -> None:
        self._log = Log(path, clock, connect)
        self._in_hand: dict[Key, Debit] = {}
        self._begun: dict[int, Debit] = {}
        try:
            if self.book.size == 0:
                with self._log.transaction("open") as draft:
                    draft.append(Opened(event="opened", region=region))
            if self.book.region != region:
                raise BrokenLedger(f"it is the ledger of {self.book.region}, not of {region}", 0)
            with reading("open"):
                self._checkpoints = Checkpoints(self._log.connection, self.origin, self.tree)
                self._seen = Seen(self._log.connection)
        except BaseException:
            self._log.connection.close()
            raise

    def close(self) -> None:
        """Writes what is held in memory only, and closes the file."""
        try:
            if self._log.usable:
                self.flush()
        finally:
            self._log.connection.close()

    @property
    def book(self) -> Book:
        return self._log.book

    @property
    def usable(self) -> bool:
        """Whether more can be written: after a commit that failed it must be opened anew."""
        return self._log.usable

    @property
    def tree(self) -> Tree:
        """The Merkle tree over the entries, for proofs. Read only."""
        return self._log.tree

    @property
    def epoch(self) -> int:
        return self.book.epoch

    @property
    def origin(self) -> str:
        """The name under which this log signs: `<region>/<epoch>`."""
        return notes.origin(self.book.region, self.book.epoch)

    def head(self) -> Checkpoint:
        """The log as it is on disk now."""
        return Checkpoint(self.origin, self.tree.size, self.tree.root())

    def first_entry(self) -> bytes:
        """Canonical bytes of the entry that opened this epoch."""
        return self._log.first_entry()

    def last_entries(self, count: int) -> tuple[Entry, ...]:
        """The newest entries, oldest of them first."""
        return self._log.last_entries(count)

    def entries(self, first: int, end: int) -> tuple[Entry, ...]:
        """The entries from number `first` up to `end`, which is not in it."""
        return self._log.entries(first, end)

    def document(self, kind: str, hash_: str) -> Signed | None:
        """A document of this epoch that an entry cites, as it came first; None where it was never kept."""
        return kept(self._log.connection, kind, hash_)

    def log_adopted(self, event: Adopted, signed: Signed, inherited: Inherited | None = None) -> None:
        """A document is in force from here on, and is kept; what a calendar hands over counts in the same commit.

        Durable on return.
        """
        _cites(event.hash, signed)
        with self._transaction("adopt") as draft:
            draft.append(event)
            if inherited is not None:
                draft.append(inherited)
            keep(draft.connection, signed)

    def log_import(self, event: Imported) -> None:
        """A snapshot is in force from here on. Durable on return."""
        self._append("import", event)

    def log_refusal(self, event: RefusedEntry) -> bool:
        """Logs a refusal, the same one (programme, run and reason) only once. Durable on return; charges nothing."""
        if (event.programme, event.run, event.reason) in self.book.refusals:
            return False
        self._append("refuse", event)
        return True

    def log_approval(self, signed: Signed, approval: Approval) -> None:
        """The steward's word on a programme that was asked; the last one counts, and is kept. Durable on return."""
        event: Approved | Declined
        if approval.reason is None:
            event = Approved(event="approved", programme=approval.programme, approval=signed.digest)
        else:
            programme, reason = approval.programme, approval.reason
            event = Declined(event="declined", programme=programme, approval=signed.digest, reason=reason)
        self._append("approve", event, signed)

    def log_result(self, event: ResultEntry) -> None:
        """A result of this run has come back. Durable on return; charges nothing."""
        self._append("result", event)

    def keep_documents(self, documents: Sequence[Signed]) -> None:
        """Keeps documents that earlier versions logged by their hash alone. Durable on return."""
        missing = [signed for signed in documents if self.document(signed.kind, signed.digest) is None]
        if missing:
            with self._transaction("keep") as draft:
                for signed in missing:
                    keep(draft.connection, signed)

    def debit(self, asks: Sequence[Ask]) -> tuple[Debit | Refused, ...]:
        """Logs that each was asked, decides once more inside the transaction, and charges what was granted.

        All in one commit, in order, and durable on return; each decision sees the debits before it. What a debit in
        hand pays for already gets that one, and no new entry.

        Privacy: each charge is added to the totals of cohort and lifetime exactly, in nano-rho, before any row is
        read. A refusal is logged and charges nothing.
        """
        made: dict[Key, Debit] = {}
        with self._transaction("debit") as draft:
            outcomes = tuple(self._debit(draft, ask, made) for ask in asks)
        self._in_hand |= made
        return outcomes

    def log_asked(self, ask: Ask) -> None:
        """An order came that may be charged later; once for each programme and run. Durable on return."""
        if (ask.claim.programme, ask.claim.run) not in self.book.asked:
            with self._transaction("ask") as draft:
                self._asked(draft, ask)

    def in_hand(self, programme: str, place: str, attempt: int = 0) -> Debit | None:
        """A debit of this process for which no row was read yet: it can still be used, at no further charge.

        `place` is the snapshot of an answer, the run of an attempt.
        """
        return self._in_hand.get((programme, place, attempt))

    def begin(self, debit: Debit) -> None:
        """Rows are about to be read for this debit. It is no longer in hand: it is used up once now, or dead.

        Raises BrokenLedger where it was not in hand.
        """
        if self._in_hand.get(debit.claim.key) is not debit:
            raise BrokenLedger("rows are read only for a debit in hand", debit.seq)
        del self._in_hand[debit.claim.key]
        self._begun[debit.seq] = debit

    def store_answers(self, answers: Sequence[tuple[Debit, bytes]]) -> None:
        """Keeps replies to debits that were begun, and their hashes in the log, in one commit. Durable on return.

        Raises BrokenLedger for any other debit: those are dead, and an answered one has its answer.
        """
        with self._transaction("answer") as draft:
            for debit, reply in answers:
                self._answer(draft, debit, reply)
        for debit, _reply in answers:
            del self._begun[debit.seq]

    def log_attempt(self, debit: Debit, participants: str, commitment: str) -> None:
        """A masked vector may leave for this debit, which is used up with it. Durable on return.

        `participants` is the hash of their list, `commitment` that of what the vector was made of. Raises BrokenLedger
        where the debit was not begun here, or is none of an attempt.
        """
        self._check_begun(debit)
        event = Attempted(
            event="attempted",
            programme=debit.claim.programme,
            run=debit.claim.run,
            attempt=debit.claim.attempt,
            debit=debit.seq,
            participants=participants,
            commitment=commitment,
        )
        self._append("attempt", event)
        del self._begun[debit.seq]

    def log_sum(self, event: Summed) -> None:
        """The finished sums of a run are stored. Durable on return; charges nothing."""
        self._append("sum", event)

    def answer(self, programme: str, snapshot: str) -> bytes | None:
        """The stored reply to a programme from a snapshot, if there is one, in this epoch or a closed one."""
        pair = (programme, snapshot)
        if pair not in self.book.answered and pair not in self.book.carried:
            return None
        table = "answers" if pair in self.book.answered else "carried"
        with reading("read an answer"):
            query = f"SELECT bytes FROM {table} WHERE programme = ? AND snapshot = ?"
            row = self._log.connection.execute(query, pair).fetchone()
        return bytes(row[0])

    def released(self, programme: str, snapshot: str) -> bool:
        """Whether the stored reply may leave: the entry with its hash is below a cosigned size.

        Replies of closed epochs were, or they would not have been carried over.
        """
        place = self.book.answered_at.get((programme, snapshot))
        if place is None:
            return (programme, snapshot) in self.book.carried
        return place < self.cosigned

    @property
    def cosigned(self) -> int:
        """The largest size of this epoch that enough witnesses cosigned, as far as was kept; 0 without any."""
        return self._checkpoints.largest

    def hold_checkpoint(self, note: Note) -> None:
        """Holds a checkpoint that the caller found cosigned by enough witnesses. Counts at once.

        It is on disk with the next transaction, or when the ledger is closed or exported. It is evidence, and what
        rests on it in a later process is only whether a stored reply has to be cosigned once more: losing the newest
        one in a crash is harmless. Raises BrokenLedger where it is not a checkpoint of this log.
        """
        self._checkpoints.hold(note)

    def checkpoints(self) -> tuple[Note, ...]:
        """Every checkpoint held, one of each size, in order of size."""
        return self._checkpoints.all()

    def hold_seen(self, notes: Sequence[Note]) -> None:
        """Holds checkpoints of other regions where they are newer than what was seen. On disk as `hold_checkpoint`.

        Raises BadNote, after which those before it are held.
        """
        for note in notes:
            self._seen.hold(note)

    def seen(self) -> tuple[Note, ...]:
        """The newest checkpoint of each other region, by epoch and size."""
        return self._seen.all()

    def flush(self) -> None:
        """Writes checkpoints that are held in memory only. Durable on return."""
        if self._checkpoints.waiting or self._seen.waiting:
            with self._transaction("flush"):
                pass

    def _debit(self, draft: Draft, ask: Ask, made: dict[Key, Debit]) -> Debit | Refused:
        claim = ask.claim
        held = made.get(claim.key) or self._in_hand.get(claim.key)
        if held is not None:
            return held
        self._asked(draft, ask)
        decision = ask.decide(draft.book)
        if isinstance(decision, Refused):
            reason = decision.reason.value
            if (claim.programme, claim.run, reason) not in draft.book.refusals:
                draft.append(RefusedEntry(event="refused", programme=claim.programme, run=claim.run, reason=reason))
            return decision
        if claim.attempt:
            # Each attempt is an order of its own; `asked` names the one that came first.
            keep(draft.connection, ask.signed_order)
        cohort, lifetime = draft.book.totals(claim.cohort, decision.charge.nano)
        event = Debited(
            event="debited",
            programme=claim.programme,
            run=claim.run,
            researcher=claim.researcher,
            snapshot=claim.snapshot,
            cohort=claim.cohort,
            charge=decision.charge.nano,
            cohort_total=cohort.nano,
            lifetime_total=lifetime.nano,
            attempt=claim.attempt,
        )
        made[claim.key] = Debit(draft.append(event), claim, decision)
        return made[claim.key]

    def _asked(self, draft: Draft, ask: Ask) -> None:
        claim = ask.claim
        _cites(claim.programme, ask.signed_programme)
        if (claim.programme, claim.run) in draft.book.asked:
            return
        for signed in (ask.signed_programme, ask.signed_order):
            keep(draft.connection, signed)
        event = AskedEntry(
            event="asked",
            programme=claim.programme,
            run=claim.run,
            researcher=claim.researcher,
            order=ask.signed_order.digest,
        )
        draft.append(event)

    def _answer(self, draft: Draft, debit: Debit, reply: bytes) -> None:
        self._check_begun(debit)
        programme, snapshot = debit.claim.programme, debit.claim.snapshot
        event = Answered(
            event="answered", programme=programme, snapshot=snapshot, debit=debit.seq, answer=digest(reply)
        )
        draft.append(event)
        draft.connection.execute(
            "INSERT INTO answers (debit_seq, programme, snapshot, bytes) VALUES (?, ?, ?, ?)",
            (debit.seq, programme, snapshot, reply),
        )

    def _check_begun(self, debit: Debit) -> None:
        if self._begun.get(debit.seq) is not debit:
            raise BrokenLedger("only a debit that was begun here, and not used up, can be answered", debit.seq)

    def _append(self, name: str, event: Event, *documents: Signed) -> None:
        with self._transaction(name) as draft:
            draft.append(event)
            for signed in documents:
                keep(draft.connection, signed)

    @contextmanager
    def _transaction(self, name: str) -> Iterator[Draft]:
        """One transaction of the log, with the checkpoints that wait."""
        with self._log.transaction(name) as draft:
            yield draft
            self._checkpoints.write(draft.connection)
            self._seen.write(draft.connection)
        self._checkpoints.written()
        self._seen.written()


def _cites(hash_: str, signed: Signed) -> None:
    if signed.digest != hash_:
        raise BrokenLedger(f"the {signed.kind} to be kept is not the one that is cited")
