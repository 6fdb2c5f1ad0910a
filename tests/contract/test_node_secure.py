"""An attempt at national sums over the stream: each round's messages, and when the vector leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rondgang.v1 import attend_pb2

from compose.demo.federation import free_port
from node.attend import Attendance
from node.secure.attempts import Told
from policies.rules.refusals import Reason, Refused
from policies.secure import messages as secure
from policies.wire.refusals import reason_from_wire
from tests.node_desk import WITHIN_S, Address, PlayedDesk, Response
from tests.node_notes import Notes
from tests.node_world import World
from tests.secure_node import PROGRAMME, Attempt, Numbered, make_secure_home

EACH = PROGRAMME.charge.of_attempt.nano


class Far:
    """The node at the other end of a stream, as a test in another thread than the event loop speaks with it."""

    def __init__(self, desk: PlayedDesk, loop: asyncio.AbstractEventLoop) -> None:
        self._desk, self._loop = desk, loop
        self.took_s: list[float] = []

    def take(self, run: str, attempt: int, said: secure.Round) -> Told:
        return Told(asyncio.run_coroutine_threadsafe(self._take(run, attempt, said), self._loop).result(WITHIN_S))

    async def _take(self, run: str, attempt: int, said: secure.Round) -> secure.AnyReply | None:
        message = attend_pb2.SecureRound(run=run, attempt=attempt)
        _fill(message, said)
        began = self._loop.time()
        await self._desk.say(Response(secure=message))
        if isinstance(said, secure.Aborted):
            return None
        heard = (await self._desk.hear()).secure
        self.took_s.append(self._loop.time() - began)
        assert (heard.run, heard.attempt) == (run, attempt)
        return _read(heard)


def _fill(message: attend_pb2.SecureRound, said: secure.Round) -> None:
    match said:
        case secure.Begin(order, programme):
            message.begin.signed_order, message.begin.signed_programme = order, programme
        case secure.Share(participants, keys):
            message.share.signed_participants = participants
            message.share.signed_keys.extend(keys)
        case secure.Send(sharing, boxes):
            message.send.signed_sharing = sharing
            message.send.boxes.extend(_boxes(boxes))
        case secure.ShowList(survivors):
            message.list.signed_survivors = survivors
        case secure.Unmask(seen):
            message.unmask.signed_seen.extend(seen)
        case secure.Aborted(sentence):
            message.aborted.sentence = sentence
        case secure.Done(signed_sum):
            message.done.signed_sum = signed_sum


def _read(heard: attend_pb2.SecureReply) -> secure.AnyReply:
    match heard.WhichOneof("reply"):
        case "signed_keys":
            return secure.KeysSaid(heard.signed_keys)
        case "boxes":
            return secure.BoxesSaid(_by_region(heard.boxes.boxes))
        case "vector":
            return secure.VectorSaid(heard.vector.masked)
        case "signed_seen":
            return secure.SeenSaid(heard.signed_seen)
        case "shares":
            given = heard.shares
            return secure.SharesSaid(_by_region(given.own), _by_region(given.lost), tuple(given.taken_back))
        case "sum_hash":
            return secure.SumKept(heard.sum_hash.hex())
        case _:
            return Refused(reason_from_wire(heard.refusal.reason), heard.refusal.sentence)


def _boxes(boxes: Mapping[str, bytes]) -> list[attend_pb2.SecureBox]:
    return [attend_pb2.SecureBox(region=region, box=box) for region, box in boxes.items()]


def _by_region(boxes: Iterable[attend_pb2.SecureBox]) -> dict[str, bytes]:
    return {one.region: one.box for one in boxes}


def talk(folder: Path, conversation: Callable[[Far, World], Awaitable[None]], **policy: Any) -> None:
    """A conversation between a desk and a node among four regions."""

    async def run() -> None:
        address = Address.new(free_port())
        home = make_secure_home(folder / "aa", address=f"localhost:{address.port}", **policy)
        address.enrol(home)
        world, stop = World(home, rows=Numbered(), journal=Notes()), asyncio.Event()
        with ThreadPoolExecutor(1) as worker:
            parts = world.region, world.answering(), world.attempts()
            attendance = Attendance(*parts, worker, world.journal, "test node")
            async with address.opened(PlayedDesk()) as desk:
                task = asyncio.create_task(attendance.run(stop, lambda: None))
                try:
                    await conversation(Far(desk, asyncio.get_running_loop()), world)
                finally:
                    stop.set()
                    await asyncio.wait_for(task, WITHIN_S)
        world.region.close()

    asyncio.run(run())


def test_an_attempt_goes_through_over_the_stream_and_its_sum_is_kept(tmp_path: Path) -> None:
    async def conversation(node: Far, world: World) -> None:
        attempt = Attempt(node)
        assert isinstance(await asyncio.to_thread(attempt.through), secure.SharesSaid)
        assert isinstance(await asyncio.to_thread(attempt.done), secure.SumKept)
        assert world.spent == EACH
        _begin, _share, vector, *_others = node.took_s
        assert vector >= 0.2, "the vector left on the first tick"

    talk(tmp_path, conversation, tick_ms=200)


def test_an_attempt_that_is_given_up_is_forgotten_and_refusals_come_over_the_stream(tmp_path: Path) -> None:
    async def conversation(node: Far, world: World) -> None:
        attempt = Attempt(node)
        await asyncio.to_thread(attempt.through, "share")
        await asyncio.to_thread(attempt.say, secure.Aborted("Too few regions are left."))
        found = await asyncio.to_thread(attempt.send)
        assert isinstance(found, Refused)
        assert found.reason is Reason.MALFORMED
        assert (world.spent, world.rows.reads) == (0, [])
        second = Attempt(node, number=2)
        assert isinstance(await asyncio.to_thread(second.through), secure.SharesSaid)

    talk(tmp_path, conversation)
