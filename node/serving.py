"""`serve`: the one process that holds a home, attends to the desk, and does what other verbs ask."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from node.answering import Answering
from node.attend import Attendance, first_of
from node.control import Request, Response, listen, stop_listening
from node.entropy import fresh
from node.errors import DiskFault
from node.home import Home
from node.journal import FileJournal, Journal, guard, place_of
from node.ledger.ledger import Ledger
from node.lock import exclusive
from node.mechanism import DiscreteGaussian
from node.metrics import Counting, sheet_of
from node.operations import Done, Woken, perform, to_text
from node.region import NotReady, Region
from node.rows import SnapshotRows
from node.secure.attempts import Attempts
from node.secure.masking import Sources
from node.status import Status, Trouble, attempts_of, trouble_of, witnesses_of
from node.witnessing.wire import GrpcLine
from node.witnessing.witnesses import Witnesses
from policies.rules.metrics import Sheet

TEST_ONLY = "the policy in force is for tests alone: its caps protect nobody"
_PATIENCE_S = 5.0
_SOON_S = 5.0
"""Witnesses that were away are tried again this soon."""
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Served:
    """What the steward sees on the terminal.

    `attending` is called each time the desk has welcomed the node, `troubled` each time that there is another reason
    why nothing can be spent, with None when it is over.
    """

    attending: Callable[[], None]
    troubled: Callable[[Trouble | None], None]
    software: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a serving node is made of."""

    region: Region
    answering: Answering
    attempts: Attempts
    witnesses: Witnesses
    journal: Counting
    served: Served


def serve(home: Home, served: Served) -> None:
    """Serves until SIGTERM or SIGINT; what was begun by then is finished and stored.

    Raises HomeBusy, BadHome, BrokenLedger, BadDelivery, and NotReady where roster, calendar or policy is missing; and
    DiskFault once a commit has failed, so that whatever starts the node again has its ledger read anew.
    """
    with exclusive(home.lock_file, _PATIENCE_S), contextlib.ExitStack() as closing:
        region = Region(home, lambda: int(time.time()))
        closing.callback(region.close)
        home.tls()
        if missing := region.missing():
            raise NotReady(*missing)
        lines_file = FileJournal(home.logs, region.code)
        closing.callback(lines_file.close)
        journal = Counting(lines_file)
        sys.excepthook = guard(journal)
        threading.excepthook = lambda told: journal("fault", place=place_of(told.exc_value or RuntimeError()))
        # Engine and sampler are loaded before the desk hears of us: the first question is as quick as the next.
        rows = SnapshotRows(home)
        closing.callback(rows.close)
        journal("started")
        if region.test_only:
            journal("test_only", reason=TEST_ONLY)
        key, settings = home.signing_key("checkpoint"), region.config
        lines = [GrpcLine(home, address, settings.reconnect) for address in settings.watchers]
        witnesses = Witnesses(region, key, lines, journal)
        closing.callback(witnesses.close)
        answering = Answering(region, rows, key, witnesses, journal)
        attempts = Attempts(region, Sources(rows, DiscreteGaussian(), fresh), key, witnesses, journal)
        # What was loaded so far stays for good: collections need not walk through it again.
        gc.collect()
        gc.freeze()
        asyncio.run(_serve(_Parts(region, answering, attempts, witnesses, journal, served)))
        journal("stopped")
        if not region.ledger.usable:
            raise DiskFault("serve: a commit failed; look after the disk, and start the node again")


async def _serve(parts: _Parts) -> None:
    region, journal = parts.region, parts.journal
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, told: _untold(journal, told.get("exception")))
    _on_signals(loop, stop)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer") as writer:
        watch = _Watch(parts, writer)
        # Before the desk hears of us: a node that is behind knows it by its first order.
        await watch.once()
        attendance = Attendance(region, parts.answering, parts.attempts, writer, journal, parts.served.software)
        async with _metered(parts, attendance, writer):
            control = await listen(region.home, _control(parts, attendance, writer))
            watching = asyncio.create_task(watch.run(stop))
            looking = asyncio.create_task(_until_unusable(region.ledger, stop))
            try:
                await attendance.run(stop, watch.on_attending)
            finally:
                stop_listening(region.home, control)
                watching.cancel()
                looking.cancel()
                await asyncio.wait({watching, looking})


async def _until_unusable(ledger: Ledger, stop: asyncio.Event) -> None:
    """Sets `stop` once a commit has failed: a node that stayed would refuse everything until somebody looked."""
    while ledger.usable:
        await asyncio.sleep(_LOOK_S)
    stop.set()


@contextlib.asynccontextmanager
async def _metered(parts: _Parts, attendance: Attendance, writer: ThreadPoolExecutor) -> AsyncIterator[None]:
    """Shows the node's public figures, where the settings want that."""
    if not parts.region.config.metrics.wanted:
        yield
        return
    # A library and a server that no other node needs.
    from node.metering import metering

    started = parts.region.now()

    def take() -> Sheet:
        here, waiting = attendance.connected, attendance.awaiting_steward
        sheet = sheet_of(parts.region, parts.witnesses, started=started, attending=here, awaiting=waiting)
        return parts.journal.beside(sheet)

    async with metering(parts.region.home, take, writer, parts.journal):
        yield


class _Watch:
    """Compares the ledger with the witnesses from time to time, and tells the steward what is wrong when that changes.

    A desk that has just welcomed us may be a witness that was away: then at once.
    """

    def __init__(self, parts: _Parts, writer: ThreadPoolExecutor) -> None:
        self._parts = parts
        self._writer = writer
        self._told: Trouble | None = None
        self._due = asyncio.Event()

    def on_attending(self) -> None:
        self._parts.served.attending()
        if self._told is not None:
            self._due.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            self._due.clear()
            every_s = float(self._parts.region.config.witnessing.compare_every_s)
            await first_of(stop, self._due, timeout_s=every_s if self._told is None else min(every_s, _SOON_S))
            if not stop.is_set():
                await self.once()

    async def once(self) -> None:
        """One comparison, in the writer's thread."""
        trouble = await asyncio.get_running_loop().run_in_executor(self._writer, self._compare)
        if trouble != self._told:
            self._told = trouble
            self._parts.served.troubled(trouble)

    def _compare(self) -> Trouble | None:
        try:
            self._parts.witnesses.watch()
        except Exception as error:
            # The next order finds out for itself whether anything can be spent.
            self._parts.journal("fault", place=place_of(error))
        return trouble_of(self._parts.witnesses)


def _control(
    parts: _Parts, attendance: Attendance, writer: ThreadPoolExecutor
) -> Callable[[Request], asyncio.Future[Response]]:
    region, journal, loop = parts.region, parts.journal, asyncio.get_running_loop()

    def work(request: Request) -> Response:
        size = region.ledger.book.size
        try:
            result = perform(region, request.do, request.arguments)
        except Exception as error:
            # The asker sees that it broke; what broke is for the journal, without the fault's message.
            journal("fault", place=place_of(error))
            return Response(fault=type(error).__name__)
        if isinstance(result, Status):
            shown = {"serving": True, "connected": attendance.connected}
            seen = {"witnesses": witnesses_of(parts.witnesses), "trouble": trouble_of(parts.witnesses)}
            tried = {"attempts": attempts_of(result.attempts, parts.attempts.running())}
            result = result.model_copy(update=shown | seen | tried)
        if isinstance(result, Done) and result.new:
            journal("imported" if result.kind == "snapshot" else "adopted", reason=f"{result.kind} {result.name}")
            if result.kind == "policy" and region.test_only:
                journal("test_only", reason=TEST_ONLY)
        if region.ledger.book.size != size or isinstance(result, Woken):
            # Whatever changed may be what an order waits for.
            loop.call_soon_threadsafe(attendance.again)
        return Response(result=to_text(result))

    return lambda request: loop.run_in_executor(writer, work, request)


def _untold(journal: Journal, error: object) -> None:
    journal("fault", place=place_of(error) if isinstance(error, BaseException) else None)


def _on_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:
            # Windows: the handler runs between bytecodes and wakes the loop.
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
