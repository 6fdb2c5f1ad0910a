"""Orders that wait: for the writer, which takes together what came while it worked; and for the steward's word."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from node.answering import FAULT
from node.authenticate import Ordered
from node.journal import Journal, place_of
from node.wire import OrderArrived
from policies.rules.refusals import Reason, Refused

_MOST_TOGETHER = 16
"""Orders in one batch: one commit and one round of witnesses for all, and no order waits long for the others' rows."""
_MOST_FOR_STEWARD = 256

Answer = Callable[[Sequence[Ordered]], list[bytes | Refused]]
Outcomes = asyncio.Future[bytes | Refused]


class Queue:
    """Orders for the one writer, in the order in which they came. Lives on one event loop."""

    def __init__(self, answer: Answer, worker: Executor, journal: Journal) -> None:
        self._answer = answer
        self._worker = worker
        self._journal = journal
        self._waiting: deque[tuple[Ordered, Outcomes]] = deque()
        self._working = self._stopped = False

    def put(self, ordered: Ordered) -> Outcomes:
        """The outcome to come. Cancelling it calls off nothing: an order that was begun is finished."""
        outcome: Outcomes = asyncio.get_running_loop().create_future()
        self._waiting.append((ordered, outcome))
        self._next()
        return outcome

    def stop(self) -> None:
        """Begins no further batch; what waits costs nothing, and is asked again another day."""
        self._stopped = True

    def _next(self) -> None:
        if self._working or self._stopped or not self._waiting:
            return
        self._working = True
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_TOGETHER))]
        orders = [ordered for ordered, _outcome in batch]
        work = asyncio.get_running_loop().run_in_executor(self._worker, self._answer, orders)
        work.add_done_callback(partial(self._done, [outcome for _ordered, outcome in batch]))

    def _done(self, outcomes: Sequence[Outcomes], work: asyncio.Future[list[bytes | Refused]]) -> None:
        self._working = False
        if work.cancelled():
            return
        if (broken := work.exception()) is not None:
            self._journal("fault", place=place_of(broken))
        found = [FAULT] * len(outcomes) if broken is not None else work.result()
        for outcome, told in zip(outcomes, found, strict=True):
            if not outcome.done():
                outcome.set_result(told)
        self._next()


class ForSteward:
    """Orders that wait for the steward, to decide or to end a pause, by run.

    The oldest is forgotten where there are too many: the desk asks it again.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[str, OrderArrived] = OrderedDict()

    def all(self) -> tuple[OrderArrived, ...]:
        return tuple(self._held.values())

    def note(self, message: OrderArrived, outcome: bytes | Refused) -> bool:
        """Remembers an order that waits for the steward, and forgets one that does not; True if it waits."""
        self._held.pop(message.run, None)
        waits = isinstance(outcome, Refused) and outcome.reason in (Reason.AWAITING_APPROVAL, Reason.PAUSED)
        if waits:
            self._held[message.run] = message
            if len(self._held) > _MOST_FOR_STEWARD:
                self._held.popitem(last=False)
        return waits
