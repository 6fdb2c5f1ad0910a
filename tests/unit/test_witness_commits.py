"""Group commit in both witnesses: order is kept, what waits for the disk shares a commit, and faults are told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from sqlite3 import OperationalError
from types import ModuleType

import pytest

import audit.witness.commits
import coordinator.witness.commits
from audit.witness.schema import connect
from audit.witness.store import Store
from policies.rules.witness import Ask, Cosigned, Reply
from tests.applicants import signing_key
from tests.region_log import NOW, Log, roster

KEY = signing_key("the witness")
ROSTER = roster(("AA",), KEY.public)
BOTH = pytest.mark.parametrize("room", [audit.witness.commits, coordinator.witness.commits])


class Disk:
    """A store whose commits end when a test says so."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.fault: Exception | None = None
        self.free = asyncio.Event()

    async def commit(self, asks: list[Ask]) -> list[Reply]:
        self.batches.append([ask.region for ask in asks])
        await self.free.wait()
        if self.fault is not None:
            raise self.fault
        return [Cosigned(ask.region, NOW) for ask in asks]


def ask(name: str) -> Ask:
    return Ask(ROSTER, name, None)


@BOTH
def test_what_comes_while_the_disk_is_busy_shares_the_next_commit(room: ModuleType) -> None:
    async def told() -> None:
        disk = Disk()
        commits = room.Commits(disk.commit)
        first = asyncio.create_task(commits.add(ask("a")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = [asyncio.create_task(commits.add(ask(name))) for name in "bcd"]
        await asyncio.sleep(0)
        disk.free.set()
        assert [await one for one in (first, *rest)] == [Cosigned(name, NOW) for name in "abcd"]
        assert disk.batches == [["a"], ["b", "c", "d"]]
        assert await commits.add(ask("e")) == Cosigned("e", NOW)

    asyncio.run(told())


@BOTH
def test_a_commit_that_fails_is_told_to_all_in_it_and_the_next_one_is_tried(room: ModuleType) -> None:
    async def told() -> None:
        disk = Disk()
        commits = room.Commits(disk.commit)
        failing = [asyncio.create_task(commits.add(ask(name))) for name in "ab"]
        disk.fault = OperationalError("disk full")
        disk.free.set()
        outcomes = await asyncio.gather(*failing, return_exceptions=True)
        assert [type(one) for one in outcomes] == [OperationalError, OperationalError]
        disk.fault = None
        assert await commits.add(ask("c")) == Cosigned("c", NOW)

    asyncio.run(told())


@BOTH
def test_a_caller_that_gives_up_takes_nobody_along(room: ModuleType) -> None:
    async def told() -> None:
        disk = Disk()
        commits = room.Commits(disk.commit)
        leaving, staying = (asyncio.create_task(commits.add(ask(name))) for name in "ab")
        await asyncio.sleep(0)
        leaving.cancel()
        disk.free.set()
        assert await staying == Cosigned("b", NOW)
        with pytest.raises(asyncio.CancelledError):
            await leaving

    asyncio.run(told())


def test_on_a_full_disk_nothing_is_cosigned_and_nothing_is_half_kept(tmp_path: Path) -> None:
    connection = connect(tmp_path / "witness.sqlite")
    store, log = Store(connection), Log.of("AA").grown(200)
    try:
        store.add([Ask(ROSTER, "AA", log.brings(1))], KEY, NOW)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        many = [Ask(ROSTER, "AA", log.brings(size + 1, size)) for size in range(1, 199)]
        with pytest.raises(OperationalError, match="full"):
            store.add(many, KEY, NOW)
        assert len(store.checkpoints("AA")) == 1
        connection.execute("PRAGMA max_page_count = 100000")
        assert all(isinstance(reply, Cosigned) for reply in store.add(many, KEY, NOW))
        assert len(store.checkpoints("AA")) == 199
    finally:
        store.close()
