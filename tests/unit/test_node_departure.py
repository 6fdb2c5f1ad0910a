"""When replies leave, how patiently the desk is sought, and what the journal may say."""

import json
import sys
from pathlib import Path

import pytest

from node.attend import wait_ms
from node.channel import channel_options
from node.departure import departure, last_moment
from node.home import CoordinatorAddress, Reconnect
from node.journal import FIELDS, FileJournal, place_of
from policies.rules.tick import Tick


def test_replies_leave_on_ticks_of_their_order() -> None:
    tick = Tick(25, 4)
    assert last_moment(tick, 10.0) == pytest.approx(10.1)
    assert departure(tick, 10.0, 10.0) == pytest.approx(10.025)
    assert departure(tick, 10.0, 10.026) == pytest.approx(10.050)
    assert departure(tick, 10.0, 10.0999) == pytest.approx(10.100)
    assert departure(tick, 10.0, 10.101) is None


def test_waits_double_up_to_the_longest_and_are_spread() -> None:
    settings = Reconnect(first_wait_ms=100, longest_wait_ms=1000)
    assert [wait_ms(settings, failures, 0.0) for failures in (1, 2, 3, 4, 5, 10**6)] == [100, 200, 400, 800, 1000, 1000]
    assert 50 <= wait_ms(settings, 1, 0.999) < 100


@pytest.mark.parametrize(
    ("host", "loopback"), [("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("desk.nl", False)]
)
def test_a_proxy_is_never_asked_for_this_machine_itself(host: str, loopback: bool) -> None:
    options = dict(channel_options(CoordinatorAddress(address=f"{host}:443"), Reconnect()))
    assert (options.get("grpc.enable_http_proxy") == 0) is loopback


def test_the_journal_keeps_to_its_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = FileJournal(tmp_path, "AA", sys.stderr)
    try:
        raise ValueError("household 4711")
    except ValueError as error:
        journal("fault", run="run-1", programme="p", attempt=1, reason="r", charge=1, place=place_of(error))
    journal("started")
    journal.close()
    lines = (tmp_path / "node.log").read_text(encoding="utf-8").splitlines()
    assert lines == capsys.readouterr().err.splitlines()
    assert "4711" not in lines[0]
    assert "ValueError at test_node_departure.py:" in lines[0]
    assert set(json.loads(lines[0])) == set(FIELDS)
    assert set(json.loads(lines[1])) == {"time", "level", "event", "region"}
