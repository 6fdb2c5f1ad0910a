"""Whatever is asked of a ledger in whatever order, and whatever breaks in between: memory is what the disk says, no
charge is lost, and nothing is answered that was not paid for.

Faults come at three places. *Before* a statement and *at* a commit they leave nothing behind; *after* a commit they
leave all of it, while the ledger was told that it failed: then it may do nothing more until it is opened anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from rondgang.canonical import digest
from rondgang.notes import Checkpoint

from node.errors import DiskFault
from node.ledger.ledger import Ask, Debit, Ledger
from node.ledger.schema import connect
from policies.rules.approval import Approval
from policies.rules.entries import Answered, Attempted, Debited, Opened, Summed
from tests.ledger_world import NO, NOW, ask, cosigned, document, grant, imported, programme, refusal, run

NAMES = (
    "debit", "batch", "whole", "refused", "begin", "answer", "try", "attempt", "sum", "approve", "decline",
    "log_refusal", "import", "hold", "flush", "reopen", "crash",
)  # fmt: skip
PROGRAMMES = ("a", "b", "c")
PLACES = ("before", "at", "after")


@dataclass(frozen=True)
class Fault:
    """Where the next fault comes: before so many more statements, at the next commit, or after it."""

    place: Literal["before", "at", "after"]
    statements: int


@dataclass(frozen=True)
class Operation:
    name: str
    which: str
    number: int
    fault: Fault | None


FAULTS = st.builds(Fault, st.sampled_from(PLACES), st.integers(0, 12))
OPERATIONS = st.lists(
    st.builds(
        Operation,
        st.sampled_from(NAMES),
        st.sampled_from(PROGRAMMES),
        st.integers(1, 4),
        st.none() | st.none() | FAULTS,
    ),
    max_size=25,
)


class Disk(sqlite3.Connection):
    """A disk that breaks on order."""

    fault: Fault | None = None
    broke: str = ""
    left: int = 0

    def break_at(self, fault: Fault | None) -> None:
        self.fault, self.broke = fault, ""
        self.left = 0 if fault is None else fault.statements

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        return self._breaking(sql, lambda: super(Disk, self).execute(sql, *parameters))  # type: ignore[arg-type]

    def executemany(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        return self._breaking(sql, lambda: super(Disk, self).executemany(sql, *parameters))  # type: ignore[arg-type]

    def _breaking(self, sql: str, run: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        fault = self.fault
        if fault is None or sql == "ROLLBACK":
            return run()
        if fault.place == "before":
            self.left -= 1
            if self.left < 0:
                raise self._break()
        elif sql == "COMMIT":
            if fault.place == "after":
                run()
            raise self._break()
        return run()

    def _break(self) -> sqlite3.Error:
        assert self.fault is not None
        self.broke, self.fault = self.fault.place, None
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = "SQLITE_IOERR"
        return error


@dataclass
class Node:
    """One region's ledger as it is opened, used, broken, and opened again."""

    path: Path
    begun: list[Debit] = field(default_factory=list)
    made: list[Debit] = field(default_factory=list)
    replies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    snapshots: int = 0

    def __post_init__(self) -> None:
        self.disk = Disk(":memory:")
        self.open()
        self.ledger.log_import(imported())

    def open(self) -> None:
        self.disk.close()
        self.ledger = Ledger(self.path, "AA", lambda: NOW, self._connect)
        self.begun, self.made = [], []

    def reopen(self) -> None:
        try:
            self.ledger.flush()
        finally:
            self.open()

    def _connect(self, path: Path) -> sqlite3.Connection:
        connect(path).close()
        self.disk = sqlite3.connect(path, isolation_level=None, factory=Disk)
        return self.disk

    @property
    def snapshot(self) -> str:
        return self.ledger.book.snapshots["c1"].snapshot

    def do(self, operation: Operation) -> None:
        """Does one thing; raises what breaks."""
        self.disk.break_at(operation.fault)
        _DO[operation.name](self, operation)
        self.disk.break_at(None)

    def debit(self, *names: tuple[str, int], refuse: bool = False) -> None:
        decide = (lambda _book: NO) if refuse else grant()
        asks = [ask(name, number, decide, self.snapshot) for name, number in names]
        answered = self.ledger.book.answered
        self._make([one for one in asks if (one.claim.programme, one.claim.snapshot) not in answered])

    def _make(self, asks: list[Ask]) -> None:
        self.made += [one for one in self.ledger.debit(asks) if isinstance(one, Debit) and one not in self.made]

    def whole(self, name: tuple[str, int]) -> None:
        """A debit from the beginning to the end, and all that were begun before."""
        self.debit(name)
        while self.made:
            self.begin()
        self.answer()

    def begin(self) -> None:
        if self.made:
            self.ledger.begin(self.made[0])
            self.begun.append(self.made.pop(0))

    def answer(self) -> None:
        own = {_pair(one): one for one in self.begun if one.claim.attempt == 0}
        open_pairs = {pair: one for pair, one in own.items() if pair not in self.ledger.book.answered}
        answers = [(one, f"{one.seq}".encode()) for one in open_pairs.values()]
        self.ledger.store_answers(answers)
        self.replies |= {_pair(one): reply for one, reply in answers}
        self.begun = [one for one in self.begun if one not in open_pairs.values()]

    def try_(self, which: str, number: int) -> None:
        """Charges an attempt, the next of its run."""
        asked = ask(which, number, grant(), self.snapshot)
        last = self.ledger.book.attempts.get((programme(which), run(number)), 0)
        self._make([replace(asked, claim=replace(asked.claim, attempt=last + 1))])

    def attempt(self, which: str, number: int) -> None:
        """A vector may leave for what was begun; where nothing was, an attempt comes this far."""
        if not any(one.claim.attempt for one in self.begun):
            self.try_(which, number)
            while self.made:
                self.begin()
        debit = next(one for one in self.begun if one.claim.attempt)
        self.ledger.log_attempt(debit, "e" * 64, "f" * 64)
        self.begun.remove(debit)

    def sum(self, which: str, number: int) -> None:
        book = self.ledger.book
        if programme(which) in book.first_asked and (programme(which), run(number)) not in book.sums:
            event = Summed(event="summed", programme=programme(which), run=run(number), attempt=1, hash="e" * 64)
            self.ledger.log_sum(event)

    def decide(self, which: str, reason: Literal["price"] | None) -> None:
        if programme(which) in self.ledger.book.first_asked:
            facts = {"region": "AA", "programme": programme(which), "reason": reason, "decided": NOW}
            approval = Approval.model_validate(facts | {"decision": "approve" if reason is None else "decline"})
            self.ledger.log_approval(document("approval", f"{which} {reason}"), approval)

    def import_(self) -> None:
        self.snapshots += 1
        self.ledger.log_import(imported(f"{self.snapshots:032x}"))


_DO: dict[str, Callable[[Node, Operation], object]] = {
    "debit": lambda node, given: node.debit((given.which, given.number)),
    "batch": lambda node, given: node.debit(*((name, given.number) for name in PROGRAMMES)),
    "whole": lambda node, given: node.whole((given.which, given.number)),
    "refused": lambda node, given: node.debit((given.which, given.number), refuse=True),
    "begin": lambda node, given: node.begin(),
    "answer": lambda node, given: node.answer(),
    "try": lambda node, given: node.try_(given.which, given.number),
    "attempt": lambda node, given: node.attempt(given.which, given.number),
    "sum": lambda node, given: node.sum(given.which, given.number),
    "approve": lambda node, given: node.decide(given.which, None),
    "decline": lambda node, given: node.decide(given.which, "price"),
    "log_refusal": lambda node, given: node.ledger.log_refusal(refusal(given.which, given.number)),
    "import": lambda node, given: node.import_(),
    "hold": lambda node, given: node.ledger.hold_checkpoint(cosigned(node.ledger)),
    "flush": lambda node, given: node.ledger.flush(),
    "reopen": lambda node, given: node.reopen(),
    "crash": lambda node, given: node.open(),
}


def _pair(debit: Debit) -> tuple[str, str]:
    return debit.claim.programme, debit.claim.snapshot


def test_every_operation_and_every_fault_is_drawn() -> None:
    drawn: set[str] = set()

    @given(OPERATIONS)
    def collect(operations: list[Operation]) -> None:
        drawn.update(operation.name for operation in operations)
        drawn.update(operation.fault.place for operation in operations if operation.fault is not None)

    collect()
    assert drawn == {*NAMES, *PLACES}


@settings(max_examples=120, deadline=None)
@given(OPERATIONS)
def test_memory_is_what_the_disk_says_and_nothing_is_answered_unpaid(operations: list[Operation]) -> None:
    with TemporaryDirectory() as folder:
        node = Node(Path(folder) / "ledger.sqlite")
        for operation in operations:
            before = node.ledger.head().size
            with suppress(DiskFault):
                node.do(operation)
            if node.disk.broke:
                _check_after_a_fault(node, before)
                node.disk.break_at(None)
        node.ledger.close()
        node.disk.close()
        _check_the_file(node)


def _check_after_a_fault(node: Node, size: int) -> None:
    """It goes on, or says that it does not until it is opened anew; in memory is nothing that is not on disk."""
    place = node.disk.broke
    with closing(Ledger(node.path, "AA", lambda: NOW)) as there:
        if place == "after":
            assert node.ledger.head().size == size, "what nobody knows to be on disk does not count"
        else:
            assert (there.book, there.head()) == (node.ledger.book, node.ledger.head())
    try:
        node.ledger.log_refusal(refusal("never", node.ledger.book.size))
    except DiskFault:
        node.open()
    else:
        assert place == "before", "it wrote on after a commit that failed"


def _check_the_file(node: Node) -> None:
    with closing(Ledger(node.path, "AA", lambda: NOW)) as ledger:
        entries = ledger.last_entries(10_000)
        debits = {entry.seq: entry.body for entry in entries if isinstance(entry.body, Debited)}
        answers = [(entry.seq, entry.body) for entry in entries if isinstance(entry.body, Answered)]
        assert ledger.book.lifetime.nano == sum(debit.charge for debit in debits.values())
        assert isinstance(entries[0].body, Opened)
        paid: set[int] = set()
        pairs: set[tuple[str, str]] = set()
        for seq, answer in answers:
            debit, pair = debits[answer.debit], (answer.programme, answer.snapshot)
            assert answer.debit < seq
            assert (debit.programme, debit.snapshot, debit.attempt) == (*pair, 0)
            assert answer.debit not in paid
            assert pair not in pairs
            assert digest(ledger.answer(*pair) or b"") == answer.answer
            paid.add(answer.debit)
            pairs.add(pair)
        for attempted in (entry.body for entry in entries if isinstance(entry.body, Attempted)):
            debit, named = debits[attempted.debit], (attempted.programme, attempted.run, attempted.attempt)
            assert (debit.programme, debit.run, debit.attempt) == named
            assert attempted.debit not in paid
            paid.add(attempted.debit)
        tried = [(one.programme, one.run, one.attempt) for one in debits.values() if one.attempt]
        assert len(set(tried)) == len(tried)
        assert {pair for pair, reply in node.replies.items() if ledger.answer(*pair) == reply} == set(node.replies)
        for note in ledger.checkpoints():
            size = note.checkpoint.size
            assert note.checkpoint == Checkpoint(ledger.origin, size, ledger.tree.root(size))
