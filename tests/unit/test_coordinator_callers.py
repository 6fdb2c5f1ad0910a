"""What one caller may have open, whose turn it is, and what becomes of a line that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from coordinator.attendance.lines import (
    MOST_BEFORE_QUOTES,
    MOST_QUEUED,
    Introduction,
    Line,
    Lines,
    OrderOut,
    QuoteOut,
    ResultOut,
)
from coordinator.callers import Call, Callers
from policies.rules.refusals import Reason, Refused

GONE = Refused(Reason.REVOKED, "Gone.")
ORDER = OrderOut("run", b"order", b"programme")


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def _open(callers: Callers, who: str) -> Call:
    call = callers.begin(who, "call")
    assert call is not None
    return call


def test_a_caller_has_so_many_places_and_no_other_caller_loses_one() -> None:
    async def work() -> None:
        callers = Callers({"call": 2, "watch": 1, "line": 1})
        first, second = _open(callers, "a"), _open(callers, "a")
        assert callers.begin("a", "call") is None
        assert callers.begin("a", "watch") is not None
        assert callers.begin("b", "call") is not None
        callers.ended(first)
        assert callers.begin("a", "call") is not None
        callers.ended(second)
        assert callers.count("call") == 2

    run(work())


def test_a_flood_is_one_line_in_the_log_until_it_is_over() -> None:
    async def work() -> None:
        callers = Callers({"call": 1, "watch": 0, "line": 0})
        call = _open(callers, "a")
        assert [callers.newly_crowded("a") for _ in range(3)] == [True, False, False]
        callers.ended(call)
        assert callers.newly_crowded("a")

    run(work())


def test_calls_beyond_those_at_work_wait_for_their_own_and_for_nobody_elses() -> None:
    async def work() -> None:
        callers, going, ends = Callers(at_once=1), list[str](), asyncio.Event()

        async def serve(who: str, name: str) -> None:
            call = _open(callers, who)
            async with callers.turn(call):
                going.append(name)
                await ends.wait()
            callers.ended(call)

        names = [("a", "a1"), ("a", "a2"), ("b", "b1")]
        tasks = [asyncio.create_task(serve(who, name)) for who, name in names]
        while len(going) < 2:
            await asyncio.sleep(0)
        assert going == ["a1", "b1"]
        ends.set()
        await asyncio.gather(*tasks)
        assert going == ["a1", "b1", "a2"]

    run(work())


def test_what_is_open_for_somebody_who_is_gone_is_ended_with_the_reason() -> None:
    async def work() -> None:
        callers = Callers()
        watching, other = callers.begin("a", "watch"), callers.begin("b", "watch")
        assert watching is not None
        assert other is not None
        callers.sweep(lambda who: GONE if who == "a" else None)
        assert watching.over.result() is GONE
        assert not other.over.done()

    run(work())


def test_a_drain_waits_for_calls_ends_watching_and_gives_up_in_time() -> None:
    async def work() -> None:
        callers = Callers()
        call, watching = _open(callers, "a"), callers.begin("a", "watch")
        assert watching is not None
        drain = asyncio.create_task(callers.drain(60))
        while not watching.over.done():
            await asyncio.sleep(0)
        assert callers.stopping
        assert watching.over.result() is None
        assert not drain.done()
        callers.ended(call)
        await drain
        _open(callers, "b")
        await callers.drain(0)

    run(work())


def _line() -> tuple[Lines, Line]:
    lines, line = Lines(), Line(Introduction("AA", "", "", "", "", keeps_results=True))
    lines.join(line)
    return lines, line


def test_a_line_that_too_much_waits_for_ends_and_what_waited_is_let_go() -> None:
    async def work() -> None:
        lines, line = _line()
        assert all(lines.send("AA", ORDER) for _ in range(MOST_QUEUED))
        assert not lines.send("AA", ORDER)
        assert line.ended
        assert line.outgoing.qsize() == 1
        assert line.outgoing.get_nowait() is None
        assert not lines.give("AA", ResultOut("run", b""))

    run(work())


def test_a_node_that_is_far_behind_is_not_asked_for_quotes() -> None:
    async def work() -> None:
        lines, line = _line()
        for _ in range(MOST_BEFORE_QUOTES + 1):
            assert lines.send("AA", ORDER)
        assert await lines.quotes(QuoteOut("q", b""), ("AA",), 60) == {}
        assert line.outgoing.qsize() == MOST_BEFORE_QUOTES + 1

    run(work())


def test_a_line_ends_once() -> None:
    async def work() -> None:
        _, line = _line()
        line.end(GONE)
        line.end()
        assert line.outgoing.get_nowait() is GONE
        assert line.outgoing.empty()

    run(work())
