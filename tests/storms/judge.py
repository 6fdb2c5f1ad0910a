"""What must hold after every storm. Pure: ends, answers as fetched, and ledgers come in; what is wrong comes out.

- a run is complete, or closed at its deadline, and says of each region that did not answer why
- national sums are there, or a sentence says why they are not
- a region's answer, and a run's sums, are the same bytes whenever they are fetched, and those that the ledgers name
- every debit costs what was priced, and the totals are the sum of the charges
- a debit is used once at most; an answer or an attempt is paid once, but for debits that died with their node
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from audit.model import LoggedEntry
from coordinator.desk.views import Progress
from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from policies.rules.refusals import Reason

SUM = ""
"""In the place of a region: the national sums."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What a programme costs a region, in nano-rho, and how many attempts at national sums it may make."""

    answer: int
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a researcher was given: the hash of a region's answer, or of the sums."""

    programme: str
    region: str
    hash: str


@dataclass(slots=True)
class Judge:
    """Remembers what was asked and given. `deaths` counts, by programme and region, what may have cost a debit."""

    prices: dict[str, Priced] = field(default_factory=dict)
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)
    given: dict[tuple[str, str], str] = field(default_factory=dict)
    known: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Every ledger as it was seen last."""

    def end(self, name: str, last: Progress | None, hit: Collection[str]) -> Iterator[str]:
        """What is wrong with how a run ended in which faults `hit` these regions."""
        if last is None or last.state is State.ASKING:
            yield f"{name}: the run did not end"
            return
        for one in last.regions:
            if one.other:
                yield f"{name}: {one.region} sent another answer than its first"
            if one.state is Asked.REFUSED and (one.refused is None or not one.refused.sentence):
                yield f"{name}: {one.region} refused without a reason"
            elif one.refused is not None and one.refused.reason is Reason.FAULT and one.region not in hit:
                yield f"{name}: {one.region} broke, and nobody had touched it"
            # Where only sums were asked for, a region's state is its part in an attempt.
            alone = last.national is not None and last.national.alone
            if last.state is State.COMPLETE and not alone and one.state not in (Asked.ANSWERED, Asked.REFUSED):
                yield f"{name}: complete, yet {one.region} is {one.state.value}"
        if (national := last.national) is None:
            return
        if national.where not in (Where.SUMMED, Where.FAILED):
            yield f"{name}: it ended, yet its national sums are at {national.where.value!r}"
        if national.where is Where.FAILED and not national.sentence:
            yield f"{name}: no national sums, and no word why"

    def fetch(self, name: str, fetched: Sequence[Fetched]) -> Iterator[str]:
        """What is wrong with what was given now, beside what was given before. Nothing given may go away again."""
        for one in fetched:
            place = (one.programme, one.region)
            if self.given.setdefault(place, one.hash) != one.hash:
                yield f"{name}: {one.region or 'the national sum'} was given twice, and differently"

    def books(self, books: Mapping[str, Sequence[LoggedEntry]]) -> Iterator[str]:
        """What is wrong in the regions' ledgers, and between them and what was given."""
        for region, entries in books.items():
            whole = tuple(entry.data for entry in entries)
            before = self.known.get(region, ())
            if whole[: len(before)] != before:
                yield f"{region}: the ledger is not a continuation of what it was"
            self.known[region] = whole
            yield from _Book(self, region).read(entries)


@dataclass(slots=True)
class _Book:
    """One region's ledger while it is read."""

    judge: Judge
    region: str
    debits: dict[int, LoggedEntry] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    paid: Counter[tuple[str, int]] = field(default_factory=Counter)
    answers: dict[str, str] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    total: int = 0

    def read(self, entries: Sequence[LoggedEntry]) -> Iterator[str]:
        for entry in entries:
            match entry.event:
                case "debited":
                    yield from self._debited(entry)
                case "answered":
                    yield from self._used(entry)
                    yield from self._once(self.answers, entry, "answer")
                case "attempted":
                    yield from self._used(entry)
                case "summed":
                    yield from self._once(self.sums, entry, "hash")
                case _:
                    pass
        yield from self._paid_once()
        yield from self._as_given()

    def _debited(self, entry: LoggedEntry) -> Iterator[str]:
        programme, attempt = entry.text("programme"), max(0, entry.number("attempt"))
        self.debits[entry.seq] = entry
        self.paid[programme, attempt] += 1
        self.total += entry.money("charge")
        if entry.money("lifetime_total") != self.total:
            yield f"{self.region}: the total of entry {entry.seq} is not the sum of the charges"
        priced = self.judge.prices.get(programme)
        if priced is None:
            yield f"{self.region}: entry {entry.seq} charges for a programme that nobody asked"
        elif attempt > priced.attempts:
            yield f"{self.region}: entry {entry.seq} is of attempt {attempt}; {priced.attempts} were allowed"
        elif entry.money("charge") != (priced.attempt if attempt else priced.answer):
            yield f"{self.region}: entry {entry.seq} does not charge what was priced"

    def _used(self, entry: LoggedEntry) -> Iterator[str]:
        seq = entry.number("debit")
        debit = self.debits.get(seq)
        if debit is None or debit.text("programme") != entry.text("programme"):
            yield f"{self.region}: entry {entry.seq} answers without a debit"
        if seq in self.used:
            yield f"{self.region}: entry {entry.seq} uses debit {seq} once more"
        self.used.add(seq)

    def _once(self, kept: dict[str, str], entry: LoggedEntry, what: str) -> Iterator[str]:
        if entry.text("programme") in kept:
            yield f"{self.region}: entry {entry.seq} is the second {what} of one programme"
        kept[entry.text("programme")] = entry.text(what)

    def _paid_once(self) -> Iterator[str]:
        for (programme, attempt), times in self.paid.items():
            # An attempt dies with its node, and its number is not given again.
            allowed = 1 + (0 if attempt else self.judge.deaths[programme, self.region])
            if times > allowed:
                yield f"{self.region}: programme {programme[:12]}, attempt {attempt}, was charged {times} times"

    def _as_given(self) -> Iterator[str]:
        for (programme, region), hash_ in self.judge.given.items():
            if region == self.region and self.answers.get(programme) != hash_:
                yield f"{self.region}: what was given for programme {programme[:12]} is not the answer in its ledger"
            if region == SUM and self.sums.get(programme, hash_) != hash_:
                yield f"{self.region}: it keeps another national sum of programme {programme[:12]} than was given"
