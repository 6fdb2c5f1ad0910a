"""A node and its witnesses over mutual TLS: cosignatures, comparisons, loss and return."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from rondgang.notes import Checkpoint, sign_checkpoint
from rondgang.roles import Role
from rondgang.witnessing import Submission

from compose.demo.federation import free_port
from node.home import CoordinatorAddress, WitnessAddress, Witnessing, write_config
from node.recovering import Last
from node.witnessing.recovery import ask
from node.witnessing.said import Away, Exchanged
from node.witnessing.wire import GrpcLine
from node.witnessing.witnesses import Witnesses
from policies.rules.refusals import Reason, Refused
from tests.e2e.world import until
from tests.node_desk import Address
from tests.node_notes import Notes
from tests.node_world import CHECKPOINT, World, make_home, put_snapshot, roster
from tests.small_study import OPEN, heading, planned
from tests.witnesses import WITHIN_S, WitnessServer

NOTE = sign_checkpoint(Checkpoint("AA/1", 1, b"r" * 32), CHECKPOINT)
PRICE = planned().charge.amount.nano


class Watched:
    """A region whose two witnesses are servers on this machine."""

    def __init__(self, folder: Path, **witnessing: int) -> None:
        self.address = Address.new(free_port())
        self.home = make_home(folder / "home")
        self.address.enrol(self.home)
        put_snapshot(self.home)
        self.world = World(self.home, journal=Notes())
        desk, other = self.world.watching
        self.servers = (
            WitnessServer(desk, self.address.root, port=self.address.port),
            WitnessServer(other, self.address.root, port=free_port()),
        )
        changed = {
            "coordinator": CoordinatorAddress(address=f"localhost:{self.servers[0].port}"),
            "witnesses": (WitnessAddress(address=f"127.0.0.1:{self.servers[1].port}", name="localhost"),),
            "witnessing": Witnessing.model_validate(witnessing),
        }
        write_config(self.home, self.home.config().model_copy(update=changed))
        self.world.restart()
        region, config = self.world.region, self.home.config()
        lines = [GrpcLine(self.home, address, config.reconnect) for address in config.watchers]
        key = self.home.signing_key("checkpoint")
        self.world.witnesses = Witnesses(region, key, lines, self.world.journal)

    @contextmanager
    def listening(self, *which: int) -> Iterator[None]:
        """While the block runs these witnesses listen; all where none is named."""
        with ExitStack() as stack:
            for place in which or (0, 1):
                role = (Role.COORDINATOR, Role.WITNESS)[place]
                stack.enter_context(self.servers[place].listening(role))
            yield

    def close(self) -> None:
        self.world.witnesses.close()
        self.world.region.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.close()


def why(outcome: bytes | Refused | None) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def test_answers_are_cosigned_over_the_line_and_no_proxy_is_asked(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy that nobody listens on: the node must not ask it for this machine itself.
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with watched.listening():
        assert watched.world.witnesses.watch() is None
        assert isinstance(watched.world.ask(), bytes)
    head = watched.world.region.ledger.head()
    assert [one.size("AA") for one in watched.world.watching] == [head.size, head.size]
    assert [one.name for one in watched.world.witnesses.watchers] == ["coordinator", "witness"]


def test_a_witness_that_went_and_came_back_is_dialled_again_at_once(watched: Watched) -> None:
    world = watched.world
    for number in range(2):
        programme = planned().model_copy(update={"programme": heading(id=f"number_{number}")})
        with watched.listening(0):
            assert why(world.ask(programme)) is Reason.UNWITNESSED
            assert world.witnesses.watchers[1].problem == "away"
        with watched.listening():
            assert isinstance(world.ask(programme), bytes)
    assert (world.spent, len(world.rows.reads)) == (2 * PRICE, 2)


def test_a_witness_that_restarted_between_two_answers_costs_nobody_a_refusal(watched: Watched) -> None:
    for number in range(2):
        with watched.listening():
            programme = planned().model_copy(update={"programme": heading(id=f"number_{number}")})
            assert isinstance(watched.world.ask(programme), bytes)


def test_a_slow_witness_is_waited_for_no_longer_than_the_settings_say(tmp_path: Path) -> None:
    watched = Watched(tmp_path, within_ms=200)
    with watched.listening():
        assert watched.world.witnesses.watch() is None
        watched.servers[1].delay_s = 1.0
        started = time.monotonic()
        assert why(watched.world.ask()) is Reason.UNWITNESSED
        assert time.monotonic() - started < 0.9
        watched.servers[1].delay_s = 0.0
        assert isinstance(watched.world.ask(), bytes)
    assert (watched.world.spent, len(watched.world.rows.reads)) == (PRICE, 1)
    watched.close()


def test_a_witness_without_the_consortiums_certificate_is_not_heard(watched: Watched) -> None:
    stranger = Address.new(free_port())
    watched.servers[1].root = stranger.root
    with watched.listening():
        assert why(watched.world.witnesses.watch()) is Reason.UNWITNESSED
        assert why(watched.world.ask()) is Reason.UNWITNESSED
    assert watched.world.watching[1].calls == 0
    assert watched.world.spent == 0


def test_bytes_that_are_no_note_are_as_if_nothing_came(watched: Watched) -> None:
    config = watched.home.config()
    line = GrpcLine(watched.home, config.coordinator, config.reconnect)
    watched.servers[0].garbles = True
    with watched.listening():
        for told in (line.exchange((), WITHIN_S), line.add_checkpoint(Submission(NOTE, 0, ()), WITHIN_S)):
            assert told.result(WITHIN_S) == Away("it said something that cannot be read")
        assert why(watched.world.ask()) is Reason.UNWITNESSED
        watched.servers[0].garbles = False
        assert isinstance(watched.world.ask(), bytes)
    assert isinstance(line.exchange((), WITHIN_S).result(WITHIN_S), Away)
    line.close()


def test_a_reset_asks_the_witnesses_of_the_settings(watched: Watched) -> None:
    with watched.listening():
        assert isinstance(watched.world.ask(), bytes)
        head = watched.world.region.ledger.head()
        assert ask(watched.home, roster(), OPEN) == Last(head, ("coordinator", "witness"))
    started = time.monotonic()
    assert not isinstance(ask(watched.home, roster(), OPEN), Last)
    assert time.monotonic() - started < 3.0


def test_a_line_that_opens_more_slowly_than_a_call_may_last_is_opened_all_the_same(
    watched: Watched, tmp_path: Path
) -> None:
    """A storm found it: each call that was late dialled anew, so a node behind a slow line was unwitnessed for good."""
    config = watched.home.config()
    with watched.listening(1), _slow(tmp_path / "lines.json", watched.servers[1].port, 300) as port:
        line = GrpcLine(watched.home, WitnessAddress(address=f"127.0.0.1:{port}", name="localhost"), config.reconnect)
        first = line.exchange([], 1.0).result(WITHIN_S)
        later = [line.exchange([], 1.0).result(WITHIN_S) for _ in range(4)]
        line.close()
    assert isinstance(first, Away), "two round trips to open it, one for the call"
    assert isinstance(later[-1], Exchanged)


@contextmanager
def _slow(file: Path, to: int, delay_ms: int) -> Iterator[int]:
    """The port of a line to another port of this machine that is so late either way; a process of its own."""
    port = free_port()
    file.write_text(json.dumps({port: {"to": f"127.0.0.1:{to}", "delay_ms": delay_ms, "broken": False}}))
    with subprocess.Popen([sys.executable, "-m", "tests.storms.line", str(file)]) as proxy:
        try:
            until(lambda: _listens(port), "for the line")
            yield port
        finally:
            proxy.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
