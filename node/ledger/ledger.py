"""The ledger itself: named transactions on one SQLite file, each on disk when its function returns.

Answers are kept in the same file as the log, not in a folder beside it: so a reply and the entry that holds its hash
are one commit, and no crash can leave one without the other. Only the holder of the home's lock opens this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rondgang.canonical import digest
from rondgang.leaves import leaf_hash

from node.errors import BrokenLedger
from node.ledger.book import Book
from node.ledger.schema import connect
from policies.documents import from_canonical
from policies.rules.decide import Granted
from policies.rules.entries import Adopted, Answered, Debited, Entry, Event, Imported, Opened, RefusedEntry, ResultEntry
from policies.rules.refusals import Refused

Clock = Callable[[], int]
"""Unix seconds."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a debit is for: programme hash, run, researcher's public key (hex), cohort and its snapshot in force."""

    programme: str
    run: str
    researcher: str
    cohort: str
    snapshot: str


@dataclass(frozen=True, slots=True)
class Debit:
    """A charge that is on disk. It may be answered once, by the process that made it, before its next debit."""

    seq: int
    claim: Claim
    granted: Granted


class Ledger:
    """Opening replays and checks the whole chain, and raises BrokenLedger if anything is amiss.

    `book` is what the entries add up to. A debit that was left without an answer by an earlier process is dead.
    """

    def __init__(self, path: Path, region: str, clock: Clock) -> None:
        self._clock = clock
        self._broken = False
        self._in_hand: Debit | None = None
        self._connection = connect(path)
        self.book = Book()
        try:
            self._replay()
            if self.book.size == 0:
                self._append("open", Opened(event="opened", region=region))
            if self.book.region != region:
                raise BrokenLedger(f"it is the ledger of {self.book.region}, not of {region}", 0)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def log_adopted(self, event: Adopted) -> None:
        """A document is in force from here on. Durable on return."""
        self._append("adopt", event)

    def log_import(self, event: Imported) -> None:
        """A snapshot is in force from here on. Durable on return."""
        self._append("import", event)

    def log_refusal(self, event: RefusedEntry) -> bool:
        """Logs a refusal, the same one (programme, run and reason) only once. Durable on return; charges nothing."""
        if (event.programme, event.run, event.reason) in self.book.refusals:
            return False
        self._append("refuse", event)
        return True

    def log_result(self, event: ResultEntry) -> None:
        """A result of this run has come back. Durable on return; charges nothing."""
        self._append("result", event)

    def debit(self, claim: Claim, decide: Callable[[Book], Granted | Refused]) -> Debit | Refused:
        """Decides once more inside the transaction and charges what was granted. Durable on return.

        Privacy: the charge is added to the totals of cohort and lifetime exactly, in nano-rho, before any row is read.
        A refusal changes nothing.
        """
        with self._transaction("debit"):
            decision = decide(self.book)
            if isinstance(decision, Refused):
                return decision
            cohort, lifetime = self.book.totals(claim.cohort, decision.charge.nano)
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
            )
            data = self._insert(event)
        debit = Debit(self.book.size, claim, decision)
        self.book.take(data)
        self._in_hand = debit
        return debit

    def store_answer(self, debit: Debit, reply: bytes) -> None:
        """Keeps the reply to the debit in hand, and its hash in the log, in one commit. Durable on return.

        Raises BrokenLedger for any other debit: those are dead, and an answered one has its answer.
        """
        if self._in_hand is not debit:
            raise BrokenLedger("only the debit in hand can be answered", debit.seq)
        claim = debit.claim
        event = Answered(
            event="answered", programme=claim.programme, snapshot=claim.snapshot, debit=debit.seq, answer=digest(reply)
        )
        with self._transaction("answer"):
            self._connection.execute(
                "INSERT INTO answers (debit_seq, programme, snapshot, bytes) VALUES (?, ?, ?, ?)",
                (debit.seq, claim.programme, claim.snapshot, reply),
            )
            data = self._insert(event)
        self.book.take(data)
        self._in_hand = None

    def answer(self, programme: str, snapshot: str) -> bytes | None:
        """The stored reply to a programme from a snapshot, if there is one."""
        debit = self.book.answered.get((programme, snapshot))
        if debit is None:
            return None
        row = self._connection.execute("SELECT bytes FROM answers WHERE debit_seq = ?", (debit,)).fetchone()
        return bytes(row[0])

    def last_entries(self, count: int) -> tuple[Entry, ...]:
        """The newest entries, oldest of them first."""
        rows = self._connection.execute("SELECT body FROM entries ORDER BY seq DESC LIMIT ?", (count,)).fetchall()
        return tuple(from_canonical(Entry, bytes(body)) for (body,) in reversed(rows))

    def _append(self, name: str, event: Event) -> None:
        with self._transaction(name):
            data = self._insert(event)
        self.book.take(data)

    def _insert(self, event: Event) -> bytes:
        self.book.check(event)
        data = self.book.entry(event, self._clock())
        row = (self.book.size, data, leaf_hash(data))
        self._connection.execute("INSERT INTO entries (seq, body, hash) VALUES (?, ?, ?)", row)
        return data

    @contextmanager
    def _transaction(self, name: str) -> Iterator[None]:
        """One `BEGIN IMMEDIATE` ... `COMMIT`; everything or nothing, and the file is still the one we know.

        After a commit that failed nobody knows what is on disk, so the ledger spends nothing more until it is reopened.
        """
        if self._broken:
            raise BrokenLedger(f"{name}: an earlier commit failed; restart the node")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._still_ours(name)
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        if not self._connection.in_transaction:
            raise BrokenLedger(f"{name}: the transaction ended before its commit")
        self._broken = True
        self._connection.execute("COMMIT")
        self._broken = False

    def _still_ours(self, name: str) -> None:
        row = self._connection.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None and row != (self.book.size - 1, self.book.head):
            raise BrokenLedger(f"{name}: another process wrote to the ledger")
        if row is None and self.book.size:
            raise BrokenLedger(f"{name}: the ledger was emptied")

    def _replay(self) -> None:
        answers: dict[int, str] = {}
        for seq, body, stored in self._connection.execute("SELECT seq, body, hash FROM entries ORDER BY seq"):
            if seq != self.book.size:
                raise BrokenLedger("an entry is missing", self.book.size)
            entry = self.book.take(bytes(body))
            if self.book.head != stored:
                raise BrokenLedger("its hash is not the one stored beside it", seq)
            if isinstance(entry.body, Answered):
                answers[entry.body.debit] = entry.body.answer
        kept = self._connection.execute("SELECT debit_seq, programme, snapshot, bytes FROM answers")
        for debit, programme, snapshot, reply in kept:
            if self.book.answered.get((programme, snapshot)) != debit or answers.pop(debit) != digest(bytes(reply)):
                raise BrokenLedger("a stored answer is not the one that was logged", debit)
        if answers:
            raise BrokenLedger("a logged answer is missing", min(answers))
