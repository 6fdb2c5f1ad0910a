"""What a debit is for, who asks for one, and the debit itself: see ledger.py for its life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rondgang.signed import Signed

from node.ledger.book import Book
from policies.rules.decide import Granted
from policies.rules.refusals import Refused

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a debit is for: programme hash, run, researcher's public key (hex), cohort and its snapshot in force.

    `attempt` 0 is the region's own answer; from 1 on, that attempt of the run at the national sums.
    """

    programme: str
    run: str
    researcher: str
    cohort: str
    snapshot: str
    attempt: int = 0

    @property
    def key(self) -> Key:
        """What one debit pays for, once: an answer from a snapshot, or an attempt of a run."""
        return self.programme, self.run if self.attempt else self.snapshot, self.attempt


@dataclass(frozen=True, slots=True)
class Ask:
    """One order that asks for a debit: what for, the signed documents that it came with, and who decides."""

    claim: Claim
    signed_programme: Signed
    signed_order: Signed
    decide: Callable[[Book], Granted | Refused]


@dataclass(frozen=True, slots=True)
class Debit:
    """A charge that is on disk. It may be used once, and only by the process that made it."""

    seq: int
    claim: Claim
    granted: Granted
