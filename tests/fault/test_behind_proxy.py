"""A node where networks are strict: behind an HTTP proxy, in a network of its own, with nothing that listens.

And a certificate that is renewed while questions are being answered.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import compose.consortium.cli
import coordinator.cli
import node.cli
from compose.demo.federation import Federation, free_port
from compose.demo.verbs import run
from coordinator.client import Desk
from node.attend import Attendance
from node.home import Reconnect, write_config
from node.journal import silent
from tests.e2e.world import draft, finished, quiet, small_federation, status_of, until
from tests.node_desk import Address, PlayedDesk
from tests.node_world import World, make_home, put_snapshot
from tests.proxy import Proxy

MINUTES_10_S = 600.0
LINK = "10.231.77"


@dataclass(frozen=True, slots=True)
class Network:
    """A network namespace; the machine itself is `outside` to it, and nothing else is."""

    name: str
    outside: str

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]


@contextmanager
def network() -> Iterator[Network]:
    """One cable to this machine, no route beyond, no name server."""
    name, near, far = f"rg{os.getpid()}", f"rgn{os.getpid() % 10000}", f"rgf{os.getpid() % 10000}"
    steps = [
        ["ip", "netns", "add", name],
        ["ip", "link", "add", near, "type", "veth", "peer", "name", far],
        ["ip", "link", "set", far, "netns", name],
        ["ip", "addr", "add", f"{LINK}.1/30", "dev", near],
        ["ip", "link", "set", near, "up"],
        ["ip", "netns", "exec", name, "ip", "addr", "add", f"{LINK}.2/30", "dev", far],
        ["ip", "netns", "exec", name, "ip", "link", "set", far, "up"],
        ["ip", "netns", "exec", name, "ip", "link", "set", "lo", "up"],
    ]
    try:
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no network namespaces here: {' '.join(step)}: {done.stderr.strip()}")
        yield Network(name, f"{LINK}.1")
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", near], capture_output=True, check=False)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Short enough for a Unix socket: else a node's own verbs reach it by a port of its network, which is not ours."""
    with tempfile.TemporaryDirectory(prefix="rg-") as name:
        yield Path(name)


def behind(federation: Federation, region: str) -> None:
    """The region dials names that only its proxy knows."""
    path = federation.node(region) / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["coordinator"] = {"address": "desk.test:443", "name": "localhost"}
    config["witnesses"] = [{"address": "witness.test:443", "name": "localhost"}]
    path.write_text(yaml.safe_dump(config), encoding="utf-8")


def listening(pid: int) -> list[str]:
    """The TCP sockets that listen in the network of a process."""
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
    ]
    return [row[1] for row in rows if len(row) > 3 and row[3] == "0A"]


@pytest.mark.netns
@pytest.mark.skipif(not shutil.which("ip") or os.geteuid() != 0, reason="needs root, and ip of iproute2")
def test_a_node_behind_a_proxy_with_no_way_in_attends_answers_and_comes_back(short_path: Path) -> None:
    federation = small_federation(short_path)
    behind(federation, "AA")
    with network() as net:
        ports = federation.witness_ports["witness"]
        routes = {"desk.test:443": ("127.0.0.1", federation.port), "witness.test:443": ("127.0.0.1", ports)}
        with Proxy(net.outside, routes).running() as proxy:
            federation.start_one("coordinator", "coordinator", federation.coordinator)
            federation.start_witnesses()
            federation.start_node("BB")
            with (short_path / "aa.out").open("wb") as out:
                home = str(federation.node("AA"))
                command = net.command(sys.executable, "-m", "rondgang", "node", "serve", "--home", home)
                environment = os.environ | {"https_proxy": proxy.url}
                federation.processes["AA"] = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
            try:
                federation.wait_for(("AA", "BB"), 60, quiet)
                pid = federation.processes["AA"].pid
                assert listening(pid) == []
                assert {"CONNECT desk.test:443", "CONNECT witness.test:443"} <= set(proxy.asked)
                with Desk.open(federation.researcher) as desk:
                    first = desk.submit(desk.plan(draft("first"))).run
                    assert {one.state.value for one in finished(desk, first).regions} == {"answered"}
                    proxy.sever()
                    until(lambda: not status_of(federation, "AA").connected, "for the line to be lost")
                    second = desk.submit(desk.plan(draft("second"))).run
                    proxy.mend()
                    assert {one.state.value for one in finished(desk, second).regions} == {"answered"}
                told = doctor(net, federation, proxy)
                assert "way_through_proxy" in told
            finally:
                federation.stop()


def doctor(net: Network, federation: Federation, proxy: Proxy) -> str:
    """What the doctor says of the way out, from inside."""
    command = net.command(
        sys.executable, "-m", "rondgang", "node", "doctor", "--home", str(federation.node("AA")), "--json"
    )
    environment = os.environ | {"https_proxy": proxy.url}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60).stdout


class Later:
    """Time that passes only where a node waits: ten minutes are over in no time."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.waits: list[float] = []

    async def first_of(self, *events: asyncio.Event, timeout_s: float) -> None:
        if not any(event.is_set() for event in events):
            self.waits.append(timeout_s)
            self.at_s += timeout_s
        await asyncio.sleep(0)


def test_a_line_that_is_lost_for_ten_minutes_is_found_again_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Later()
    monkeypatch.setattr("node.attend.first_of", later.first_of)
    place = Address.new(free_port())
    made = make_home(tmp_path / "home", f"localhost:{place.port}", always=True)
    place.enrol(made)
    put_snapshot(made)
    write_config(made, made.config().model_copy(update={"reconnect": Reconnect()}))

    async def lived(world: World) -> None:
        """Nobody listens until ten minutes have passed; then the desk is there."""
        stop, back = asyncio.Event(), asyncio.Event()
        with ThreadPoolExecutor(1) as worker:
            attendance = Attendance(world.region, world.answering(), world.attempts(), worker, silent, "a test")
            attending = asyncio.create_task(attendance.run(stop, back.set))
            while later.at_s < MINUTES_10_S:
                assert not attending.done()
                await asyncio.sleep(0.01)
            async with place.opened(PlayedDesk()) as desk:
                await asyncio.wait_for(back.wait(), 30)
                assert [hello.region for hello in desk.hellos] == ["AA"]
                stop.set()
                await attending

    asyncio.run(lived(World(made)))
    settings = Reconnect()
    assert max(later.waits) * 1000 <= settings.longest_wait_ms
    assert sum(wait > settings.longest_wait_ms / 2000 for wait in later.waits) > 10


def test_a_certificate_is_renewed_while_questions_are_answered_and_nothing_is_dropped(tmp_path: Path) -> None:
    federation = small_federation(tmp_path)
    federation.start(quiet)
    renewed, pid = threading.Event(), federation.processes["AA"].pid

    def renew() -> None:
        """What the consortium, the desk and the steward do, while the node serves."""
        certificate = federation.sign(federation.node("AA"), "--renew", "--days", "400")
        roster = tmp_path / "roster2.json"
        run(compose.consortium.cli.app, "consortium", "roster", "--out", roster, "--home", federation.consortium)
        run(coordinator.cli.app, "coordinator", "adopt", roster, "--home", federation.coordinator)
        run(node.cli.app, "node", "enrol", certificate, "--roster", roster, "--home", federation.node("AA"))
        renewed.set()

    try:
        before = (federation.node("AA") / "certs" / "own.pem").read_bytes()
        with Desk.open(federation.researcher) as desk, ThreadPoolExecutor(1) as beside:
            runs = [desk.submit(desk.plan(draft("before_0", rho="0.01"))).run]
            work = beside.submit(renew)
            while not renewed.is_set() or len(runs) < 12:
                assert len(runs) < 400, "the renewal never ended"
                runs.append(desk.submit(desk.plan(draft(f"under_way_{len(runs)}", rho="0.01"))).run)
            work.result(60)
            states = {one.state.value for run_ in runs for one in finished(desk, run_).regions}
            assert states == {"answered"}
            assert (federation.node("AA") / "certs" / "own.pem").read_bytes() != before
            # From the next time that it dials the node shows the new one.
            federation.kill("coordinator")
            federation.start_one("coordinator", "coordinator", federation.coordinator)
            federation.wait_for(("AA", "BB"), 60, quiet)
        with Desk.open(federation.researcher) as desk:
            last = desk.submit(desk.plan(draft("after", rho="0.01"))).run
            assert {one.state.value for one in finished(desk, last).regions} == {"answered"}
        assert federation.processes["AA"].pid == pid
        assert federation.processes["AA"].poll() is None
    finally:
        federation.stop()
