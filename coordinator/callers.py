"""Who is being served: how much each caller has open, whose turn it is, and who has to go.

A caller is a TLS key. What one asks waits behind what it asked before, never behind another caller: a flood is a queue
of its own. A call holds its place until the last byte of its reply is on its way, so that a caller who never reads has
fewer places left and costs no more memory. Everything here lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from policies.rules.refusals import Refused

Kind = Literal["call", "watch", "line"]
"""A call has one request and one reply; who watches a run is told of changes; a line is a node's attendance."""

MOST_OPEN: Mapping[Kind, int] = {"call": 128, "watch": 128, "line": 4}
"""What one caller may have open at once; one more is refused with RESOURCE_EXHAUSTED. A node has one line, and for a
moment the one before; the rest is for lines that a network has forgotten and nobody has noticed yet."""
AT_ONCE = 8
"""Calls of one caller that are read, worked on and replied to at the same time; its others wait."""


@dataclass(eq=False, slots=True)
class Call:
    """One open call. `over` is done when the desk wants it to end: with a refusal, or None where the desk stops."""

    who: str
    kind: Kind
    over: asyncio.Future[Refused | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, why: Refused | None) -> None:
        if not self.over.done():
            self.over.set_result(why)


class Callers:
    """The open calls. Seams: how much one caller may have open, and how much of it is worked on at once."""

    def __init__(self, most_open: Mapping[Kind, int] = MOST_OPEN, at_once: int = AT_ONCE) -> None:
        self._most_open = most_open
        self._at_once = at_once
        self._open: dict[str, set[Call]] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._crowded: set[str] = set()
        self._quiet = asyncio.Event()
        self.stopping = False

    def begin(self, who: str, kind: Kind) -> Call | None:
        """Opens a call; None where this caller has too many open. Whoever opens one says when it has ended."""
        mine = self._open.get(who, set())
        if sum(call.kind == kind for call in mine) >= self._most_open[kind]:
            return None
        call = Call(who, kind)
        self._open.setdefault(who, set()).add(call)
        return call

    def ended(self, call: Call) -> None:
        """Gives the place of a call back."""
        mine = self._open.get(call.who, set())
        mine.discard(call)
        if not mine:
            self._open.pop(call.who, None)
            self._turns.pop(call.who, None)
            self._crowded.discard(call.who)
        if not self.count("call"):
            self._quiet.set()

    def newly_crowded(self, who: str) -> bool:
        """Whether this is the first call too many since the caller had none open: worth one line in the log."""
        if who in self._crowded:
            return False
        self._crowded.add(who)
        return True

    @asynccontextmanager
    async def turn(self, call: Call) -> AsyncIterator[None]:
        """Waits until few enough of the caller's other calls are worked on."""
        async with self._turns.setdefault(call.who, asyncio.Semaphore(self._at_once)):
            yield

    def count(self, kind: Kind) -> int:
        """How many calls of a kind are open, of all callers."""
        return sum(call.kind == kind for calls in self._open.values() for call in calls)

    def sweep(self, gone: Callable[[str], Refused | None]) -> None:
        """Ends what is open for callers that may no longer call, by what `gone` says of them."""
        for who, calls in list(self._open.items()):
            if (why := gone(who)) is not None:
                for call in list(calls):
                    call.end(why)

    async def drain(self, within_s: float) -> None:
        """Admits nothing more, ends what watches, and waits a while for calls that are being worked on."""
        self.stopping = True
        self._quiet.clear()
        for calls in list(self._open.values()):
            for call in list(calls):
                if call.kind == "watch":
                    call.end(None)
        if self.count("call"):
            try:
                async with asyncio.timeout(within_s):
                    await self._quiet.wait()
            except TimeoutError:
                # The rest is cut off; whoever asked is told UNAVAILABLE, and may ask again.
                return
