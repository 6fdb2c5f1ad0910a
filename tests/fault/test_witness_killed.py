"""kill -9 of a witness: what it may have cosigned it remembers, and what it remembers it never contradicts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from rondgang.notes import Note
from rondgang.v1.witness_pb2 import NotCosignedReason as Why

from audit.errors import BrokenStore
from audit.witness.schema import connect, migrations
from tests.desk import PATIENCE_S, until
from tests.region_log import Log, cosigned
from tests.witness_world import Caller, Watched

SCRIPT = Path(__file__).with_name("witness_killed.py")


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched.found(tmp_path)


@contextmanager
def process(watched: Watched, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A witness in a process of its own, once it listens."""
    folder = watched.home.folder
    (folder / "port").unlink(missing_ok=True)
    with (folder / "serve.out").open("ab") as out:
        started = subprocess.Popen([sys.executable, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        until(lambda: (folder / "port").exists() or started.poll() is not None)
        assert started.poll() is None, (folder / "serve.out").read_text()
        yield started
    finally:
        started.kill()
        started.wait(PATIENCE_S)


def serving(watched: Watched) -> Sequence[str | Path]:
    return "-m", "rondgang", "audit", "witness", "--home", watched.home.folder


@contextmanager
def calling(watched: Watched) -> Iterator[Caller]:
    port = int((watched.home.folder / "port").read_text())
    with Caller(port, watched.regions["AA"][1]) as caller:
        yield caller


@pytest.mark.parametrize("moment", ["before", "durable"])
def test_killed_around_a_commit_it_cosigns_the_same_again_and_never_a_fork(watched: Watched, moment: str) -> None:
    log = watched.log("AA").grown(9)
    fork = log.branched(5, "another")
    with process(watched, SCRIPT, watched.home.folder, moment, "2") as dying, calling(watched) as caller:
        caller.add(log.brings(5))
        with pytest.raises(grpc.RpcError):
            caller.add(log.brings(8, 5))
        assert dying.wait(PATIENCE_S) == -9
    with process(watched, *serving(watched)), calling(watched) as caller:
        own = Note.parse(caller.exchange().own.decode())
        assert own.checkpoint == log.note(5 if moment == "before" else 8).checkpoint
        if moment == "durable":
            assert caller.add(fork.brings(8, 5)).not_cosigned.reason == Why.NOT_COSIGNED_REASON_FORKED
            assert caller.add(log.brings(8, 5)).conflict.size == 8
        given = log.brings(8, own.checkpoint.size)
        assert cosigned(given.note, caller.add(given).cosignature.decode(), watched.key) is not None
        assert caller.add(fork.brings(8, 8)).not_cosigned.reason == Why.NOT_COSIGNED_REASON_FORKED


def test_killed_over_and_over_under_load_it_never_goes_back(watched: Watched) -> None:
    log, size = watched.log("AA").grown(400), 0
    for _ in range(2):
        with process(watched, *serving(watched)) as running, calling(watched) as caller:
            own = caller.exchange().own.decode()
            assert (Note.parse(own).checkpoint.size if own else 0) == size
            for _ in range(40):
                given = log.brings(size + 1, size)
                assert cosigned(given.note, caller.add(given).cosignature.decode(), watched.key) is not None
                size += 1
            running.kill()
            running.wait(PATIENCE_S)
    with process(watched, *serving(watched)), calling(watched) as caller:
        assert caller.add(log.brings(size - 1, 0)).conflict.size == size
    assert log_is_whole(watched, log, size)


def log_is_whole(watched: Watched, log: Log, size: int) -> bool:
    """Whether the store holds a checkpoint of every size, each the log's own."""
    connection = connect(watched.home.store)
    try:
        rows = connection.execute("SELECT note FROM checkpoints WHERE region = 'AA' ORDER BY size").fetchall()
    finally:
        connection.close()
    return [Note.parse(text).checkpoint for (text,) in rows] == [log.note(one + 1).checkpoint for one in range(size)]


def test_told_to_stop_it_stops_in_order_and_a_second_one_does_not_start(watched: Watched) -> None:
    with process(watched, *serving(watched)) as running:
        second = subprocess.run(
            [sys.executable, *serving(watched)], capture_output=True, timeout=PATIENCE_S, check=False
        )
        assert second.returncode == 2
        assert b"A witness runs on" in second.stderr
        running.terminate()
        assert running.wait(PATIENCE_S) == 0
    told = (watched.home.folder / "serve.out").read_text()
    assert "Listening on 127.0.0.1:" in told
    assert "witness_stopped" in (watched.home.folder / "logs" / "witness.log").read_text()


def test_what_a_newer_version_wrote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.sqlite"
    connection = connect(path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BrokenStore, match="newer version"):
        connect(path)
    (tmp_path / "other").write_text("no database " * 1000)
    with pytest.raises(BrokenStore, match="cannot be opened"):
        connect(tmp_path / "other")


def test_migrations_are_numbered_and_say_what_every_column_holds() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))
    for _, sql in migrations():
        inside = [line for line in sql.splitlines() if line.startswith("    ")]
        assert [line for line in inside if "--" not in line and not line.lstrip().startswith("PRIMARY KEY")] == []
