"""The attempts at national sums that this process takes part in, and the one order of steps in which a vector leaves.

    begin: authenticate -> decide, the steward's word included -> keys
    share: seal shares of the secrets
    send: open the boxes -> debited, on disk -> witnesses cosign -> read data -> noise and masks -> the opening and
    `attempted` on disk -> the rest of the tick -> witnesses cosign again -> the vector, once
    list, unmask: sign one list of survivors, and give what takes the masks off its sum

Between rounds the one writer does other work. Secrets are in memory only, so a process that ends forgets its attempts,
and their debits are dead. Where too few witnesses cosign, nothing has left: the same round may be asked once more, and
goes on with the debit in hand, or with the vector that was made. Whatever breaks once rows are being read gives one
refusal, the same for everything; the debit stays, and another attempt is another debit.

Why two cosignatures: as for an answer (node/answering.py); of several copies of a process at most one vector can leave.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from rondgang.keys import SigningKey

from node import deciding
from node.answering import FAULT
from node.authenticate import Ordered, authenticate, read_order
from node.journal import EventName, Journal, place_of
from node.ledger.book import Book
from node.ledger.ledger import Ask, Claim, Debit
from node.pace import Pace, RealPace, rest_of_tick
from node.region import Region
from node.secure.masking import Masking, SecureStep, SecureSteps, Sources
from node.secure.party import Party, Stage
from node.secure.sums import take_in_sum
from node.witnessing.witnesses import Witnesses
from policies.rules.decide import Granted
from policies.rules.entries import RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.rules.tick import Tick, tick_of
from policies.secure.messages import (
    Aborted,
    AnyReply,
    Begin,
    BoxesSaid,
    Done,
    KeysSaid,
    Round,
    SeenSaid,
    Send,
    Share,
    SharesSaid,
    ShowList,
    SumKept,
    Unmask,
    VectorSaid,
)
from policies.secure.rounds import MOST_AT_ONCE

_REMEMBERED = 1024
_LONGEST = 300
_NOT_HERE = Refused(Reason.MALFORMED, "This attempt is not under way at this region. Start a new attempt.")
_AGAIN = Refused(Reason.MALFORMED, "The vector of this attempt has been sent. Start a new attempt.")
_NEW_DATA = Refused(Reason.NO_SNAPSHOT, "Other data came into force at this region meanwhile. Start a new attempt.")


@dataclass(frozen=True, slots=True)
class Running:
    """An attempt that this process takes part in, for the steward."""

    run: str
    programme: str
    attempt: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class Told:
    """What is said back, if anything. With a `tick` the reply leaves on one, because rows may have been read for it."""

    reply: AnyReply | None
    tick: Tick | None = None


@dataclass(slots=True, eq=False)
class _Try:
    """One attempt. `sharing` is the one whose boxes opened; `vector` is made, and has not been let go."""

    party: Party
    researcher: str
    granted: Granted
    sharing: bytes = b""
    vector: bytes | None = None
    charged: bool = False

    @property
    def ordered(self) -> Ordered:
        return self.party.ordered


_REAL = RealPace()


def _on(_step: SecureStep) -> None:
    """The steps of an ordinary day."""


class Attempts:
    """One call at a time, in the writer's thread: the ledger has one writer."""

    def __init__(
        self,
        region: Region,
        sources: Sources,
        key: SigningKey,
        witnesses: Witnesses,
        journal: Journal,
        steps: SecureSteps = _on,
        pace: Pace = _REAL,
    ) -> None:
        self._region = region
        self._masking = Masking(region, sources, steps)
        self._key = key
        self._witnesses = witnesses
        self._journal = journal
        self._entropy = sources.entropy
        self._steps = steps
        self._pace = pace
        self._tries: OrderedDict[str, _Try] = OrderedDict()
        self._begun: OrderedDict[tuple[str, str], int] = OrderedDict()

    def running(self) -> tuple[Running, ...]:
        """What is under way in this process, by run."""
        return tuple(
            Running(run, one.ordered.asked.digest, one.party.attempt, one.party.stage)
            for run, one in sorted(self._tries.items())
        )

    def take(self, run: str, attempt: int, said: Round) -> Told:
        """What this node says to the desk's word in an attempt. Never raises for a fault.

        What it charges and what it stores is durable and cosigned on return. A vector that is given here counts as
        sent: it is given once, whether or not it reaches the desk.
        """
        this = self._tries.get(run)
        tick = self._tick(this) if isinstance(said, Send) else None
        try:
            return Told(self._taken(run, attempt, said), tick)
        except Exception as error:
            # What broke may depend on rows: one and the same refusal.
            self._note("fault", this, place=place_of(error))
            if this is not None:
                self._forget(this)
            return Told(FAULT, tick)

    def _taken(self, run: str, attempt: int, said: Round) -> AnyReply | None:
        match said:
            case Begin():
                return self._begin(run, attempt, said)
            case Done(signed_sum):
                return self._done(run, attempt, signed_sum)
        this = self._tries.get(run)
        if this is None or this.party.attempt != attempt:
            return None if isinstance(said, Aborted) else self._not_here()
        self._tries.move_to_end(run)
        return self._round(this, said)

    def _round(self, this: _Try, said: Share | Send | ShowList | Unmask | Aborted) -> AnyReply | None:
        party, roster, now = this.party, self._region.roster, self._region.now()
        match said:
            case Share(participants, keys):
                boxes = party.share(participants, keys, roster, now)
                return self._no(this, boxes) if isinstance(boxes, Refused) else BoxesSaid(boxes)
            case Send():
                return self._send(this, said)
            case ShowList(survivors):
                seen = party.see(survivors)
                return self._no(this, seen) if isinstance(seen, Refused) else SeenSaid(seen)
            case Unmask(signed_seen):
                shares = party.unmask(signed_seen, roster, now)
                return self._finished(this, shares) if isinstance(shares, SharesSaid) else self._no(this, shares)
            case Aborted(sentence):
                self._note("attempt_stopped", this, reason=sentence[:_LONGEST])
                self._forget(this)
                return None

    def _begin(self, run: str, attempt: int, said: Begin) -> KeysSaid | Refused:
        ordered = read_order(run, said.signed_order, said.signed_programme)
        if not isinstance(ordered, Refused) and not ordered.order.attempt == attempt > 0:
            ordered = Refused(Reason.MALFORMED, "The order is for another attempt, or for none. Send the order anew.")
        if isinstance(ordered, Refused):
            self._journal("refused", reason=ordered.reason.value)
            return ordered
        region = self._region
        authentic = authenticate(ordered, region.roster, region.now())
        if isinstance(authentic, Refused):
            return self._refused(ordered, authentic)
        if (refused := self._old(ordered)) is not None:
            return self._refused(ordered, refused)
        found = self._decided(ordered)
        if self._witnesses.contradiction is None:
            region.ledger.log_asked(self._ask(ordered, authentic.researcher, found))
        if isinstance(found, Refused):
            return self._refused(ordered, found)
        this = _Try(Party.begin(region.code, self._key, ordered, self._entropy), authentic.researcher, found)
        self._remember(this)
        self._note("attempt_begun", this)
        self._steps("begun")
        return KeysSaid(this.party.signed_keys)

    def _decided(self, ordered: Ordered) -> Granted | Refused:
        if self._witnesses.contradiction is not None and (refused := self._witnesses.standing()) is not None:
            # What this ledger says is not all there is: nothing is decided by it.
            return refused
        region = self._region
        found = deciding.again(region, ordered.asked.programme, region.ledger.book, attempt=ordered.order.attempt)
        if isinstance(found, Granted) and (refused := self._witnesses.ready()) is not None:
            return refused
        return found

    def _old(self, ordered: Ordered) -> Refused | None:
        """No attempt is begun twice: not in this process, and not after it was charged in any other."""
        place, book = (ordered.asked.digest, ordered.order.run), self._region.ledger.book
        if place in book.sums:
            return Refused(Reason.MALFORMED, "This run has its national sums. Read them there.")
        newest = max(self._begun.get(place, 0), book.attempts.get(place, 0))
        if ordered.order.attempt > newest:
            return None
        return Refused(Reason.MALFORMED, f"Attempt {newest} of this run was begun here before. Order the next one.")

    def _remember(self, this: _Try) -> None:
        order = this.ordered.order
        self._tries.pop(order.run, None)
        # The desk has no more under way: the one that was heard of longest ago is one that it has left.
        while len(self._tries) >= MOST_AT_ONCE:
            self._tries.popitem(last=False)
        self._tries[order.run] = this
        self._begun[this.ordered.asked.digest, order.run] = order.attempt
        while len(self._begun) > _REMEMBERED:
            self._begun.popitem(last=False)

    def _forget(self, this: _Try) -> None:
        if self._tries.get(this.ordered.order.run) is this:
            del self._tries[this.ordered.order.run]

    def _send(self, this: _Try, said: Send) -> VectorSaid | Refused:
        party = this.party
        if party.stage == "opened" or this.vector is not None:
            # Witnesses were away when it was asked before; nothing has left.
            if said.signed_sharing != this.sharing:
                return self._refused(this.ordered, _NOT_HERE, log=False)
        elif party.stage == "masked":
            return self._refused(this.ordered, _AGAIN, log=False)
        else:
            if (refused := party.open(said.signed_sharing, said.boxes)) is not None:
                return self._no(this, refused)
            this.sharing = said.signed_sharing
        if this.vector is None:
            debit = self._debited(this)
            if isinstance(debit, Refused):
                return debit
            if (refused := self._witnesses.cosign()) is not None:
                return self._refused(this.ordered, refused, log=False)
            self._steps("cosigned")
            this.vector = self._spend(debit, party)
        if (refused := self._witnesses.cosign()) is not None:
            return self._refused(this.ordered, refused, log=False)
        vector, this.vector = this.vector, None
        self._steps("released")
        self._note("attempt_sent", this, charge=this.granted.charge.nano)
        return VectorSaid(vector)

    def _spend(self, debit: Debit, party: Party) -> bytes:
        started_s = self._pace.now_s()
        try:
            return self._masking.spend(debit, party)
        finally:
            # Also after a fault: what comes next must not tell when it came.
            rest_of_tick(self._pace, self._region.tick_ms, started_s)

    def _debited(self, this: _Try) -> Debit | Refused:
        """A debit for the attempt, a new one or the one in hand; where there is none to be had, the attempt is over."""
        region, ordered = self._region, this.ordered
        programme, order = ordered.asked.programme, ordered.order
        authentic = authenticate(ordered, region.roster, region.now())
        if isinstance(authentic, Refused):
            return self._stopped(this, authentic)
        held = region.ledger.in_hand(order.programme, order.run, order.attempt)
        if held is not None:
            found = (
                _NEW_DATA if held.claim.snapshot != self._snapshot(ordered) else deciding.still(region, programme, held)
            )
            return self._stopped(this, found) if isinstance(found, Refused) else held
        if (refused := self._witnesses.ready()) is not None:
            # At no cost: the same round may come again.
            return self._refused(ordered, refused)
        (outcome,) = region.ledger.debit([self._ask(ordered, this.researcher, this.granted)])
        if isinstance(outcome, Refused):
            return self._stopped(this, outcome)
        this.charged = True
        self._steps("debited")
        return outcome

    def _ask(self, ordered: Ordered, researcher: str, found: Granted | Refused) -> Ask:
        order, programme = ordered.order, ordered.asked.programme

        def again(book: Book) -> Granted | Refused:
            if isinstance(found, Refused):
                return found
            return deciding.again(self._region, programme, book, found.compilation, attempt=order.attempt)

        cohort, snapshot = programme.programme.cohort, self._snapshot(ordered)
        claim = Claim(order.programme, order.run, researcher, cohort, snapshot, order.attempt)
        return Ask(claim, ordered.asked.signed, ordered.signed_order, again)

    def _snapshot(self, ordered: Ordered) -> str:
        """The snapshot in force for the programme's cohort; an empty name where there is none."""
        held = self._region.ledger.book.snapshots.get(ordered.asked.programme.programme.cohort)
        return "" if held is None else held.snapshot

    def _done(self, run: str, attempt: int, signed_sum: bytes) -> SumKept | Refused:
        if self._witnesses.contradiction is not None and (refused := self._witnesses.standing()) is not None:
            # Nothing is added to a ledger that is behind; the desk sends the sum again.
            return refused
        kept = take_in_sum(self._region, run, attempt, signed_sum, self._journal)
        if isinstance(kept, Refused):
            self._journal("refused", reason=kept.reason.value)
            return kept
        if (this := self._tries.get(run)) is not None:
            self._forget(this)
        return SumKept(kept)

    def _finished(self, this: _Try, shares: SharesSaid) -> SharesSaid:
        self._note("attempt_finished", this)
        self._forget(this)
        return shares

    def _no(self, this: _Try, refused: Refused) -> Refused:
        """What the party does not go along with. What came out of order, or again, stops nothing."""
        if this.party.stage == "over":
            return self._stopped(this, refused)
        return self._refused(this.ordered, refused, log=False)

    def _stopped(self, this: _Try, refused: Refused) -> Refused:
        self._note("attempt_stopped", this, reason=refused.sentence)
        self._forget(this)
        return self._refused(this.ordered, refused, log=not this.charged)

    def _refused(self, ordered: Ordered, refused: Refused, *, log: bool = True) -> Refused:
        """The refusal, after the journal has noted it, and the ledger where that is due."""
        run, programme, reason = ordered.order.run, ordered.asked.digest, refused.reason.value
        self._journal("refused", run=run, programme=programme, attempt=ordered.order.attempt, reason=reason)
        if log and self._witnesses.contradiction is None:
            self._region.ledger.log_refusal(RefusedEntry(event="refused", programme=programme, run=run, reason=reason))
        return refused

    def _not_here(self) -> Refused:
        self._journal("refused", reason=_NOT_HERE.reason.value)
        return _NOT_HERE

    def _tick(self, this: _Try | None) -> Tick | None:
        return None if this is None else tick_of(this.ordered.asked.programme, self._region.tick_ms)

    def _note(
        self,
        event: EventName,
        this: _Try | None,
        *,
        reason: str | None = None,
        charge: int | None = None,
        place: str | None = None,
    ) -> None:
        facts = (None, None, None) if this is None else (
            this.ordered.order.run, this.ordered.asked.digest, this.party.attempt,
        )  # fmt: skip
        run, programme, attempt = facts
        self._journal(event, run=run, programme=programme, attempt=attempt, reason=reason, charge=charge, place=place)
