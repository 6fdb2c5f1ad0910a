"""`serve`: the one process that holds a home, attends to the desk, and does what other verbs ask."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from node.answering import Answering
from node.attend import Attendance
from node.control import Request, Response, listen, stop_listening
from node.home import Home
from node.journal import FileJournal, Journal, guard, place_of
from node.lock import exclusive
from node.operations import Done, perform, to_text
from node.region import NotReady, Region
from node.rows import SnapshotRows
from node.status import Status

TEST_ONLY = "the policy in force is for tests alone: its caps protect nobody"
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """What the steward sees on the terminal: called each time the desk has welcomed the node."""

    attending: Callable[[], None]
    software: str


def serve(home: Home, served: Served) -> None:
    """Serves until SIGTERM or SIGINT; what was begun by then is finished and stored.

    Raises HomeBusy, BadHome, BrokenLedger, BadDelivery, and NotReady where roster, calendar or policy is missing.
    """
    with exclusive(home.lock_file, _PATIENCE_S), contextlib.ExitStack() as closing:
        region = Region(home, lambda: int(time.time()))
        closing.callback(region.close)
        home.tls()
        if missing := region.missing():
            raise NotReady(*missing)
        journal = FileJournal(home.logs, region.code)
        closing.callback(journal.close)
        sys.excepthook = guard(journal)
        threading.excepthook = lambda told: journal("fault", place=place_of(told.exc_value or RuntimeError()))
        # Engine and sampler are loaded before the desk hears of us: the first question is as quick as the next.
        rows = SnapshotRows(home)
        closing.callback(rows.close)
        journal("started")
        if region.test_only:
            journal("test_only", reason=TEST_ONLY)
        answering = Answering(region, rows, home.signing_key("checkpoint"), journal)
        # What was loaded so far stays for good: collections need not walk through it again.
        gc.collect()
        gc.freeze()
        asyncio.run(_serve(region, answering, journal, served))
        journal("stopped")


async def _serve(region: Region, answering: Answering, journal: Journal, served: Served) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, told: _untold(journal, told.get("exception")))
    _on_signals(loop, stop)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer") as writer:
        attendance = Attendance(region, answering, writer, journal, served.software)
        control = await listen(region.home, _control(region, attendance, writer, journal))
        try:
            await attendance.run(stop, served.attending)
        finally:
            stop_listening(region.home, control)


def _control(
    region: Region, attendance: Attendance, writer: ThreadPoolExecutor, journal: Journal
) -> Callable[[Request], asyncio.Future[Response]]:
    def work(request: Request) -> Response:
        try:
            result = perform(region, request.do, request.arguments)
        except Exception as error:
            # The asker sees that it broke; what broke is for the journal, without the fault's message.
            journal("fault", place=place_of(error))
            return Response(fault=type(error).__name__)
        if isinstance(result, Status):
            result = result.model_copy(update={"serving": True, "connected": attendance.connected})
        if isinstance(result, Done) and result.new:
            journal("imported" if result.kind == "snapshot" else "adopted", reason=f"{result.kind} {result.name}")
            if result.kind == "policy" and region.test_only:
                journal("test_only", reason=TEST_ONLY)
        return Response(result=to_text(result))

    return lambda request: asyncio.get_running_loop().run_in_executor(writer, work, request)


def _untold(journal: Journal, error: object) -> None:
    journal("fault", place=place_of(error) if isinstance(error, BaseException) else None)


def _on_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:
            # Windows: the handler runs between bytecodes and wakes the loop.
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
