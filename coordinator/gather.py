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

A region is waiting (nothing sent, or its line broke), sent, pending, answered or refused. Its first answer stays; a
refusal gives way to an answer, and to asking again. After the deadline nothing is sent, but an answer that was paid for
before and arrives late is still kept.

    sent ──> answered
    sent ──> refused                                       for good: only a new submit asks again
    sent ──> pending ──> pending ... ──> answered | refused

Pending is a no that may become a yes by itself: the steward has not decided, witnesses are away or ahead, or the answer
was not ready in time. Such a region has not replied, so the run stays open; it is sent the order again when it comes
back on the line, and while it stays there after a pause that grows. Its later reply, asked for or not, takes the place
of the refusal.

A run whose programme asks for national sums as well stays open while such a sum is awaited (coordinator/secure).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from policies.rules.refusals import Reason, Refused

V = TypeVar("V")

FIRST_PAUSE_S = 5
LONGEST_PAUSE_S = 300
TEMPORARY: Mapping[Reason, int] = {
    # A node answers by itself once its steward has approved; asking again is for what it forgot.
    Reason.AWAITING_APPROVAL: LONGEST_PAUSE_S,
    # A pause or quiet hours take long.
    Reason.PAUSED: LONGEST_PAUSE_S,
    Reason.UNWITNESSED: FIRST_PAUSE_S,
    Reason.BEHIND_WITNESSES: FIRST_PAUSE_S,
    Reason.LATE: FIRST_PAUSE_S,
}
"""The reasons that may pass by themselves, and the seconds to the first time that a region is asked again."""


class State(StrEnum):
    ASKING = "asking"
    COMPLETE = "complete"
    CLOSED = "closed"


class Asked(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    PENDING = "pending"
    ANSWERED = "answered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a region's kept answer came again, and how often another one came and was kept out."""

    same: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    """How often in a row a region said: not yet; and from when on (unix seconds) it is asked again."""

    times: int
    due: int


@dataclass(frozen=True, slots=True)
class Gathering:
    """Where one run stands. `deadline` is in unix seconds. Regions outside `regions` are never asked.

    `came` is the unix second of each region's answer. `retries` are those of pending regions; one without is asked as
    soon as it is on the line. `sum_awaited`: national sums may still come.
    """

    run: str
    regions: tuple[str, ...]
    deadline: int
    answered: frozenset[str] = frozenset()
    refused: Mapping[str, Refused] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    repeats: Mapping[str, Repeats] = field(default_factory=dict)
    retries: Mapping[str, Retry] = field(default_factory=dict)
    sum_awaited: bool = False
    came: Mapping[str, int] = field(default_factory=dict)

    @property
    def pending(self) -> frozenset[str]:
        """The regions whose refusal may pass by itself."""
        return frozenset(region for region, why in self.refused.items() if why.reason in TEMPORARY)

    @property
    def replied(self) -> frozenset[str]:
        """The regions that answered, or refused for good."""
        return self.answered | (frozenset(self.refused) - self.pending)

    def state(self, now: int) -> State:
        """`complete` once every region replied to all it was asked and no sum is awaited; else `closed` past the
        deadline."""
        past = now > self.deadline
        if self.replied >= frozenset(self.regions) and (past or not self.again) and not self.sum_awaited:
            return State.COMPLETE
        return State.CLOSED if past else State.ASKING

    def asked(self, region: str) -> Asked:
        """Where one region stands; a region that is asked again is waiting or sent until it replies once more.

        A pending one stays pending while it is asked again: its last word counts until the next.
        """
        if region in self.pending:
            return Asked.PENDING
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
        paused = {region for region, retry in self.retries.items() if now < retry.due}
        open_ = (frozenset(self.regions) - self.replied - paused) | self.again
        return tuple(region for region in self.regions if region in open_ & here - self.sent)

    def order_sent(self, region: str) -> Gathering:
        return replace(self, sent=self.sent | {region})

    def line_lost(self, region: str) -> Gathering:
        """The region's line broke: what it was sent may never have arrived, so it is sent again, without a pause."""
        return replace(self, sent=self.sent - {region}, retries=_without(self.retries, region))

    def answer_kept(self, region: str, now: int) -> Gathering:
        """The region's first answer is stored."""
        refused, retries = _without(self.refused, region), _without(self.retries, region)
        done, came = self._done(region), {**self.came, region: now}
        return replace(done, answered=self.answered | {region}, came=came, refused=refused, retries=retries)

    def answer_repeated(self, region: str, *, same: bool) -> Gathering:
        """Another answer came for a region that has one: the same bytes, or others, which are kept out."""
        before = self.repeats.get(region, Repeats())
        after = replace(before, same=before.same + 1) if same else replace(before, other=before.other + 1)
        return replace(self._done(region), repeats={**self.repeats, region: after})

    def settled(self, region: str, why: Refused) -> bool:
        """Whether this refusal changes nothing: the region has answered, or it says "not yet" after it said no."""
        final = region in self.refused and region not in self.pending
        return region in self.answered or (final and why.reason in TEMPORARY)

    def refusal_kept(self, region: str, why: Refused, now: int) -> Gathering:
        """The region said no, or not yet. Unless asked again, it keeps its answer, and a no that was for good."""
        done = self._done(region)
        if self.settled(region, why):
            return done
        retries = _without(self.retries, region)
        if (first := TEMPORARY.get(why.reason)) is not None:
            times = self.retries[region].times + 1 if region in self.retries else 1
            pause = min(first * 2 ** min(times - 1, 20), LONGEST_PAUSE_S)
            retries[region] = Retry(times, now + pause)
        return replace(done, refused={**self.refused, region: why}, retries=retries)

    def ask_again(self, answered_too: Iterable[str] = ()) -> Gathering:
        """Asks every region that refused once more, and of those that answered the ones named."""
        return replace(self, refused={}, retries={}, again=self.again | (self.answered & frozenset(answered_too)))

    def _done(self, region: str) -> Gathering:
        return replace(self, sent=self.sent - {region}, again=self.again - {region})


def _without(by_region: Mapping[str, V], region: str) -> dict[str, V]:
    return {code: value for code, value in by_region.items() if code != region}
