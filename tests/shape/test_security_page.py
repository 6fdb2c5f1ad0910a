"""SECURITY.md is true to the code: the files that it names are there, and its bounds are those that are set."""

import re

import audit.witness.door
import audit.witness.transport
import coordinator.attendance.lines
import coordinator.attendance.service
import coordinator.callers
import coordinator.door
import coordinator.peers
import coordinator.transport
from tests.shape.sources import CHECKOUT

TEXT = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
_PATH = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9.]*|[A-Z][a-z]+file)`")
DESK, WITNESS = dict(coordinator.transport.SERVER_OPTIONS), dict(audit.witness.transport.SERVER_OPTIONS)


def _row(what: str) -> list[str]:
    """The two bounds in the row that begins with these words, as numbers in their order."""
    (line,) = [line for line in TEXT.splitlines() if line.startswith(f"| {what}")]
    return [",".join(re.findall(r"[0-9][0-9,]*", cell)).replace(",", "") for cell in line.split("|")[2:4]]


def test_every_file_that_it_names_is_there() -> None:
    named = set(_PATH.findall(TEXT))
    assert len(named) > 30
    assert {name for name in named if not (CHECKOUT / name).exists()} == set()


def test_its_bounds_are_those_that_are_set() -> None:
    ours, theirs = coordinator.callers.MOST_OPEN, audit.witness.door
    lines, attending = coordinator.attendance.lines, coordinator.attendance.service
    streams = "grpc.max_concurrent_streams"
    places = "grpc.max_allowed_incoming_connections"
    said = {
        "handshake": [str(options["grpc.server_handshake_timeout_ms"] // 1_000) for options in (DESK, WITNESS)],
        "a peer that answers": [
            str((options["grpc.keepalive_time_ms"] + options["grpc.keepalive_timeout_ms"]) // 1_000)
            for options in (DESK, WITNESS)
        ],
        "connections; streams": [f"{options[places]}{options[streams]}" for options in (DESK, WITNESS)],
        "calls open, of everybody": [str(coordinator.transport.MOST_CALLS), str(audit.witness.transport.MOST_CALLS)],
        "calls open, of one": [f"{ours['call']}{ours['watch']}{ours['line']}", str(theirs.MOST_OPEN)],
        "of these worked on": [str(coordinator.callers.AT_ONCE), ""],
        "one message": [
            f"{options['grpc.max_receive_message_length'] >> 20}{most >> 10}"
            for options, most in ((DESK, coordinator.peers.MOST_HEADER_BYTES), (WITNESS, theirs.MOST_HEADER_BYTES))
        ],
        "messages waiting": [f"{lines.MOST_QUEUED}{lines.MOST_BEFORE_QUOTES}{attending.SLOW_S:.0f}", ""],
    }
    assert {what: _row(what) for what in said} == said
    assert _row("a request to come in")[0].startswith(f"{coordinator.door.READ_WITHIN_S:.0f}")
    assert [options["grpc.per_message_decompression"] for options in (DESK, WITNESS)] == [0, 0]
    assert DESK["grpc.max_connection_age_ms"] == WITNESS["grpc.max_connection_age_ms"] == 12 * 3_600_000
