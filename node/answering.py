"""Answering programmes: the one order of steps in which a row may be read.

    authenticate -> a stored answer? the same bytes, at no cost, once it is cosigned -> decide, the steward's word
    included -> witnesses away? refuse at no cost -> asked and debited, on disk, all that wait in one commit
    -> witnesses cosign -> read data -> noise -> replies and their hashes stored in one commit -> the rest of the tick
    -> witnesses cosign again -> replies

A refusal never opens a snapshot. Where too few witnesses cosign a debit, no row is read: the debit stays in hand of
this process, and the next order for the same programme and snapshot uses it at no further charge. Whatever breaks once
rows are being read gives one refusal, the same for everything; the debit stays, dead: charged, never answered. A new
attempt is a new debit. A reply that is stored and not cosigned waits for that, and nothing else can take its place.

Why two cosignatures: after the first, others know of the debit, so a restored backup cannot spend it again; the second
makes one reply known, so of several copies of a disk or a process one at most sends its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from rondgang.keys import SigningKey

from node.authenticate import Asked, Ordered, authenticate, authenticate_programme
from node.deciding import again, decided, pair_of
from node.journal import Journal, place_of
from node.ledger.book import Book, Pair
from node.ledger.ledger import Ask, Claim, Debit
from node.pace import Pace, RealPace, rest_of_tick
from node.region import Region
from node.spending import Rows, Spending, Step, Steps
from node.witnessing.witnesses import Witnesses
from policies.rules.decide import Granted, first_of, left
from policies.rules.entries import RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Programme
from policies.units.money import NanoRho

__all__ = ["FAULT", "LATE", "Answering", "Quoted", "Rows", "Step", "Steps"]

FAULT = Refused(
    Reason.FAULT,
    "The region could not answer; what was charged stays charged. Its steward can see why. Try again later.",
)
_AN_ATTEMPT = Refused(Reason.MALFORMED, "This orders an attempt at national sums, not an answer. Begin it as one.")
LATE = Refused(Reason.LATE, "The region was not ready in time. Order it again: a finished answer costs nothing more.")


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a programme would cost and what is left now, before it; `refused` when it would not be answered.

    `test_only` says that the region's policy is for tests alone.
    """

    charge: NanoRho
    left_cohort: NanoRho
    left_lifetime: NanoRho
    refused: Refused | None
    test_only: bool = False


@dataclass(slots=True, eq=False)
class _Job:
    """One order on its way. `outcome` ends it; until then it has an answer in store, a debit, or a decision to come.

    `logged` says that the ledger has noted the refusal, or must not.
    """

    ordered: Ordered
    researcher: str = ""
    pair: Pair = ("", "")
    decision: Granted | Refused | None = None
    debit: Debit | None = None
    outcome: bytes | Refused | None = None
    logged: bool = False

    @property
    def programme(self) -> Programme:
        return self.ordered.asked.programme


_REAL = RealPace()


def _on(_step: Step) -> None:
    """The steps of an ordinary day."""


class Answering:
    """Answers and quotes for one region that has adopted roster, calendar and policy.

    One call at a time: the ledger has one writer.
    """

    def __init__(
        self,
        region: Region,
        rows: Rows,
        key: SigningKey,
        witnesses: Witnesses,
        journal: Journal,
        steps: Steps = _on,
        pace: Pace = _REAL,
    ) -> None:
        self._region = region
        self._spending = Spending(region, rows, key, steps)
        self._witnesses = witnesses
        self._journal = journal
        self._steps = steps
        self._pace = pace

    def answer(self, batch: Sequence[Ordered]) -> list[bytes | Refused]:
        """For each order the signed answer's bytes, stored, paid for and cosigned on return; or a refusal.

        Never raises for a fault, and a fault with one programme is not felt by the others, unless it is the disk's.
        Takes the time of two rounds of witnesses at most, beside that of the work.
        """
        jobs = [_Job(ordered) for ordered in batch]
        for job in jobs:
            self._guarded([job], self._sort)
        self._guarded([job for job in _open(jobs) if job.decision is not None], self._charge)
        self._use([job for job in _open(jobs) if job.debit is not None])
        self._guarded(_open(jobs), self._release)
        return [self._told(job) for job in jobs]

    def quote(self, asked: Asked) -> Quoted:
        """Price and remaining budget, from public data only; logs nothing in the ledger and charges nothing."""
        programme, charge = asked.programme, asked.programme.charge.amount
        standing = self._region.standing(self._region.ledger.book)
        authentic = authenticate_programme(asked, self._region.roster, standing.now)
        remaining, test_only = left(programme.programme.cohort, standing), standing.policy.test_only
        if isinstance(authentic, Refused):
            return Quoted(charge, *remaining, authentic, test_only)
        ledger, pair = self._region.ledger, pair_of(self._region, asked)
        answered = ledger.answer(*pair) is not None
        own = NanoRho(0) if answered or ledger.in_hand(*pair) else programme.charge.of_answer
        together = NanoRho(0) if self._summed(asked.digest) else programme.charge.of_attempt
        if answered and together == NanoRho(0):
            unreleased = None if ledger.released(*pair) else self._witnesses.standing()
            return Quoted(own, *remaining, unreleased, test_only)
        refused = self._witnesses.standing()
        if self._witnesses.contradiction is None:
            first = 1 if answered else first_of(programme)
            decision = decided(self._region, programme, pair) if first == 0 else self._attempt(programme)
            refused = decision if isinstance(decision, Refused) else refused
        return Quoted(own + together, *remaining, refused, test_only)

    def _summed(self, programme: str) -> bool:
        """Whether the programme's national sums are there already: then they are given again, and no attempt made."""
        return any(programme == summed for summed, _run in self._region.ledger.book.sums)

    def _attempt(self, programme: Programme) -> Granted | Refused:
        return again(self._region, programme, self._region.ledger.book, attempt=1)

    def _sort(self, jobs: Sequence[_Job]) -> None:
        """Ends an order that nobody may ask; else finds its stored answer, or decides."""
        (job,) = jobs
        asked, region = job.ordered.asked, self._region
        authentic = authenticate(job.ordered, region.roster, region.now())
        if not isinstance(authentic, Refused) and job.ordered.order.attempt:
            authentic = _AN_ATTEMPT
        if isinstance(authentic, Refused):
            job.outcome = authentic
            return
        self._steps("authenticated")
        job.researcher, job.pair = authentic.researcher, pair_of(region, asked)
        if region.ledger.answer(*job.pair) is not None:
            return
        if self._witnesses.contradiction is not None:
            # What this ledger says is not all there is: nothing is decided by it.
            job.outcome = self._witnesses.standing()
            return
        job.decision = decided(region, job.programme, job.pair)
        self._steps("decided")

    def _charge(self, jobs: Sequence[_Job]) -> None:
        """Gives each order a debit, a new one or the one in hand, or ends it. One commit for all of them."""
        granted = [job for job in jobs if isinstance(job.decision, Granted)]
        if granted and (refused := self._witnesses.ready()) is not None:
            for job in granted:
                job.decision = refused
        ledger = self._region.ledger
        for job in jobs:
            job.debit = ledger.in_hand(*job.pair)
            if isinstance(job.decision, Refused) and (job.debit or self._witnesses.contradiction):
                job.outcome, job.debit = job.decision, None
                # Where too few witnesses cosign, what was charged is not refused for good.
                job.logged = job.decision.reason is Reason.UNWITNESSED
        new = [job for job in jobs if job.outcome is None and job.debit is None]
        for job, outcome in zip(new, ledger.debit([self._ask(job) for job in new]) if new else (), strict=True):
            if isinstance(outcome, Refused):
                job.outcome, job.logged = outcome, True
            else:
                job.debit = outcome
        if any(job.debit for job in jobs):
            self._steps("debited")

    def _ask(self, job: _Job) -> Ask:
        def inside(book: Book) -> Granted | Refused:
            if not isinstance(job.decision, Granted):
                return job.decision or FAULT
            try:
                return again(self._region, job.programme, book, job.decision.compilation)
            except Exception as error:
                # The others in this commit are charged all the same.
                self._fault(job, error)
                return FAULT

        cohort, run = job.programme.programme.cohort, job.ordered.order.run
        programme, snapshot = job.pair
        claim = Claim(programme, run, job.researcher, cohort, snapshot)
        return Ask(claim, job.ordered.asked.signed, job.ordered.signed_order, inside)

    def _use(self, due: Sequence[_Job]) -> None:
        """Has the debits cosigned, reads for each once, and stores the replies in one commit."""
        if not due:
            return
        self._guarded(due, self._cosign)
        if not _open(due):
            return
        started_s = self._pace.now_s()
        replies: dict[int, tuple[Debit, bytes]] = {}
        for job in _open(due):
            self._guarded([job], partial(self._spend, replies))
        if replies:
            self._guarded(_open(due), partial(self._store, list(replies.values())))
        # Also after a fault: what comes next must not tell when it came.
        rest_of_tick(self._pace, self._region.tick_ms, started_s)

    def _cosign(self, due: Sequence[_Job]) -> None:
        if (refused := self._witnesses.cosign()) is None:
            self._steps("cosigned")
            return
        for job in due:
            # Charged, and not refused for good: nothing for the ledger.
            job.outcome, job.logged = refused, True

    def _spend(self, replies: dict[int, tuple[Debit, bytes]], jobs: Sequence[_Job]) -> None:
        (job,) = jobs
        if job.debit is not None and job.debit.seq not in replies:
            replies[job.debit.seq] = job.debit, self._spending.spend(job.debit, job.programme)

    def _store(self, replies: Sequence[tuple[Debit, bytes]], _jobs: Sequence[_Job]) -> None:
        self._region.ledger.store_answers(replies)
        self._steps("stored")
        for debit, _reply in replies:
            charge = debit.granted.charge.nano
            self._journal("answered", run=debit.claim.run, programme=debit.claim.programme, charge=charge)

    def _release(self, jobs: Sequence[_Job]) -> None:
        """Lets replies go that are in store and below a cosigned size; where they are not yet, that is asked for."""
        ledger = self._region.ledger
        refused = None
        if not all(ledger.released(*job.pair) for job in jobs):
            refused = self._witnesses.cosign()
        released = [job for job in jobs if ledger.released(*job.pair)]
        if released:
            self._steps("released")
        for job in released:
            job.outcome = ledger.answer(*job.pair)
        for job in jobs:
            if job.outcome is None:
                job.outcome, job.logged = refused or FAULT, True

    def _told(self, job: _Job) -> bytes | Refused:
        """The outcome, after the journal and, where that is due, the ledger have noted it."""
        run, programme = job.ordered.order.run, job.ordered.asked.digest
        outcome = FAULT if job.outcome is None else job.outcome
        if isinstance(outcome, bytes):
            if job.debit is None:
                self._journal("answered_again", run=run, programme=programme, charge=0)
            return outcome
        if outcome is FAULT:
            return outcome
        reason = outcome.reason.value
        self._journal("refused", run=run, programme=programme, reason=reason)
        entry = RefusedEntry(event="refused", programme=programme, run=run, reason=reason)
        # A ledger that is behind stays as it is: it can still be told from one that went its own way.
        if not job.logged and self._witnesses.contradiction is None:
            self._guarded([job], lambda _jobs: self._region.ledger.log_refusal(entry))
        return outcome

    def _guarded(self, jobs: Sequence[_Job], work: Callable[[Sequence[_Job]], object]) -> None:
        """Whatever breaks is one and the same refusal for these orders: what broke may depend on rows."""
        try:
            if jobs:
                work(jobs)
        except Exception as error:
            for job in _open(jobs):
                self._fault(job, error)
                job.outcome, job.logged = FAULT, True

    def _fault(self, job: _Job, error: Exception) -> None:
        self._journal("fault", run=job.ordered.order.run, programme=job.ordered.asked.digest, place=place_of(error))


def _open(jobs: Iterable[_Job]) -> list[_Job]:
    return [job for job in jobs if job.outcome is None]
