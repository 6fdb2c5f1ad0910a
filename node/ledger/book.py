"""What the ledger adds up to: a fold over its entries that refuses an entry that does not follow from those before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from rondgang.leaves import GENESIS, leaf_hash

from node.errors import BrokenLedger
from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.decide import Spent
from policies.rules.entries import Adopted, Answered, Debited, Entry, Event, Imported, Opened, RefusedEntry, ResultEntry
from policies.units.money import NanoRho

ZERO = NanoRho(0)


@dataclass(slots=True)
class Book:
    """The sum of all entries so far. Only `take` changes it.

    `adopted` maps (kind, name) to the document in force, with an empty name for all but codebooks; `snapshots` maps a
    cohort to its newest import; `answered` maps (programme, snapshot) to the debit that paid; `unanswered` are debits
    without an answer: charged, and dead unless they are the one in hand; `results` maps a run to its newest result,
    `received` to when that came (unix seconds).
    """

    size: int = 0
    head: str = GENESIS
    region: str = ""
    cohorts: dict[str, NanoRho] = field(default_factory=dict)
    lifetime: NanoRho = ZERO
    adopted: dict[tuple[str, str], Adopted] = field(default_factory=dict)
    snapshots: dict[str, Imported] = field(default_factory=dict)
    answered: dict[tuple[str, str], int] = field(default_factory=dict)
    unanswered: dict[int, Debited] = field(default_factory=dict)
    refusals: set[tuple[str, str, str]] = field(default_factory=set)
    results: dict[str, ResultEntry] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)

    @property
    def spent(self) -> Spent:
        return Spent(dict(self.cohorts), self.lifetime)

    def entry(self, event: Event, time: int) -> bytes:
        """Canonical bytes of the next entry."""
        return to_canonical(Entry(seq=self.size, time=time, previous=self.head, body=event))

    def take(self, data: bytes) -> Entry:
        """Adds one entry from its canonical bytes. Raises BrokenLedger and changes nothing if it does not follow."""
        try:
            entry = from_canonical(Entry, data)
        except BadDocument as error:
            raise BrokenLedger("not a ledger entry", self.size) from error
        if entry.seq != self.size:
            raise BrokenLedger(f"it calls itself {entry.seq}", self.size)
        if entry.previous != self.head:
            raise BrokenLedger("it does not name the hash of the entry before it", self.size)
        self.check(entry.body)
        self._apply(entry.body)
        if isinstance(entry.body, ResultEntry):
            self.received[entry.body.run] = entry.time
        self.size += 1
        self.head = leaf_hash(data)
        return entry

    def check(self, event: Event) -> None:
        """Raises BrokenLedger unless `event` may be the next one."""
        if isinstance(event, Opened) != (self.size == 0):
            raise BrokenLedger("a ledger is opened once, by its first entry", self.size)
        if isinstance(event, Debited):
            self._check_debit(event)
        if isinstance(event, Answered):
            self._check_answer(event)
        if isinstance(event, ResultEntry) and not self.has_answered(event.programme):
            raise BrokenLedger("it is the result of a programme that was never answered", self.size)

    def has_answered(self, programme: str) -> bool:
        """Whether a programme was ever answered here, from any snapshot."""
        return any(answered == programme for answered, _snapshot in self.answered)

    def totals(self, cohort: str, charge: int) -> tuple[NanoRho, NanoRho]:
        """What the cohort and the lifetime have cost once `charge` (nano-rho, zero or more) is added."""
        added = NanoRho(max(0, charge))
        return self.cohorts.get(cohort, ZERO) + added, self.lifetime + added

    def _apply(self, event: Event) -> None:
        match event:
            case Opened():
                self.region = event.region
            case Adopted():
                self.adopted[event.kind, event.name if event.kind == "codebook" else ""] = event
            case Imported():
                self.snapshots[event.cohort] = event
            case RefusedEntry():
                self.refusals.add((event.programme, event.run, event.reason))
            case Debited():
                self.cohorts[event.cohort], self.lifetime = self.totals(event.cohort, event.charge)
                self.unanswered[self.size] = event
            case Answered():
                del self.unanswered[event.debit]
                self.answered[event.programme, event.snapshot] = event.debit
            case ResultEntry():
                self.results[event.run] = event
            case _:
                assert_never(event)

    def _check_debit(self, event: Debited) -> None:
        cohort, lifetime = self.totals(event.cohort, event.charge)
        if event.charge < 0 or (event.cohort_total, event.lifetime_total) != (cohort.nano, lifetime.nano):
            raise BrokenLedger("its totals are not those before it plus its charge", self.size)
        held = self.snapshots.get(event.cohort)
        if held is None or held.snapshot != event.snapshot:
            raise BrokenLedger("it is charged for a snapshot that was not in force", self.size)
        if (event.programme, event.snapshot) in self.answered:
            raise BrokenLedger("it is charged for a programme that was answered from this snapshot", self.size)

    def _check_answer(self, event: Answered) -> None:
        debit = self.unanswered.get(event.debit)
        if debit is None or (debit.programme, debit.snapshot) != (event.programme, event.snapshot):
            raise BrokenLedger("it answers no open debit for this programme and snapshot", self.size)
        if (event.programme, event.snapshot) in self.answered:
            raise BrokenLedger("it is a second answer to one programme from one snapshot", self.size)
