"""What the ledger adds up to: a fold over its entries that refuses an entry that does not follow from those before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar, assert_never

from rondgang.leaves import GENESIS, leaf_hash

from node.errors import BrokenLedger
from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.approval import DeclineReason
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
    Reset,
    ResultEntry,
    Summed,
)
from policies.rules.spent import NOTHING, Spent, Stated
from policies.units.money import NanoRho

ZERO = NanoRho(0)
_SINGLE = ("size", "head", "region", "epoch", "time", "lifetime", "reset", "base", "inherited")
"""What of a book is one value, which an entry replaces."""
Pair = tuple[str, str]
K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Book:
    """The sum of all entries so far. Only `take` changes it; between `begin` and `settle` or `undo` on trial.

    `time` is that of the last entry (unix seconds). `reset` is what the log began with, `inherited` what was taken over
    of predecessors, and `base` as in policies/rules/spent.py. `adopted` maps (kind, name) to the document in force,
    with an empty name for all but codebooks; `snapshots` maps a cohort to its newest import, `imported` holds (cohort,
    snapshot) of every one. `asked` holds (programme, run), and `first_asked` when a programme came first (unix
    seconds); `approvals` the steward's last word on a programme, `declined` the reason where that is no. `answered`
    maps (programme, snapshot) to the debit that paid, `answered_at` to the place of the entry that says so;
    `unanswered` are debits without an answer, or of which no vector left: charged, and dead unless this process still
    has them. `attempts` maps (programme, run) to its newest attempt that was charged, `vectors` to the newest one whose
    vector could leave, `sums` to its finished sums. `results` maps a run to its newest result, `received` to when that
    came (unix seconds).

    `carried` is no entry's: (programme, snapshot) that closed epochs answered, from beside the log.
    """

    size: int = 0
    head: str = GENESIS
    region: str = ""
    epoch: int = 0
    time: int = 0
    cohorts: dict[str, NanoRho] = field(default_factory=dict)
    lifetime: NanoRho = ZERO
    reset: Stated = NOTHING
    base: Stated = NOTHING
    inherited: Stated = NOTHING
    adopted: dict[Pair, Adopted] = field(default_factory=dict)
    snapshots: dict[str, Imported] = field(default_factory=dict)
    imported: set[Pair] = field(default_factory=set)
    asked: set[Pair] = field(default_factory=set)
    first_asked: dict[str, int] = field(default_factory=dict)
    approvals: dict[str, Literal["approve", "decline"]] = field(default_factory=dict)
    declined: dict[str, DeclineReason] = field(default_factory=dict)
    answered: dict[Pair, int] = field(default_factory=dict)
    answered_at: dict[Pair, int] = field(default_factory=dict)
    programmes_answered: set[str] = field(default_factory=set)
    unanswered: dict[int, Debited] = field(default_factory=dict)
    attempts: dict[Pair, int] = field(default_factory=dict)
    vectors: dict[Pair, int] = field(default_factory=dict)
    sums: dict[Pair, Summed] = field(default_factory=dict)
    refusals: set[tuple[str, str, str]] = field(default_factory=set)
    results: dict[str, ResultEntry] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    carried: frozenset[Pair] = frozenset()
    _steps_back: list[Callable[[], None]] | None = field(default=None, repr=False, compare=False)

    @property
    def spent(self) -> Spent:
        return Spent(dict(self.cohorts), self.lifetime, self.base, self.inherited)

    @property
    def cohorts_held(self) -> frozenset[str]:
        """The cohorts of which data ever came into force in this epoch, here or at a predecessor."""
        inherited = (cohort for cohort, rho in self.inherited.cohorts.items() if rho.nano)
        return frozenset((*inherited, *(cohort for cohort, _snapshot in self.imported)))

    def begin(self) -> None:
        """What is taken from here on may be undone, at the cost of what was taken and not of all there is."""
        before = tuple((name, getattr(self, name)) for name in _SINGLE)

        def back() -> None:
            for name, value in before:
                setattr(self, name, value)

        self._steps_back = [back]

    def settle(self) -> None:
        """What was taken stays."""
        self._steps_back = None

    def undo(self) -> None:
        """The book is again as it was at `begin`."""
        steps, self._steps_back = self._steps_back or [], None
        for step in reversed(steps):
            step()

    def entry(self, event: Event, now: int) -> bytes:
        """Canonical bytes of the next entry. Its time is `now`, or that of the entry before where the clock went back.

        `take` does not ask for that: older versions wrote the clock as it was.
        """
        time = now if self.size == 0 else max(now, self.time)
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
            self._put(self.received, entry.body.run, entry.time)
        if isinstance(entry.body, AskedEntry) and entry.body.programme not in self.first_asked:
            self._put(self.first_asked, entry.body.programme, entry.time)
        self.size += 1
        self.head = leaf_hash(data)
        self.time = entry.time
        return entry

    def check(self, event: Event) -> None:
        """Raises BrokenLedger unless `event` may be the next one."""
        if isinstance(event, Opened | Reset) != (self.size == 0):
            raise BrokenLedger("a ledger is opened once, by its first entry", self.size)
        match event:
            case AskedEntry() if (event.programme, event.run) in self.asked:
                raise BrokenLedger("it is asked a second time in one run", self.size)
            case Approved() | Declined() if event.programme not in self.first_asked:
                raise BrokenLedger("it decides on a programme that was never asked", self.size)
            case Inherited():
                self._check_inheritance(event)
            case Debited():
                self._check_debit(event)
            case Answered():
                self._check_answer(event)
            case Attempted():
                self._check_attempt(event)
            case Summed():
                self._check_sum(event)
            case ResultEntry() if not self.has_answered(event.programme):
                raise BrokenLedger("it is the result of a programme that was never answered", self.size)
            case _:
                pass

    def has_answered(self, programme: str) -> bool:
        """Whether a programme was ever answered here, or a vector of it left, from any snapshot and in any epoch."""
        return programme in self.programmes_answered or any(programme == carried for carried, _snapshot in self.carried)

    def totals(self, cohort: str, charge: int) -> tuple[NanoRho, NanoRho]:
        """What the cohort and the lifetime have cost once `charge` (nano-rho, zero or more) is added."""
        added = NanoRho(max(0, charge))
        return self.cohorts.get(cohort, ZERO) + added, self.lifetime + added

    def _apply(self, event: Event) -> None:
        match event:
            case Opened() | Reset() | Inherited():
                self._begin_with(event)
            case Adopted():
                self._put(self.adopted, (event.kind, event.name if event.kind == "codebook" else ""), event)
            case Imported():
                self._put(self.snapshots, event.cohort, event)
                self._add(self.imported, (event.cohort, event.snapshot))
            case AskedEntry():
                self._add(self.asked, (event.programme, event.run))
            case RefusedEntry():
                self._add(self.refusals, (event.programme, event.run, event.reason))
            case Approved() | Declined():
                self._decide(event)
            case Debited():
                self._debit(event)
            case Answered():
                self._answer(event)
            case Attempted():
                self._drop(self.unanswered, event.debit)
                self._put(self.vectors, (event.programme, event.run), event.attempt)
                self._add(self.programmes_answered, event.programme)
            case Summed():
                self._put(self.sums, (event.programme, event.run), event)
            case ResultEntry():
                self._put(self.results, event.run, event)
            case _:
                assert_never(event)

    def _begin_with(self, event: Opened | Reset | Inherited) -> None:
        if isinstance(event, Inherited):
            self._inherit(event)
            return
        self.region = event.region
        self.epoch = 1
        if isinstance(event, Reset):
            self.epoch = event.epoch
            self.reset = self.base = _stated(event.cohorts, event.lifetime_total)
            self.lifetime = self.reset.lifetime
            for cohort, rho in self.reset.cohorts.items():
                self._put(self.cohorts, cohort, rho)

    def _inherit(self, event: Inherited) -> None:
        """Adds what was not taken over before, in this log or with the one that a reset closed; nothing goes down.

        Privacy: data that were imported before did not know of it, so that households in them may be in more cohorts
        than import was to allow. All that was spent so far then counts for everybody (`base`, policies/rules/spent.py).
        """
        before = self.inherited.raised_to(self.reset)
        after = before.raised_to(_stated(event.cohorts, event.lifetime))
        for cohort, rho in after.cohorts.items():
            if more := rho.nano - before.cohort(cohort).nano:
                self._put(self.cohorts, cohort, self.cohorts.get(cohort, ZERO) + NanoRho(more))
        self.lifetime += NanoRho(after.lifetime.nano - before.lifetime.nano)
        self.inherited = self.inherited.raised_to(_stated(event.cohorts, event.lifetime))
        if self.imported and not before.covers(after):
            self.base = Stated(dict(self.cohorts), self.lifetime)

    def _decide(self, event: Approved | Declined) -> None:
        self._put(self.approvals, event.programme, "decline" if isinstance(event, Declined) else "approve")
        if isinstance(event, Declined):
            self._put(self.declined, event.programme, event.reason)
        else:
            self._drop(self.declined, event.programme)

    def _debit(self, event: Debited) -> None:
        cohort, self.lifetime = self.totals(event.cohort, event.charge)
        self._put(self.cohorts, event.cohort, cohort)
        self._put(self.unanswered, self.size, event)
        if event.attempt:
            self._put(self.attempts, (event.programme, event.run), event.attempt)

    def _answer(self, event: Answered) -> None:
        pair = (event.programme, event.snapshot)
        self._drop(self.unanswered, event.debit)
        self._put(self.answered, pair, event.debit)
        self._put(self.answered_at, pair, self.size)
        self._add(self.programmes_answered, event.programme)

    def _put(self, table: dict[K, V], key: K, value: V) -> None:
        if self._steps_back is not None:
            back = partial(table.__setitem__, key, table[key]) if key in table else partial(table.__delitem__, key)
            self._steps_back.append(back)
        table[key] = value

    def _drop(self, table: dict[K, V], key: K) -> None:
        if key in table:
            value = table.pop(key)
            if self._steps_back is not None:
                self._steps_back.append(partial(table.__setitem__, key, value))

    def _add(self, group: set[K], item: K) -> None:
        if item not in group:
            group.add(item)
            if self._steps_back is not None:
                self._steps_back.append(partial(group.remove, item))

    def _check_inheritance(self, event: Inherited) -> None:
        held = self.adopted.get(("calendar", ""))
        if held is None or held.hash != event.calendar:
            raise BrokenLedger("it takes over by a calendar that was not in force", self.size)
        if min((event.lifetime, *event.cohorts.values())) < 0:
            raise BrokenLedger("it takes over less than nothing", self.size)

    def _check_debit(self, event: Debited) -> None:
        cohort, lifetime = self.totals(event.cohort, event.charge)
        if event.charge < 0 or (event.cohort_total, event.lifetime_total) != (cohort.nano, lifetime.nano):
            raise BrokenLedger("its totals are not those before it plus its charge", self.size)
        held = self.snapshots.get(event.cohort)
        if held is None or held.snapshot != event.snapshot:
            raise BrokenLedger("it is charged for a snapshot that was not in force", self.size)
        if event.attempt:
            if event.attempt <= self.attempts.get((event.programme, event.run), 0):
                raise BrokenLedger("it is charged for an attempt that was made before in its run", self.size)
            return
        pair = (event.programme, event.snapshot)
        if pair in self.answered or pair in self.carried:
            raise BrokenLedger("it is charged for a programme that was answered from this snapshot", self.size)

    def _check_answer(self, event: Answered) -> None:
        debit = self.unanswered.get(event.debit)
        paid = None if debit is None else (debit.programme, debit.snapshot, debit.attempt)
        if paid != (event.programme, event.snapshot, 0):
            raise BrokenLedger("it answers no open debit for this programme and snapshot", self.size)
        if (event.programme, event.snapshot) in self.answered:
            raise BrokenLedger("it is a second answer to one programme from one snapshot", self.size)

    def _check_sum(self, event: Summed) -> None:
        if event.programme not in self.first_asked:
            raise BrokenLedger("it is the sum of a programme that was never asked", self.size)
        if (event.programme, event.run) in self.sums:
            raise BrokenLedger("it is a second sum of one run", self.size)

    def _check_attempt(self, event: Attempted) -> None:
        debit = self.unanswered.get(event.debit)
        paid = None if debit is None else (debit.programme, debit.run, debit.attempt)
        if paid != (event.programme, event.run, event.attempt):
            raise BrokenLedger("it uses up no open debit for this attempt", self.size)


def _stated(cohorts: Mapping[str, int], lifetime: int) -> Stated:
    return Stated({cohort: NanoRho(nano) for cohort, nano in cohorts.items()}, NanoRho(lifetime))
