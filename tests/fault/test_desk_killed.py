"""kill -9 of the desk loses no run and no reply: what was open goes on when it is back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from coordinator.gather import Asked, State
from tests.desk import PATIENCE_S, Country, FakeNode, all_nodes, draft, until


@contextmanager
def desk_process(country: Country) -> Iterator[subprocess.Popen[bytes]]:
    """A desk in a process of its own; the researcher's folder points to it."""
    port_file = country.desk.folder / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "rondgang", "coordinator", "serve", "--home", str(country.desk.folder)]
    with (country.folder / "serve.out").open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        until(lambda: port_file.exists() or process.poll() is not None)
        assert process.poll() is None, (country.folder / "serve.out").read_text()
        country.point_researcher(int(port_file.read_text()))
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def _port(country: Country) -> int:
    return int((country.desk.folder / "port").read_text())


def test_a_run_goes_on_after_the_desk_was_killed(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    with desk_process(country) as process, country.open() as desk, FakeNode.of(country, "AA", _port(country)) as node:
        node.welcomed()
        run = desk.submit(desk.plan(draft())).run
        until(lambda: next(iter(desk.watch(run))).count(Asked.ANSWERED) == 1)
        kept = desk.fetch(run).signed_answers
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    with desk_process(country), country.open() as desk, ExitStack() as stack:
        nodes = all_nodes(stack, country, _port(country))
        *_, last = desk.watch(run)
        assert last.state is State.COMPLETE
        assert last.count(Asked.ANSWERED) == 3
        assert [len(node.orders) for node in nodes.values()] == [0, 1, 1]
        assert kept[0] in desk.fetch(run).signed_answers
        assert desk.submit(desk.plan(draft())).run == run


def test_a_desk_that_is_told_to_stop_stops_in_order(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    with desk_process(country) as process, FakeNode.of(country, "AA", _port(country)) as node:
        node.welcomed()
        started = time.monotonic()
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert time.monotonic() - started < PATIENCE_S / 2
    told = (country.folder / "serve.out").read_text()
    assert "Listening on 127.0.0.1:" in told
    assert "desk_stopped" in told
    assert "desk_stopped" in (country.desk.folder / "logs" / "coordinator.log").read_text()
    assert yaml.safe_load((country.desk.folder / "port").read_text()) > 0


def test_a_second_desk_on_the_same_folder_does_not_start(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    with desk_process(country):
        command = [sys.executable, "-m", "rondgang", "coordinator", "serve", "--home", str(country.desk.folder)]
        second = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    assert second.returncode == 2
    assert b"A desk runs on" in second.stderr
