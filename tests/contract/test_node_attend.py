"""A node and a desk on one stream over mutual TLS: greeting, orders, quotes, loss and return."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from rondgang.signed import Signed, sign

from compose.demo.federation import free_port
from node.approving import Heard, hear
from node.attend import _MOST_AT_WORK, Attendance
from node.journal import EventName
from policies.documents import to_canonical
from policies.rules.approval import Approval
from policies.rules.refusals import Reason, Refused
from policies.statistics.blocks import Block
from policies.statistics.programme import PlannedBlock
from policies.wire.refusals import reason_from_wire
from tests.node_desk import WITHIN_S, Address, PlayedDesk, order, quote_request, rejection
from tests.node_world import (
    CONSORTIUM,
    REGION,
    STEWARD,
    CountedRows,
    World,
    make_home,
    put_snapshot,
    signed_order,
    signed_programme,
)
from tests.small_study import heading, planned

PROGRAMME = signed_programme(planned())
TICK_S = 0.025


class Notes:
    """A journal in memory, and a way to wait for an event."""

    def __init__(self) -> None:
        self.events: list[tuple[EventName, str | None]] = []
        self._news = threading.Condition()

    def __call__(
        self,
        event: EventName,
        *,
        run: str | None = None,
        programme: str | None = None,
        attempt: int | None = None,
        reason: str | None = None,
        charge: int | None = None,
        place: str | None = None,
    ) -> None:
        with self._news:
            self.events.append((event, reason or place))
            self._news.notify_all()

    async def until(self, event: EventName) -> None:
        def seen() -> bool:
            with self._news:
                return self._news.wait_for(lambda: any(name == event for name, _ in self.events), WITHIN_S)

        assert await asyncio.to_thread(seen), f"{event} never came: {self.events}"


class SlowRows(CountedRows):
    """Rows that are read only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.reading = threading.Event(), threading.Event()

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        self.reading.set()
        assert self.go.wait(WITHIN_S)
        return super().sums(snapshot, blocks)

    def noisy(self, values: Sequence[int], planned_block: PlannedBlock) -> list[int]:
        return super().noisy(values, planned_block)


class Setting:
    """An address, a node that is enrolled there, and its notes."""

    def __init__(self, folder: Path, rows: CountedRows | None = None, **policy: Any) -> None:
        self.address = Address.new(free_port())
        self.home = make_home(folder / "home", f"localhost:{self.address.port}", **policy)
        self.address.enrol(self.home)
        put_snapshot(self.home)
        self.rows = rows or CountedRows()
        self.notes = Notes()
        self.world = World(self.home, rows=self.rows, journal=self.notes)
        self.region = self.world.region

    @contextlib.asynccontextmanager
    async def attending(self) -> AsyncIterator[Attendance]:
        """The node attends, in this event loop, until the block ends."""
        stop = asyncio.Event()
        with ThreadPoolExecutor(1) as worker:
            world = self.world
            attendance = Attendance(self.region, world.answering(), world.attempts(), worker, self.notes, "test node")
            task = asyncio.create_task(attendance.run(stop, lambda: None))
            try:
                yield attendance
            finally:
                stop.set()
                await asyncio.wait_for(task, WITHIN_S)
        self.region.close()

    def spend(self) -> int:
        return self.region.ledger.book.lifetime.nano

    def say(self, decision: str, programme: Signed, reason: str | None = None) -> None:
        """The steward's word, as it comes from another verb."""
        word = {"region": REGION, "programme": programme.digest, "decision": decision, "reason": reason}
        approval = Approval.model_validate(word | {"decided": self.region.now()})
        assert isinstance(hear(self.region, sign("approval", to_canonical(approval), STEWARD).to_bytes()), Heard)


def talk(
    setting: Setting, conversation: Callable[[PlayedDesk], Awaitable[None]], desk: PlayedDesk | None = None
) -> None:
    """A conversation between a listening desk and the attending node."""

    async def run() -> None:
        async with setting.address.opened(desk or PlayedDesk()) as opened, setting.attending():
            await conversation(opened)

    asyncio.run(run())


def test_a_node_greets_answers_and_repeats_for_nothing(tmp_path: Path) -> None:
    setting = Setting(tmp_path)

    async def conversation(desk: PlayedDesk) -> None:
        first = await desk.asked(order(PROGRAMME))
        again = await desk.asked(order(PROGRAMME, "run-ffffffffffffffff"))
        assert (first.run, again.run) == ("run-0123456789abcdef", "run-ffffffffffffffff")
        assert len(first.signed_answer) > 100
        assert first.signed_answer == again.signed_answer
        (hello,) = desk.hellos
        assert (hello.region, list(hello.versions), hello.software) == ("AA", [1], "test node")
        held = setting.region.documents
        assert held.roster is not None
        assert hello.roster_hash.hex() == held.roster.digest

    talk(setting, conversation)
    assert setting.spend() == planned().charge.amount.nano


def test_answers_repeats_and_refusals_leave_on_ticks(tmp_path: Path) -> None:
    async def conversation(desk: PlayedDesk) -> None:
        unsigned = signed_order(PROGRAMME, CONSORTIUM)
        for message in (order(PROGRAMME), order(PROGRAMME), order(PROGRAMME, signed=unsigned)):
            sent = asyncio.get_running_loop().time()
            await desk.asked(message)
            assert asyncio.get_running_loop().time() - sent >= TICK_S

    talk(Setting(tmp_path), conversation)


def test_refusals_come_with_their_reason_and_an_unreadable_order_too(tmp_path: Path) -> None:
    async def conversation(desk: PlayedDesk) -> None:
        off = signed_programme(planned().model_copy(update={"programme": heading(cohort="c2")}))
        reply = await desk.asked(order(off))
        assert reason_from_wire(reply.refusal.reason) is Reason.OFF_ROTATION
        garbled = order(PROGRAMME)
        garbled.order.signed_programme = b"{}"
        reply = await desk.asked(garbled)
        assert reason_from_wire(reply.refusal.reason) is Reason.MALFORMED

    setting = Setting(tmp_path)
    talk(setting, conversation)
    assert (setting.spend(), setting.rows.reads) == (0, [])


def test_a_quote_is_answered_from_public_facts(tmp_path: Path) -> None:
    async def conversation(desk: PlayedDesk) -> None:
        await desk.say(quote_request(PROGRAMME))
        quote = (await desk.hear()).quote
        price = planned().charge.amount.nano
        assert (quote.quote, quote.charge, quote.left_cohort) == ("q", str(price), "500000000")
        assert not quote.HasField("refusal")
        await desk.say(quote_request(signed_programme(planned(rho="5"))))
        dear = (await desk.hear()).quote
        assert reason_from_wire(dear.refusal.reason) is Reason.OVER_PROGRAMME_CAP
        assert dear.left_lifetime == "800000000"

    setting = Setting(tmp_path)
    talk(setting, conversation)
    assert setting.spend() == 0


def test_a_lost_desk_is_found_again_and_gets_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that nobody listens on: the node must not ask it for this machine itself.
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    setting = Setting(tmp_path, SlowRows())
    rows = setting.rows
    assert isinstance(rows, SlowRows)

    async def run() -> None:
        async with setting.attending() as attendance:
            async with setting.address.opened(PlayedDesk()) as desk:
                await desk.say(order(PROGRAMME))
                await setting.notes.until("attending")
            await setting.notes.until("connection_lost")
            async with setting.address.opened(PlayedDesk()) as desk:
                await asyncio.wait_for(desk.came.wait(), WITHIN_S)
                rows.go.set()
                reply = await desk.asked(order(PROGRAMME))
                assert reply.signed_answer
                assert attendance.connected

    asyncio.run(run())
    assert setting.spend() == planned().charge.amount.nano


def test_a_desk_that_hangs_up_is_dialled_again(tmp_path: Path) -> None:
    async def conversation(desk: PlayedDesk) -> None:
        await desk.say(None)
        desk.came.clear()
        assert (await desk.asked(order(PROGRAMME))).signed_answer
        assert len(desk.hellos) == 2

    talk(Setting(tmp_path), conversation)


def test_a_node_that_is_turned_away_tells_its_steward_and_waits_long(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    desk = PlayedDesk(rejection(Refused(Reason.REVOKED, "Ask the consortium.")))

    async def conversation(desk: PlayedDesk) -> None:
        await setting.notes.until("not_admitted")
        # Ten times the longest ordinary wait of this node.
        await asyncio.sleep(10 * setting.region.config.reconnect.longest_wait_ms / 1000)
        assert len(desk.hellos) == 1

    talk(setting, conversation, desk)
    assert ("not_admitted", "revoked: Ask the consortium.") in setting.notes.events


def test_a_desk_without_the_consortiums_certificate_is_not_believed(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    impostor = Address.new(setting.address.port)

    async def run() -> None:
        async with impostor.opened(PlayedDesk()) as desk, setting.attending():
            await setting.notes.until("connection_lost")
            assert desk.hellos == []

    asyncio.run(run())


def test_an_answer_that_is_late_is_refused_on_the_last_tick_and_free_the_next_time(tmp_path: Path) -> None:
    setting = Setting(tmp_path, SlowRows(), tick_ms=5)
    rows = setting.rows
    assert isinstance(rows, SlowRows)

    async def conversation(desk: PlayedDesk) -> None:
        reply = await desk.asked(order(PROGRAMME))
        assert reason_from_wire(reply.refusal.reason) is Reason.LATE
        rows.go.set()
        assert (await desk.asked(order(PROGRAMME))).signed_answer

    talk(setting, conversation)
    assert setting.spend() == planned().charge.amount.nano
    assert len(rows.reads) == 1


def other(name: str) -> Signed:
    return signed_programme(planned().model_copy(update={"programme": heading(id=name)}))


WIDE: dict[str, Any] = {"cohorts": {"c1": {"rho": "9"}}, "lifetime": {"rho": "9"}}


def test_orders_that_come_while_the_writer_works_go_to_it_together(tmp_path: Path) -> None:
    setting = Setting(tmp_path, SlowRows(), **WIDE)
    rows = setting.rows
    assert isinstance(rows, SlowRows)
    events: list[str] = []

    async def run() -> None:
        async with setting.address.opened(PlayedDesk()) as desk, setting.attending() as attendance:
            for number in range(6):
                await desk.say(order(other(f"number_{number}"), f"run-{number:016x}"))
                assert await asyncio.to_thread(rows.reading.wait, WITHIN_S)
            async with asyncio.timeout(WITHIN_S):
                while len(attendance._queue._waiting) < 5:
                    await asyncio.sleep(0)
            rows.go.set()
            assert all([(await desk.hear()).reply.signed_answer for _ in range(6)])
            events.extend(entry.body.event for entry in setting.region.ledger.last_entries(100))

    asyncio.run(run())
    assert [event for event in events if event in ("debited", "answered")] == [
        "debited", "answered", *["debited"] * 5, *["answered"] * 5,
    ]  # fmt: skip
    # The head first, to see that they are there; then twice for each of two batches.
    assert [witness.calls for witness in setting.world.watching] == [5, 5]


def test_a_desk_that_sends_more_than_a_node_can_work_on_waits_and_every_order_is_replied_to(tmp_path: Path) -> None:
    setting = Setting(tmp_path, SlowRows(), **WIDE)
    rows = setting.rows
    assert isinstance(rows, SlowRows)
    off = signed_programme(planned().model_copy(update={"programme": heading(cohort="c2")}))

    async def run() -> None:
        async with setting.address.opened(PlayedDesk()) as desk, setting.attending() as attendance:
            await desk.say(order(PROGRAMME))
            assert await asyncio.to_thread(rows.reading.wait, WITHIN_S)
            for number in range(99):
                await desk.say(order(off, f"run-{number:016x}"))
            waiting = attendance._queue._waiting
            async with asyncio.timeout(WITHIN_S):
                while len(waiting) < _MOST_AT_WORK - 1:
                    await asyncio.sleep(0)
            # So long nothing more is taken in, though it is all there.
            await asyncio.sleep(10 * TICK_S)
            assert len(waiting) == _MOST_AT_WORK - 1
            rows.go.set()
            replies = [(await desk.hear()).reply for _ in range(100)]
            assert len({reply.run for reply in replies}) == 100
            assert [bool(reply.signed_answer) for reply in replies].count(True) == 1

    asyncio.run(run())


def test_an_answer_leaves_by_itself_once_the_steward_has_approved(tmp_path: Path) -> None:
    setting = Setting(tmp_path, approval="steward")

    async def run() -> None:
        async with setting.address.opened(PlayedDesk()) as desk, setting.attending() as attendance:
            reply = await desk.asked(order(PROGRAMME))
            assert reason_from_wire(reply.refusal.reason) is Reason.AWAITING_APPROVAL
            # A change that decides nothing about it says nothing to the desk.
            attendance.again()
            again = await desk.asked(order(PROGRAMME))
            assert reason_from_wire(again.refusal.reason) is Reason.AWAITING_APPROVAL
            assert desk.heard.empty()
            setting.say("approve", PROGRAMME)
            attendance.again()
            answered = (await desk.hear()).reply
            assert answered.run == reply.run
            assert answered.signed_answer
            attendance.again()
            assert (await desk.asked(order(PROGRAMME))).signed_answer == answered.signed_answer
            assert desk.heard.empty()

    asyncio.run(run())
    assert setting.spend() == planned().charge.amount.nano


def test_a_steward_who_declines_is_heard_by_the_desk_at_once(tmp_path: Path) -> None:
    setting = Setting(tmp_path, approval="steward")

    async def run() -> None:
        async with setting.address.opened(PlayedDesk()) as desk, setting.attending() as attendance:
            await desk.asked(order(PROGRAMME))
            setting.say("decline", PROGRAMME, "purpose")
            attendance.again()
            declined = (await desk.hear()).reply
            assert reason_from_wire(declined.refusal.reason) is Reason.DECLINED
            assert "purpose" in declined.refusal.sentence

    asyncio.run(run())
    assert (setting.spend(), setting.rows.reads) == (0, [])


def test_an_outage_of_witnesses_is_a_refusal_on_a_tick_and_the_next_order_is_answered(tmp_path: Path) -> None:
    setting = Setting(tmp_path)

    async def conversation(desk: PlayedDesk) -> None:
        setting.world.befall("lost_request")
        sent = asyncio.get_running_loop().time()
        reply = await desk.asked(order(PROGRAMME))
        assert reason_from_wire(reply.refusal.reason) is Reason.UNWITNESSED
        assert asyncio.get_running_loop().time() - sent >= TICK_S
        setting.world.befall("none")
        assert (await desk.asked(order(PROGRAMME))).signed_answer

    talk(setting, conversation)
    assert setting.spend() == planned().charge.amount.nano
