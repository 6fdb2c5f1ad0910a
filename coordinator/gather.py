"""The life of one run, as a pure state machine.

                     every region replied
          ┌────────┐ ───────────────────> ┌──────────┐
    open  │ asking │                      │ complete │
   ─────> │        │ <─────────────────── │          │
          └────────┘  asked again before  └──────────┘
              │       the deadline             ^
              │ deadline                       │ the last reply came after all
              v                                │
          ┌────────┐                           │
          │ closed │ ──────────────────────────┘
          └────────┘

A region is waiting (nothing sent, or its line broke), sent, answered or refused. Its first answer stays; a refusal
gives way to an answer, and to asking again. After the deadline nothing is sent, but an answer that was paid for before
and arrives late is still kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from policies.rules.refusals import Refused


class State(StrEnum):
    ASKING = "asking"
    COMPLETE = "complete"
    CLOSED = "closed"


class Asked(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    ANSWERED = "answered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a region's kept answer came again, and how often another one came and was kept out."""

    same: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Gathering:
    """Where one run stands. `deadline` is in unix seconds. Regions outside `regions` are never asked."""

    run: str
    regions: tuple[str, ...]
    deadline: int
    answered: frozenset[str] = frozenset()
    refused: Mapping[str, Refused] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    repeats: Mapping[str, Repeats] = field(default_factory=dict)

    @property
    def replied(self) -> frozenset[str]:
        return self.answered | frozenset(self.refused)

    def state(self, now: int) -> State:
        """`complete` once every region replied to all it was asked; else `closed` past the deadline."""
        past = now > self.deadline
        if self.replied >= frozenset(self.regions) and (past or not self.again):
            return State.COMPLETE
        return State.CLOSED if past else State.ASKING

    def asked(self, region: str) -> Asked:
        """Where one region stands; a region that is asked again is waiting or sent until it replies once more."""
        if region in self.sent:
            return Asked.SENT
        if region in self.again:
            return Asked.WAITING
        if region in self.answered:
            return Asked.ANSWERED
        return Asked.REFUSED if region in self.refused else Asked.WAITING

    def to_send(self, attending: Iterable[str], now: int) -> tuple[str, ...]:
        """The regions on the line whose turn it is, in the programme's order; none after the deadline."""
        if now > self.deadline:
            return ()
        here = frozenset(attending)
        open_ = (frozenset(self.regions) - self.replied) | self.again
        return tuple(region for region in self.regions if region in open_ & here - self.sent)

    def order_sent(self, region: str) -> Gathering:
        return replace(self, sent=self.sent | {region})

    def line_lost(self, region: str) -> Gathering:
        """The region's line broke: what it was sent may never have arrived, so it is sent once more."""
        return replace(self, sent=self.sent - {region})

    def answer_kept(self, region: str) -> Gathering:
        """The region's first answer is stored."""
        refused = {code: why for code, why in self.refused.items() if code != region}
        return replace(self._done(region), answered=self.answered | {region}, refused=refused)

    def answer_repeated(self, region: str, *, same: bool) -> Gathering:
        """Another answer came for a region that has one: the same bytes, or others, which are kept out."""
        before = self.repeats.get(region, Repeats())
        after = replace(before, same=before.same + 1) if same else replace(before, other=before.other + 1)
        return replace(self._done(region), repeats={**self.repeats, region: after})

    def refusal_kept(self, region: str, why: Refused) -> Gathering:
        """The region said no. A region that has answered keeps its answer."""
        if region in self.answered:
            return self._done(region)
        return replace(self._done(region), refused={**self.refused, region: why})

    def ask_again(self, answered_too: Iterable[str] = ()) -> Gathering:
        """Asks every region that refused once more, and of those that answered the ones named."""
        return replace(self, refused={}, again=self.again | (self.answered & frozenset(answered_too)))

    def _done(self, region: str) -> Gathering:
        return replace(self, sent=self.sent - {region}, again=self.again - {region})
