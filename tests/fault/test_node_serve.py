"""The process that `rondgang node serve` is: it comes back after kill -9, is asked over its socket, and syncs first."""

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rondgang.signed import Signed

from compose.demo.federation import free_port
from node.home import Home, WitnessAddress, write_config
from node.operations import Done, adopt_policy, status
from node.status import Status
from policies.rules.refusals import Reason
from policies.wire.refusals import refusal_from_wire
from tests.node_desk import Address, PlayedDesk, order, serve_log
from tests.node_world import FOREVER, always_programme, always_roster, import_rows, make_home, signed_order
from tests.small_study import region_policy
from tests.witnesses import Witness, WitnessServer

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMME = always_programme()
RUN = "run-00000000000000aa"
STOP_S = 20.0


def ask(desk: PlayedDesk, programme: Signed = PROGRAMME) -> Awaitable[bytes]:
    async def asked() -> bytes:
        signed = signed_order(programme, run=RUN, deadline=FOREVER)
        reply = await desk.asked(order(programme, RUN, signed))
        assert reply.signed_answer, reply
        return reply.signed_answer

    return asked()


@dataclass
class Place:
    """Where a desk may listen, an enrolled home with data that attends there, and an independent witness of it."""

    address: Address
    home: Home
    desk: Witness
    witness: WitnessServer


@pytest.fixture
def enrolled(tmp_path: Path) -> Iterator[Place]:
    address = Address.new(free_port())
    home = make_home(tmp_path / "a home", f"localhost:{address.port}", always=True)
    address.enrol(home)
    import_rows(home)
    desk, other = (Witness(label, always_roster, lambda: int(time.time())) for label in ("desk", "witness"))
    with WitnessServer(other, address.root).listening() as witness:
        addresses = (WitnessAddress(address=f"localhost:{witness.port}"),)
        write_config(home, home.config().model_copy(update={"witnesses": addresses}))
        yield Place(address, home, desk, witness)


@contextmanager
def serving(home: Home, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    """`rondgang node serve`, under the command `before` if any; killed at the end if it still runs."""
    command = [*before, sys.executable, "-m", "rondgang", "node", "serve", "--home", str(home.root)]
    with (home.root / "serve.out").open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=CHECKOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_S)


def converse(place: Place, conversation: Callable[[PlayedDesk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with place.address.opened(PlayedDesk(), place.desk) as desk:
            await asyncio.wait_for(conversation(desk), 60)

    asyncio.run(run())


def test_an_answer_survives_kill_minus_nine(enrolled: Place) -> None:
    home = enrolled.home
    replies: list[bytes] = []

    async def conversation(desk: PlayedDesk) -> None:
        for _ in range(2):
            desk.came.clear()
            with serving(home) as process:
                replies.append(await ask(desk))
                process.send_signal(signal.SIGKILL)
                process.wait(STOP_S)

    converse(enrolled, conversation)
    assert replies[0] == replies[1]
    shown = status(home)
    assert [entry.event for entry in shown.last].count("debited") == 1
    assert '"event": "answered_again"' in serve_log(home.root)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets the limits of another process")
def test_a_node_whose_ledger_cannot_be_written_ends_and_answers_when_it_is_started_again(enrolled: Place) -> None:
    """A storm found it: with room on its disk again, a node that had stayed refused everything until somebody came."""
    home = enrolled.home

    async def conversation(desk: PlayedDesk) -> None:
        with serving(home) as process:
            await ask(desk)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
            other = always_programme("no_room")
            reply = await desk.asked(order(other, RUN, signed_order(other, run=RUN, deadline=FOREVER)))
            assert refusal_from_wire(reply.refusal).reason is Reason.FAULT
            assert await asyncio.to_thread(process.wait, STOP_S) == 1
        assert "start the node again" in (home.root / "serve.out").read_text(encoding="utf-8")
        desk.came.clear()
        with serving(home):
            assert await ask(desk, always_programme("room_again"))

    converse(enrolled, conversation)


def test_a_serving_node_is_asked_over_its_socket_and_stops_when_told(enrolled: Place) -> None:
    home = enrolled.home
    assert isinstance(adopt_policy(home, region_policy(policy={"version": 2}, test_only=True)), Done)

    async def conversation(desk: PlayedDesk) -> None:
        with serving(home) as process:
            await ask(desk)
            shown = await asyncio.to_thread(status, home)
            assert (shown.serving, shown.connected, shown.answered) == (True, True, 1)
            assert home.socket_file.stat().st_mode & 0o777 == 0o600
            # From here on nothing is allowed, also for the process that is running.
            strict = region_policy(policy={"version": 3}, programme={"rho": "0"})
            assert isinstance(await asyncio.to_thread(adopt_policy, home, strict), Done)
            other = always_programme("another")
            reply = await desk.asked(order(other, RUN, signed_order(other, run=RUN, deadline=FOREVER)))
            assert "0 a programme" in reply.refusal.sentence
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, STOP_S) == 0

    converse(enrolled, conversation)
    assert not home.socket_file.exists()
    events = [json.loads(line)["event"] for line in serve_log(home.root).splitlines()]
    assert events[:2] == ["started", "test_only"], "a policy for tests alone is told at every start"
    assert "Region AA attends localhost" in (home.root / "serve.out").read_text(encoding="utf-8")


def test_a_node_on_yesterdays_folder_attends_repeats_and_says_what_is_wrong(enrolled: Place, tmp_path: Path) -> None:
    home, older = enrolled.home, Home(tmp_path / "older")
    wide = region_policy(policy={"version": 2}, cohorts={"c1": {"rho": "9"}}, lifetime={"rho": "9"})
    assert isinstance(adopt_policy(home, wide), Done)
    told: list[bytes | str] = []
    shown: list[Status] = []

    async def conversation(desk: PlayedDesk) -> None:
        with serving(home):
            told.append(await ask(desk))
            await ask(desk, always_programme("second"))
            shutil.copytree(home.root, older.root, ignore=shutil.ignore_patterns("*.sock", "lock", "serve.out"))
            await ask(desk, always_programme("third"))
        desk.came.clear()
        with serving(older):
            told.append(await ask(desk))
            new = always_programme("fourth")
            reply = await desk.asked(order(new, RUN, signed_order(new, run=RUN, deadline=FOREVER)))
            told.append(reply.refusal.sentence)
            shown.append(await asyncio.to_thread(status, older))

    converse(enrolled, conversation)
    assert told[0] == told[1]
    (found,) = shown
    assert found.trouble is not None
    assert (found.trouble.kind, found.trouble.own) == ("behind", found.entries)
    assert found.trouble.seen == enrolled.desk.size("AA") > found.entries
    assert [one.problem for one in found.witnesses] == ["behind", "behind"]
    assert f"{found.entries} entries" in str(told[2])
    printed = (older.root / "serve.out").read_text(encoding="utf-8")
    assert "NOTE: this ledger is behind." in printed
    assert "rondgang node recover" in printed
    assert '"event": "behind_witnesses"' in serve_log(older.root)


def test_a_serving_node_loads_nothing_that_only_import_needs() -> None:
    heavy = (
        "pandas",
        "pyarrow",
        "scipy",
        "ibis",
        "rich",
        "opendp.prelude",
        "jinja2",
        "node.importing.run",
        "pyreadstat",
    )
    code = f"import sys, node.cli, node.serving; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert told.stdout.strip() == "[]"


def _can_trace() -> bool:
    try:
        tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


CALL = re.compile(r"^\d+ +(?P<time>[\d.]+) (?P<name>\w+)\((?P<rest>.*)")
"""One line of `strace -f -ttt -y`."""


def calls_between(trace: Path, first: float, last: float) -> list[tuple[str, str]]:
    """System calls that ended well, by name and the rest of their line, in the order in which they began."""
    return [
        (match["name"], match["rest"])
        for line in trace.read_text(encoding="utf-8", errors="replace").splitlines()
        if (match := CALL.match(line)) and first <= float(match["time"]) <= last
    ]


@pytest.mark.strace
@pytest.mark.skipif(not _can_trace(), reason="needs strace and the right to trace")
def test_the_ledger_is_synced_before_rows_are_read_and_before_the_reply_leaves(enrolled: Place, tmp_path: Path) -> None:
    home = enrolled.home
    trace = tmp_path / "trace"
    moments: list[float] = []
    replies: list[bytes] = []
    looked_at = "trace=pwrite64,fdatasync,sendmsg,openat"
    strace = ("strace", "-f", "-ttt", "-y", "-s", "0", "-e", looked_at, "-o", str(trace))

    async def conversation(desk: PlayedDesk) -> None:
        with serving(home, *strace) as process:
            await asyncio.wait_for(desk.came.wait(), 60)
            moments.append(time.time())
            replies.append(await ask(desk))
            moments.append(time.time())
            # To the whole group: strace itself keeps to the end of what it traces.
            os.killpg(process.pid, signal.SIGTERM)
            await asyncio.to_thread(process.wait, STOP_S)

    converse(enrolled, conversation)
    calls = calls_between(trace, *moments)
    writes = places(calls, "pwrite64", "ledger.sqlite-wal>")
    syncs = places(calls, "fdatasync", "ledger.sqlite-wal>")
    reads = places(calls, "openat", ".parquet")
    sends = [i for i in places(calls, "sendmsg", "") if sent_bytes(calls[i][1]) >= len(replies[0])]
    assert reads, "rows were read"
    assert len(sends) == 1, "one message is large enough to hold the reply"
    (sent,) = sends
    debit = [i for i in writes if i < reads[0]]
    stored = [i for i in writes if reads[-1] < i < sent]
    assert debit, "the debit was written before any row was read"
    assert stored, "the answer was written after the rows were read and before it left"
    synced = [i for i in syncs if debit[-1] < i < reads[0]]
    kept = [i for i in syncs if stored[-1] < i < sent]
    assert synced, "the debit is on disk before any row is read"
    assert kept, "the answer is on disk before it leaves"
    told = places(calls, "sendmsg", "")
    assert len([i for i in told if synced[-1] < i < reads[0]]) >= 2, "both witnesses hear of the debit before that"
    assert len([i for i in told if kept[-1] < i < sent]) >= 2, "both witnesses hear of the answer before that"
    assert [i for i in writes if i not in debit and i not in stored] == []


def places(calls: list[tuple[str, str]], name: str, within: str) -> list[int]:
    return [i for i, (called, rest) in enumerate(calls) if called == name and within in rest]


def sent_bytes(rest: str) -> int:
    result = re.search(r"= (\d+)$", rest)
    return int(result[1]) if result else 0
