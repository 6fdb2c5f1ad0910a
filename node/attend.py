"""Attending: the node dials the desk, keeps one stream open, and comes back when it is lost.

    dial -> hello -> welcomed -> orders and quotes until the stream ends -> wait, longer each time -> dial ...
                  -> turned away: tell the steward, wait long

Orders, quotes, results and the rounds of attempts at national sums are worked on in one thread, by the ledger's one
writer; orders that come while it works go to it together (waiting.py). Replies leave on their ticks. An order that
waits for the steward is refused as such; once the steward has decided, its reply leaves by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import grpc
from rondgang.versions import SPOKEN

from node.answering import FAULT, LATE, Answering, Quoted
from node.authenticate import Asked, read_order, read_programme
from node.channel import channel_options, credentials
from node.departure import departure, last_moment
from node.entropy import fraction
from node.home import Reconnect
from node.journal import Journal, place_of
from node.region import Region
from node.results import take_in
from node.secure.attempts import Attempts
from node.waiting import ForSteward, Queue
from node.wire import (
    Greeting,
    OrderArrived,
    QuoteAsked,
    ResultsArrived,
    SecureArrived,
    Stream,
    TurnedAway,
    Welcomed,
)
from policies.rules.refusals import Reason, Refused
from policies.rules.tick import Tick, tick_of
from policies.units.money import NanoRho

_MOST_AT_WORK = 64
"""Orders and quotes taken in before the stream is read again; a desk that sends more waits."""
_UNREADABLE_TICKS = 400
_NOTHING = NanoRho(0)
LATE_VECTOR = Refused(Reason.LATE, "The region was not ready in time for this attempt. Start a new attempt.")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended: whether the desk had welcomed us, and whether it sent us away."""

    welcomed: bool
    turned_away: bool = False


def wait_ms(settings: Reconnect, failures: int, spread: float) -> int:
    """How long to wait after so many failures in a row (from 1); `spread` in [0, 1) takes up to half of it off."""
    longest = min(settings.longest_wait_ms, settings.first_wait_ms * 2 ** min(failures - 1, 30))
    return int(longest * (1 - spread / 2))


class Attendance:
    """One node's attendance. `connected` says whether the desk is there; `software` is what we call ourselves."""

    def __init__(
        self,
        region: Region,
        answering: Answering,
        attempts: Attempts,
        worker: Executor,
        journal: Journal,
        software: str,
    ) -> None:
        self._region = region
        self._answering = answering
        self._attempts = attempts
        self._worker = worker
        self._journal = journal
        self._software = software
        self._queue = Queue(answering.answer, worker, journal)
        self._for_steward = ForSteward()
        self._once_more: Callable[[OrderArrived], Awaitable[None]] | None = None
        self._trying: set[asyncio.Task[None]] = set()
        self.connected = False

    @property
    def awaiting_steward(self) -> int:
        """How many orders wait for the steward, to decide or to end a pause."""
        return len(self._for_steward.all())

    def again(self) -> None:
        """Tries the orders that wait for the steward once more. To be called, in the event loop, after a change."""
        if self._once_more is not None and self._for_steward.all():
            trying = asyncio.ensure_future(self._guarded(self._try_again(self._once_more)))
            self._trying.add(trying)
            trying.add_done_callback(self._trying.discard)

    async def run(self, stop: asyncio.Event, attending: Callable[[], None]) -> None:
        """Attends until `stop` is set; calls `attending` each time the desk has welcomed us."""
        failures = 0
        while not stop.is_set():
            ended = await self._until(stop, attending)
            self.connected = False
            failures = 1 if ended.welcomed else failures + 1
            settings = self._region.config.reconnect
            wait = settings.rejected_wait_ms if ended.turned_away else wait_ms(settings, failures, fraction())
            await first_of(stop, timeout_s=wait / 1000)
        self._queue.stop()

    async def _until(self, stop: asyncio.Event, attending: Callable[[], None]) -> Ended:
        session = asyncio.create_task(self._session(attending))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({session, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        session.cancel()
        await asyncio.wait({session})
        if session.cancelled():
            return Ended(welcomed=False)
        if (broken := session.exception()) is not None:
            self._journal("fault", place=place_of(broken))
            return Ended(welcomed=False)
        return session.result()

    async def _session(self, attending: Callable[[], None]) -> Ended:
        welcomed = turned_away = False
        async with self._channel() as channel:
            stream = Stream(channel)
            try:
                await stream.greet(self._greeting())
                within_s = self._region.config.reconnect.welcome_within_ms / 1000
                first = await asyncio.wait_for(stream.read(), within_s)
                if isinstance(first, Welcomed) and first.version in SPOKEN:
                    welcomed = self.connected = True
                    self._journal("attending")
                    attending()
                    turned_away = await self._serve(stream)
                else:
                    turned_away = self._not_welcomed(first)
            except grpc.aio.AioRpcError as error:
                self._journal("connection_lost", reason=error.code().name.lower())
            except TimeoutError:
                self._journal("connection_lost", reason="the desk did not greet back in time")
            finally:
                stream.close()
        return Ended(welcomed, turned_away)

    def _channel(self) -> grpc.aio.Channel:
        config = self._region.config
        options = channel_options(config.coordinator, config.reconnect)
        return grpc.aio.secure_channel(config.coordinator.address, credentials(self._region.home), options)

    def _greeting(self) -> Greeting:
        held = self._region.documents
        return Greeting(
            region=self._region.code,
            software=self._software,
            roster=held.roster.digest if held.roster else "",
            calendar=held.calendar.digest if held.calendar else "",
        )

    def _not_welcomed(self, first: object) -> bool:
        if isinstance(first, TurnedAway):
            self._journal("not_admitted", reason=f"{first.reason.value}: {first.sentence}")
            return True
        self._journal("not_admitted", reason="the desk speaks another version, or hung up without a word")
        return False

    async def _serve(self, stream: Stream) -> bool:
        """Takes in messages until the stream ends; True if the desk sent us away.

        Work that is under way then goes on to the ledger; only its departure is called off.
        """
        room = asyncio.Semaphore(_MOST_AT_WORK)
        jobs: set[asyncio.Task[None]] = set()

        def begin(job: Awaitable[None]) -> None:
            task = asyncio.ensure_future(self._guarded(job))
            jobs.add(task)
            task.add_done_callback(jobs.discard)
            task.add_done_callback(lambda _done: room.release())

        async def once_more(message: OrderArrived) -> None:
            await room.acquire()
            begin(self._order(stream, message, asyncio.get_running_loop().time(), again=True))

        self._once_more = once_more
        try:
            while True:
                await room.acquire()
                message = await stream.read()
                match message:
                    case OrderArrived():
                        begin(self._order(stream, message, asyncio.get_running_loop().time()))
                    case QuoteAsked():
                        begin(self._quote(stream, message))
                    case ResultsArrived():
                        begin(self._results(stream, message))
                    case SecureArrived():
                        begin(self._secure(stream, message, asyncio.get_running_loop().time()))
                    case Welcomed():
                        room.release()
                    case TurnedAway() | None:
                        return message is not None and self._not_welcomed(message)
        finally:
            self._once_more = None
            for job in jobs:
                job.cancel()

    async def _guarded(self, job: Awaitable[None]) -> None:
        try:
            await job
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            self._journal("connection_lost", reason="the stream ended before a reply could leave")
        except Exception as error:
            # One message that breaks us must not take the others with it; the desk asks again.
            self._journal("fault", place=place_of(error))

    async def _try_again(self, once_more: Callable[[OrderArrived], Awaitable[None]]) -> None:
        for message in self._for_steward.all():
            await once_more(message)

    async def _order(self, stream: Stream, message: OrderArrived, arrived_s: float, *, again: bool = False) -> None:
        """Replies to an order; one that is tried again is silent while it still waits for the steward."""
        ordered = read_order(message.run, message.signed_order, message.signed_programme)
        loop = asyncio.get_running_loop()
        outcome: bytes | Refused
        if isinstance(ordered, Refused):
            self._journal("refused", reason=ordered.reason.value)
            tick, outcome = Tick(self._region.tick_ms, _UNREADABLE_TICKS), ordered
        else:
            tick = tick_of(ordered.asked.programme, self._region.tick_ms)
            work = self._queue.put(ordered)
            # Not cancelled when time is up: what was charged is answered, stored, and served next time.
            await asyncio.wait({work}, timeout=max(0.0, last_moment(tick, arrived_s) - loop.time()))
            outcome = work.result() if work.done() else LATE
            if self._for_steward.note(message, outcome) and again:
                return
        moment = departure(tick, arrived_s, loop.time())
        if moment is None:
            self._journal("late", run=None if isinstance(ordered, Refused) else ordered.order.run)
            outcome, moment = LATE, loop.time()
        await asyncio.sleep(max(0.0, moment - loop.time()))
        await stream.answer(message.run, outcome)

    async def _quote(self, stream: Stream, message: QuoteAsked) -> None:
        asked = read_programme(message.signed_programme)
        if isinstance(asked, Refused):
            quoted = Quoted(_NOTHING, _NOTHING, _NOTHING, asked)
        else:
            loop = asyncio.get_running_loop()
            quoted = await loop.run_in_executor(self._worker, self._quoted, asked)
        await stream.quote(message.quote, quoted)

    async def _results(self, stream: Stream, message: ResultsArrived) -> None:
        loop = asyncio.get_running_loop()
        work = (self._region, message.run, message.signed_result, self._journal)
        taken = await loop.run_in_executor(self._worker, take_in, *work)
        if isinstance(taken, Refused):
            await stream.results_kept(message.run, "", taken)
        else:
            await stream.results_kept(message.run, taken, None)

    async def _secure(self, stream: Stream, message: SecureArrived, arrived_s: float) -> None:
        """Replies in an attempt: at once, but on a tick where rows may have been read."""
        loop = asyncio.get_running_loop()
        work = (message.run, message.attempt, message.said)
        told = await loop.run_in_executor(self._worker, self._attempts.take, *work)
        reply = told.reply
        if reply is None:
            return
        if told.tick is not None:
            moment = departure(told.tick, arrived_s, loop.time())
            if moment is None:
                self._journal("late", run=message.run, attempt=message.attempt)
                reply, moment = LATE_VECTOR, loop.time()
            await asyncio.sleep(max(0.0, moment - loop.time()))
        await stream.secure(message.run, message.attempt, reply)

    def _quoted(self, asked: Asked) -> Quoted:
        try:
            quoted = self._answering.quote(asked)
        except Exception as error:
            self._journal("fault", programme=asked.digest, place=place_of(error))
            return Quoted(asked.programme.charge.amount, _NOTHING, _NOTHING, FAULT)
        self._journal("quoted", programme=asked.digest, reason=quoted.refused.reason.value if quoted.refused else None)
        return quoted


async def first_of(*events: asyncio.Event, timeout_s: float) -> None:
    """Waits until one of the events is set, or the time is up."""
    waiting = {asyncio.create_task(event.wait()) for event in events}
    await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
