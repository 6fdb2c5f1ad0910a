"""What waits at a node is bounded: orders for the writer come in batches, and those for the steward are forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from node.answering import FAULT
from node.authenticate import Ordered
from node.journal import silent
from node.waiting import _MOST_FOR_STEWARD, _MOST_TOGETHER, ForSteward, Queue
from node.wire import OrderArrived
from policies.rules.refusals import Reason, Refused
from tests.node_world import ordered
from tests.small_study import planned

AWAITING = Refused(Reason.AWAITING_APPROVAL, "Wait.")


def arrived(number: int) -> OrderArrived:
    return OrderArrived(f"run-{number:016x}", b"order", b"programme")


def test_the_writer_takes_so_many_orders_at_a_time_and_in_their_order() -> None:
    order, batches = ordered(planned()), list[int]()

    def answer(batch: Sequence[Ordered]) -> list[bytes | Refused]:
        batches.append(len(batch))
        return [b"%d" % (sum(batches[:-1]) + place) for place in range(len(batch))]

    async def run() -> list[bytes | Refused]:
        with ThreadPoolExecutor(1) as worker:
            queue = Queue(answer, worker, silent)
            return list(await asyncio.gather(*(queue.put(order) for _ in range(50))))

    assert asyncio.run(run()) == [b"%d" % number for number in range(50)]
    assert max(batches) == _MOST_TOGETHER
    assert sum(batches) == 50


def test_a_batch_that_breaks_is_a_fault_for_those_in_it_and_the_next_goes_on() -> None:
    order, calls = ordered(planned()), list[int]()

    def answer(batch: Sequence[Ordered]) -> list[bytes | Refused]:
        calls.append(len(batch))
        if len(calls) == 1:
            raise RuntimeError("broken")
        return [b"answer"] * len(batch)

    async def run() -> list[bytes | Refused]:
        with ThreadPoolExecutor(1) as worker:
            queue = Queue(answer, worker, silent)
            return list(await asyncio.gather(*(queue.put(order) for _ in range(3))))

    assert asyncio.run(run()) == [FAULT, b"answer", b"answer"]


def test_a_queue_that_was_stopped_begins_nothing_more() -> None:
    order, calls = ordered(planned()), list[int]()

    def answer(batch: Sequence[Ordered]) -> list[bytes | Refused]:
        calls.append(len(batch))
        return [b"answer"] * len(batch)

    async def run() -> bool:
        with ThreadPoolExecutor(1) as worker:
            queue = Queue(answer, worker, silent)
            first = queue.put(order)
            queue.stop()
            second = queue.put(order)
            assert await first == b"answer"
            return second.done()

    assert asyncio.run(run()) is False
    assert calls == [1]


def test_of_orders_that_wait_for_the_steward_the_oldest_is_forgotten_where_there_are_too_many() -> None:
    waiting = ForSteward()
    for number in range(_MOST_FOR_STEWARD + 10):
        assert waiting.note(arrived(number), AWAITING)
    assert len(waiting.all()) == _MOST_FOR_STEWARD
    assert waiting.all()[0] == arrived(10)
    assert not waiting.note(arrived(20), b"answer")
    assert arrived(20) not in waiting.all()
    assert len(waiting.all()) == _MOST_FOR_STEWARD - 1
