"""One live line for each region that attends, and what is said over it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from policies.rules.refusals import Refused
from policies.secure.messages import Round
from policies.units.money import NanoRho


@dataclass(frozen=True, slots=True)
class OrderOut:
    """Asks a region to answer a programme in a run. Both documents are signed canonical bytes."""

    run: str
    signed_order: bytes
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class ResultOut:
    """Gives a region what comes back of a run: a signed result."""

    run: str
    signed_result: bytes


@dataclass(frozen=True, slots=True)
class SecureOut:
    """What the desk says to a region in an attempt at the national sums of a run."""

    run: str
    attempt: int
    said: Round


@dataclass(frozen=True, slots=True)
class QuoteOut:
    """Asks a region what it would say to a programme. It touches no data for that."""

    quote: str
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a region would charge and have left; with `refused`, why it would not answer.

    `test_only`: its policy is for tests alone.
    """

    charge: NanoRho
    left_cohort: NanoRho
    left_lifetime: NanoRho
    refused: Refused | None
    test_only: bool = False


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a node said of itself when it came on the line, and the TLS key it came with (SHA-256, hex).

    `keeps_results`: it is of a version that takes results.
    """

    region: str
    software: str
    roster_hash: str
    calendar_hash: str
    tls: str
    keeps_results: bool = False


Outgoing = OrderOut | QuoteOut | ResultOut | SecureOut

MOST_QUEUED = 4_096
"""Messages that may wait for a node that reads slowly. One more ends its line; what it missed comes later."""
MOST_BEFORE_QUOTES = 64
"""A node with more than this waiting for it is not asked for a quote: it counts as away."""


@dataclass(slots=True)
class Line:
    """One node's stream. `outgoing` ends with what the node is told when it is sent away, or with None.

    `writing_since` is when (seconds of the event loop) the message that is on its way now was handed to the network.
    """

    introduction: Introduction
    outgoing: asyncio.Queue[Outgoing | Refused | None] = field(default_factory=asyncio.Queue)
    quotes: dict[str, asyncio.Future[Quoted]] = field(default_factory=dict)
    writing_since: float | None = None
    ended: bool = False

    def put(self, item: Outgoing) -> bool:
        """Queues a message; False where the line has ended, as it does when too much is waiting."""
        if self.ended:
            return False
        if self.outgoing.qsize() >= MOST_QUEUED:
            self.break_off()
            return False
        self.outgoing.put_nowait(item)
        return True

    def end(self, why: Refused | None = None) -> None:
        """Closes the line after what is queued already; the node hears why."""
        if self.ended:
            return
        self.ended = True
        self.outgoing.put_nowait(why)
        for waiting in self.quotes.values():
            waiting.cancel()
        self.quotes.clear()

    def break_off(self) -> None:
        """Closes the line and drops what is queued: for a node that does not read."""
        while not self.outgoing.empty():
            self.outgoing.get_nowait()
        self.end()


class Lines:
    """Who is on the line. A region has one line: a newer one replaces the older. Lives on one event loop."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    @property
    def attending(self) -> frozenset[str]:
        return frozenset(self._lines)

    def all(self) -> tuple[Line, ...]:
        return tuple(self._lines.values())

    def join(self, line: Line) -> Line | None:
        """Puts a region on the line and gives the line that it replaces, which the caller ends."""
        older = self._lines.get(line.introduction.region)
        self._lines[line.introduction.region] = line
        return older

    def leave(self, line: Line) -> bool:
        """Takes a line off; False where a newer one had replaced it."""
        for waiting in line.quotes.values():
            waiting.cancel()
        if self._lines.get(line.introduction.region) is not line:
            return False
        del self._lines[line.introduction.region]
        return True

    def send(self, region: str, item: OrderOut | SecureOut) -> bool:
        """Queues an order, or what is said in an attempt; False where the region is away."""
        line = self._lines.get(region)
        return line is not None and line.put(item)

    def give(self, region: str, result: ResultOut) -> bool:
        """Queues a result; False where the region is away, or runs a version that takes none."""
        line = self._lines.get(region)
        return line is not None and line.introduction.keeps_results and line.put(result)

    async def quotes(self, request: QuoteOut, regions: Iterable[str], timeout_s: float) -> dict[str, Quoted]:
        """What the attending ones of `regions` say, as far as they do within `timeout_s`."""
        waiting: dict[str, asyncio.Future[Quoted]] = {}
        loop = asyncio.get_running_loop()
        for region in regions:
            line = self._lines.get(region)
            if line is not None and line.outgoing.qsize() <= MOST_BEFORE_QUOTES and line.put(request):
                waiting[region] = line.quotes[request.quote] = loop.create_future()
        if waiting:
            await asyncio.wait(waiting.values(), timeout=timeout_s)
        for region in waiting:
            if line := self._lines.get(region):
                line.quotes.pop(request.quote, None)
        return {
            region: future.result() for region, future in waiting.items() if future.done() and not future.cancelled()
        }


def take_quote(line: Line, quote: str, quoted: Quoted) -> None:
    """Hands a quote to whoever waits for it; one that nobody waits for any more is dropped."""
    future = line.quotes.pop(quote, None)
    if future is not None and not future.done():
        future.set_result(quoted)
