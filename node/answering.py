"""Answering a programme: the one order of steps in which a row may be read.

    authenticate -> a stored answer? the same bytes, at no cost -> decide -> debit, on disk -> [witnesses cosign]
    -> read data -> noise -> reply and its hash stored in one commit -> [witnesses cosign] -> reply

The bracketed steps are not built yet; their place is here, between `debited` and `read` and after `stored`. A refusal
never opens a snapshot. Whatever breaks after the debit gives one refusal, the same for everything; the debit stays,
dead: charged, never answered. A new attempt is a new debit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rondgang.keys import SigningKey
from rondgang.signed import sign

from node.authenticate import Asked, Ordered, authenticate, authenticate_programme
from node.journal import Journal, place_of
from node.ledger.book import Book
from node.ledger.ledger import Claim, Debit
from node.region import Region
from policies.documents import to_canonical
from policies.rules.decide import Granted, decide, left
from policies.rules.entries import RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.statistics.answer import Answer, block_values
from policies.statistics.blocks import Block
from policies.statistics.compile import Compilation
from policies.statistics.programme import PlannedBlock, Programme
from policies.units.money import NanoRho

Step = Literal["authenticated", "decided", "debited", "read", "noised", "stored"]
Steps = Callable[[Step], None]
"""Called after each step; tests stop the world there."""

FAULT = Refused(
    Reason.FAULT,
    "The region could not answer; what was charged stays charged. Its steward can see why. Try again later.",
)
LATE = Refused(Reason.LATE, "The region was not ready in time. Order it again: a finished answer costs nothing more.")


class Rows(Protocol):
    """The only way to the microdata. `sums` gives each block's exact integers; `noisy` is what may leave."""

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> Mapping[str, Sequence[int]]: ...

    def noisy(self, values: Sequence[int], planned: PlannedBlock) -> Sequence[int]: ...


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


def _on(_step: Step) -> None:
    """The steps of an ordinary day."""


class Answering:
    """Answers and quotes for one region that has adopted roster, calendar and policy.

    One call at a time: the ledger has one writer.
    """

    def __init__(self, region: Region, rows: Rows, key: SigningKey, journal: Journal, steps: Steps = _on) -> None:
        self._region = region
        self._rows = rows
        self._key = key
        self._journal = journal
        self._steps = steps

    def answer(self, ordered: Ordered) -> bytes | Refused:
        """The signed answer's bytes, stored and paid for on return; or a refusal, logged. Never raises for a fault."""
        try:
            outcome = self._answer(ordered)
        except Exception as error:
            # One refusal for everything that can break: what broke may depend on rows.
            self._journal("fault", run=ordered.order.run, programme=ordered.asked.digest, place=place_of(error))
            return FAULT
        if isinstance(outcome, Refused):
            self._refused(ordered, outcome)
        return outcome

    def quote(self, asked: Asked) -> Quoted:
        """Price and remaining budget, from public data only; logs nothing in the ledger and charges nothing."""
        programme, charge = asked.programme, asked.programme.charge.amount
        standing = self._region.standing(self._region.ledger.book)
        authentic = authenticate_programme(asked, self._region.roster, standing.now)
        remaining, test_only = left(programme.programme.cohort, standing), standing.policy.test_only
        if isinstance(authentic, Refused):
            return Quoted(charge, *remaining, authentic, test_only)
        if self._stored(asked) is not None:
            return Quoted(NanoRho(0), *remaining, None, test_only)
        decision = decide(programme, standing)
        return Quoted(charge, *remaining, decision if isinstance(decision, Refused) else None, test_only)

    def _answer(self, ordered: Ordered) -> bytes | Refused:
        asked, region = ordered.asked, self._region
        authentic = authenticate(ordered, region.roster, region.now())
        if isinstance(authentic, Refused):
            return authentic
        self._steps("authenticated")
        if (stored := self._stored(asked)) is not None:
            self._journal("answered_again", run=ordered.order.run, programme=asked.digest, charge=0)
            return stored
        granted = self._decide(asked.programme, region.ledger.book)
        if isinstance(granted, Refused):
            return granted
        self._steps("decided")
        cohort = asked.programme.programme.cohort
        snapshot = region.ledger.book.snapshots[cohort].snapshot
        claim = Claim(asked.digest, ordered.order.run, authentic.researcher, cohort, snapshot)
        debit = region.ledger.debit(claim, lambda book: self._decide(asked.programme, book, granted.compilation))
        if isinstance(debit, Refused):
            return debit
        self._steps("debited")
        return self._spend(debit, asked.programme)

    def _spend(self, debit: Debit, programme: Programme) -> bytes:
        """From the debit to the stored reply. Durable on return; raises whatever breaks, and the debit is dead then.

        Privacy: every block gets the noise that its signed sigma says, once; only noisy integers go into the answer.
        """
        exact = self._rows.sums(debit.claim.snapshot, debit.granted.compilation.blocks)
        self._steps("read")
        noisy = tuple(block_values(p.id, self._rows.noisy(exact[p.id], p)) for p in programme.blocks)
        answer = Answer(
            region=self._region.code,
            programme=debit.claim.programme,
            cohort=debit.claim.cohort,
            snapshot=debit.claim.snapshot,
            blocks=noisy,
        )
        if not answer.fits(programme):
            raise ArithmeticError("the sums do not have the shape of the programme")
        reply = sign("answer", to_canonical(answer), self._key).to_bytes()
        self._steps("noised")
        self._region.ledger.store_answer(debit, reply)
        self._steps("stored")
        charge = debit.granted.charge.nano
        self._journal("answered", run=debit.claim.run, programme=debit.claim.programme, charge=charge)
        return reply

    def _decide(self, programme: Programme, book: Book, verified: Compilation | None = None) -> Granted | Refused:
        return decide(programme, self._region.standing(book), verified)

    def _stored(self, asked: Asked) -> bytes | None:
        held = self._region.ledger.book.snapshots.get(asked.programme.programme.cohort)
        return None if held is None else self._region.ledger.answer(asked.digest, held.snapshot)

    def _refused(self, ordered: Ordered, refused: Refused) -> None:
        run, programme, reason = ordered.order.run, ordered.asked.digest, refused.reason.value
        self._journal("refused", run=run, programme=programme, reason=reason)
        try:
            self._region.ledger.log_refusal(RefusedEntry(event="refused", programme=programme, run=run, reason=reason))
        except Exception as error:
            self._journal("fault", run=run, programme=programme, place=place_of(error))
