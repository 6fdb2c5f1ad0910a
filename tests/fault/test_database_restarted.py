"""The desk's database is stopped and started in the middle of runs: transactions happen once, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from coordinator.errors import StoreAway
from coordinator.gather import Asked, State
from coordinator.log import logging_to
from coordinator.store import commits
from coordinator.store.store import Kept, RunRecord, open_store
from coordinator.store.worker import StoreThread
from tests.desk import PATIENCE_S, Country, DeskThread, all_nodes, draft, until
from tests.postgres import Cluster, NoPostgres, cluster

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        with cluster(tmp_path_factory.mktemp("postgres")) as made:
            yield made
    except NoPostgres as absent:
        pytest.skip(str(absent))


@pytest.fixture
def server(database: Cluster) -> Cluster:
    """The server with nothing in it."""
    engine = create_engine(database.url)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()
    return database


def record(number: int) -> RunRecord:
    return RunRecord(f"run-{number:016x}", f"{number:064x}", b"programme", 1_000, 2_000, State.ASKING)


def events(folder: Path) -> list[str]:
    return [json.loads(line)["event"] for line in (folder / "coordinator.log").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_transactions_wait_for_a_database_that_is_restarted_and_happen_once(
    server: Cluster, tmp_path: Path, mode: str
) -> None:
    async def work() -> None:
        stored, away = StoreThread(), threading.Event()
        tries: Counter[int] = Counter()
        with open_store(server.url) as store:

            def one(number: int) -> None:
                if number == 60:
                    away.set()
                tries[number] += 1
                run, existed = store.open_run(record(number))
                kept = store.keep_answer(run, "AA", b"answer", 1_001)
                assert run == record(number).run
                # Only what was tried before may be there: two transactions, of which the first may have happened.
                assert tries[number] > 1 or (existed, kept) == (False, Kept.FIRST)
                assert kept is not Kept.OTHER

            def restart() -> None:
                away.wait(PATIENCE_S)
                server.stop(mode)
                server.start()

            restarting = asyncio.create_task(asyncio.to_thread(restart))
            await asyncio.gather(*(stored(partial(one, number)) for number in range(120)))
            # The first half was there before, the second came after; and one more for good measure.
            await restarting
            await stored(lambda: one(500))
            assert len(store.open_runs()) == 121
            assert all(tries[number] == 1 for number in range(60))
            assert max(tries.values()) > 1
            assert all(store.gathering(run.run, ("AA",), 2_000).repeats == {} for run in store.open_runs())
        stored.stop()

    with logging_to(tmp_path):
        asyncio.run(work())
    assert "store_away" in events(tmp_path)
    assert events(tmp_path)[-1] == "store_back"
    assert len(events(tmp_path)) % 2 == 0


def _away(stored: StoreThread) -> bool:
    return stored.away


def test_a_database_that_stays_away_is_said_to_be_and_then_nobody_waits_for_it(server: Cluster, tmp_path: Path) -> None:
    async def work() -> None:
        stored = StoreThread(patience_s=0.3)
        with open_store(server.url) as store:
            server.stop("fast")
            try:
                with pytest.raises(StoreAway, match="Try again later"):
                    await stored(store.open_runs)
                assert _away(stored)
                begun = time.monotonic()
                for _ in range(5):
                    with pytest.raises(StoreAway):
                        await stored(store.open_runs)
                assert time.monotonic() - begun < PATIENCE_S / 4
            finally:
                server.start()
            assert await stored(store.open_runs) == ()
            assert not _away(stored)
        stored.stop()

    with logging_to(tmp_path):
        asyncio.run(work())
    assert events(tmp_path) == ["store_away", "store_back"]


def test_only_so_many_transactions_wait(server: Cluster) -> None:
    async def work() -> None:
        stored, go = StoreThread(most_waiting=3), threading.Event()
        waiting = [asyncio.ensure_future(stored(lambda: go.wait(PATIENCE_S))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(StoreAway, match="too many"):
            await stored(lambda: True)
        go.set()
        assert await asyncio.gather(*waiting) == [True, True, True]
        assert await stored(lambda: True)
        assert stored.waiting == 0
        stored.stop()

    asyncio.run(work())


def test_the_desk_opens_three_connections_at_most(server: Cluster) -> None:
    with open_store(server.url) as store, ExitStack() as held:
        store.open_run(record(1))
        for _ in range(3):
            held.enter_context(store._engine.connect())
        counted = create_engine(server.url)
        with counted.connect() as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rondgang'"
            assert connection.execute(text(query)).scalar_one() == 3
        counted.dispose()


@dataclass
class Cutting:
    """A line to the database that breaks once, where a message with this word passes: before it, or just after it."""

    to_port: int
    word: bytes
    after: bool
    cuts: int = 0
    port: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def listening(self) -> Iterator[Cutting]:
        with socket.create_server(("127.0.0.1", 0)) as door:
            self.port = door.getsockname()[1]
            door.settimeout(0.1)
            thread = threading.Thread(target=self._accept, args=(door,))
            thread.start()
            try:
                yield self
            finally:
                self._stop.set()
                thread.join(PATIENCE_S)

    def _accept(self, door: socket.socket) -> None:
        threads = []
        while not self._stop.is_set():
            try:
                line, _ = door.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=self._carry, args=(line,), daemon=True))
            threads[-1].start()

    def _carry(self, line: socket.socket) -> None:
        with line, socket.create_connection(("127.0.0.1", self.to_port)) as server:
            back = threading.Thread(target=self._back, args=(server, line), daemon=True)
            back.start()
            while data := line.recv(65_536):
                last = self.word in data and not self.cuts
                if last:
                    self.cuts += 1
                    if self.after:
                        # The server has it and acts on it; what it says to that never arrives.
                        line.shutdown(socket.SHUT_RDWR)
                        server.sendall(data)
                        server.settimeout(PATIENCE_S)
                        server.shutdown(socket.SHUT_WR)
                        back.join(PATIENCE_S)
                    return
                server.sendall(data)

    @staticmethod
    def _back(server: socket.socket, line: socket.socket) -> None:
        try:
            while data := server.recv(65_536):
                line.sendall(data)
        except OSError:
            return


@pytest.mark.parametrize("after", [True, False], ids=["acknowledgement lost", "commit lost"])
def test_a_commit_whose_line_broke_is_known_to_have_happened_or_not(
    server: Cluster, tmp_path: Path, after: bool
) -> None:
    """Told by the log: a commit that did not happen is done again, one that did is not."""
    with open_store(server.url):
        pass

    async def work(port: int) -> None:
        stored = StoreThread()
        url = server.url.replace(f":{server.port}/", f":{port}/")
        with open_store(url) as store:
            cutting.word = b"COMMIT"
            assert await stored(lambda: store.open_run(record(7))) == (record(7).run, False)
            assert cutting.cuts == 1
            assert store.open_runs() == (record(7),)
        stored.stop()

    cutting = Cutting(server.port, b"no such word", after)
    with logging_to(tmp_path), cutting.listening() as listening:
        asyncio.run(work(listening.port))
    log = tmp_path / "coordinator.log"
    assert (events(tmp_path) if log.stat().st_size else []) == ([] if after else ["store_away", "store_back"])


def test_a_transaction_whose_number_a_crashed_server_has_forgotten_did_not_happen(server: Cluster) -> None:
    """Before, `txid_status` called the number one of the future, and the desk took that for a fault."""
    engine = create_engine(server.url)
    with engine.connect() as connection:
        newest = connection.execute(text("SELECT txid_current() + 1")).scalar_one()
    lost = OperationalError("COMMIT", None, Exception("the line broke"))
    for number in (newest, newest + 1_000):
        assert commits._committed(engine, commits._Written(number, 0), lost) is False
    engine.dispose()


def on(server: Cluster, folder: Path) -> Country:
    country = Country.found(folder)
    path = country.desk.folder / "config.yaml"
    config = yaml.safe_load(path.read_text("utf-8")) | {"database": server.url}
    path.write_text(yaml.safe_dump(config), "utf-8")
    return country


def test_runs_go_on_over_a_restart_of_the_database(server: Cluster, tmp_path: Path) -> None:
    country = on(server, tmp_path)
    with DeskThread(country) as desk, country.open() as client, ExitStack() as stack:
        nodes = all_nodes(stack, country, desk.port)
        before = client.submit(client.plan(draft(id="before"))).run
        *_, first = client.watch(before, PATIENCE_S)
        gone, stopped = threading.Event(), []

        def restart() -> None:
            server.stop("immediate")
            gone.set()
            time.sleep(0.5)
            server.start()

        stopped.append(threading.Thread(target=restart))
        stopped[0].start()
        gone.wait(PATIENCE_S)
        # Asked while the database is away: it takes as long as that, and no longer.
        runs = [client.submit(client.plan(draft(id=f"during_{number}"))).run for number in range(4)]
        stopped[0].join(PATIENCE_S)
        for run in (before, *runs):
            *_, last = client.watch(run, PATIENCE_S)
            assert (last.state, last.count(Asked.ANSWERED)) == (State.COMPLETE, 3)
            assert len(client.fetch(run).signed_answers) == 3
        assert first.state is State.COMPLETE
        # Nobody was sent away for it, and everybody was asked each programme once.
        assert [len(node.orders) for node in nodes.values()] == [5, 5, 5]


def test_a_dump_that_is_put_back_lacks_what_came_since_and_nodes_send_it_again(server: Cluster, tmp_path: Path) -> None:
    country = on(server, tmp_path)
    dump = server.folder / "desk.dump"
    with DeskThread(country) as desk, country.open() as client, ExitStack() as stack:
        all_nodes(stack, country, desk.port)
        early = client.submit(client.plan(draft(id="early"))).run
        *_, _last = client.watch(early, PATIENCE_S)
        server.run("pg_dump", "--format=custom", "--file", dump, "postgres")
        late = client.submit(client.plan(draft(id="late"))).run
        *_, _last = client.watch(late, PATIENCE_S)
        answers = client.fetch(late).signed_answers
    server.run("pg_restore", "--clean", "--if-exists", "--dbname", "postgres", dump)
    with DeskThread(country) as desk, country.open() as client, ExitStack() as stack:
        all_nodes(stack, country, desk.port)
        assert len(client.fetch(early).signed_answers) == 3
        again = client.submit(client.plan(draft(id="late")))
        assert not again.existed
        until(lambda: len(client.fetch(again.run).signed_answers) == 3)
        assert client.fetch(again.run).signed_answers == answers
