"""The doctor finds what was broken on purpose, says what to do, and gives nothing away."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli import app
from node.doctor.examine import examine
from node.doctor.lines import Line
from node.doctor.reach import proxy_for, reach
from node.doctor.safe import support
from node.home import Home, PeerAddress
from node.pausing import pause
from tests.node_world import import_rows, make_home
from tests.small_study import OPEN
from tests.watched_home import two_witnesses, watched_home


def found(lines: tuple[Line, ...], area: str) -> Line:
    (line,) = (line for line in lines if line.area == area)
    return line


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home", always=True)


def test_every_line_that_can_be_has_words_in_both_languages() -> None:
    from policies.pages.words import catalogue

    sources = " ".join(path.read_text() for path in (Path(__file__).parents[2] / "node" / "doctor").glob("*.py"))
    told = [key.removeprefix("getin.doctor.") for key in catalogue() if key.startswith("getin.doctor.")]
    for code in told:
        stem = code.removeprefix("own_").removeprefix("root_").removeprefix("proxy_").removeprefix("ledger_")
        assert stem.removeprefix("witnesses_").rpartition(".")[0] in ("worst", "") or stem in sources, code


def test_a_home_that_is_not_enrolled_is_told_where_its_request_goes(home: Home) -> None:
    line = found(examine(home), "certificate")
    assert (line.level, line.code) == ("broken", "not_enrolled")


def test_rights_of_others_are_broken(home: Home) -> None:
    assert found(examine(home), "home").code == "private"
    (home.keys / "steward.pem").chmod(0o644)
    line = found(examine(home), "home")
    assert (line.level, line.code, line.fields["path"]) == ("broken", "open_to_others", str(home.keys / "steward.pem"))


def test_data_that_are_due_and_absent_are_a_warning(home: Home) -> None:
    assert found(examine(home), "data").code == "no_data"
    import_rows(home)
    assert found(examine(home), "data").code == "data"


def test_a_clock_before_what_was_recorded_is_broken(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.operations.time.time", lambda: float(OPEN - 3600))
    line = found(examine(home), "clock")
    assert (line.level, line.code, line.fields["minutes"]) == ("broken", "clock_behind", 60)


def test_an_altered_document_is_broken_and_the_rest_is_looked_at(home: Home) -> None:
    path = home.adopted / "calendar.json"
    path.write_bytes(path.read_bytes().replace(b"c1", b"c2"))
    lines = examine(home)
    assert found(lines, "ledger").code == "unusable"
    assert found(lines, "disk").level == "ok"


def test_a_full_disk_is_broken(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 5 * 2**20})
    monkeypatch.setattr("node.doctor.local.shutil.disk_usage", lambda _path: usage)
    assert found(examine(home), "disk").code == "disk_full"


def test_the_verb_ends_with_one_where_something_is_broken(home: Home) -> None:
    told = CliRunner().invoke(app, ["doctor", "--home", str(home.root), "--json"], env={"RONDGANG_HOME": ""})
    assert told.exit_code == 1
    shown = json.loads(told.stdout)
    assert shown["worst"] == "broken"
    assert all(line["sentence"] for line in shown["lines"])


def test_the_support_file_holds_nothing_of_the_data_the_folder_or_the_log(home: Home, tmp_path: Path) -> None:
    canary = "canary7391"
    import_rows(home)
    (home.logs).mkdir(exist_ok=True)
    rows = [{"event": "answered", "run": canary, "reason": canary}, {"event": canary}, canary, [canary]]
    (home.logs / "node.log").write_text("\n".join(map(json.dumps, rows)) + f"\n{canary}\n", encoding="utf-8")
    moved = Home(home.root.rename(tmp_path / canary))
    pause(moved, OPEN, None)
    data = support(moved, examine(moved), OPEN)
    assert canary.encode() not in data
    assert str(tmp_path).encode() not in data
    told = json.loads(data)
    assert set(told) == {"format", "region", "made", "lines", "events"}
    assert told["events"] == {"answered": 1}
    for line in told["lines"]:
        assert set(line) == {"area", "level", "code", "fields"}


# ---- the way out


@dataclass
class Listening:
    port: int


@contextmanager
def answering(reply: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[Listening]:
    """A server that says one thing to whoever comes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    try:
                        if tls is not None:
                            line = tls.wrap_socket(line, server_side=True)
                        line.recv(4096)
                        line.sendall(reply)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Listening(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def way(home: Home, address: str, **environment: str) -> Line:
    return reach(home, PeerAddress(address=address), "coordinator", environment)


def test_a_closed_port_and_an_unknown_name_are_told_apart(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert way(home, f"127.0.0.1:{port}").code == "refused"
    assert way(home, "no-such-host.invalid:443").code == "no_name"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy_says_no"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_says_no"),
        (b"", "proxy_says_no"),
        (b"nonsense\r\n\r\n", "proxy_says_no"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no_papers"),
    ],
)
def test_what_a_proxy_says_is_told(home: Home, reply: bytes, code: str) -> None:
    with answering(reply) as proxy:
        line = way(home, "desk.example.nl:443", https_proxy=f"http://127.0.0.1:{proxy.port}")
    assert (line.level, line.code, line.fields["proxy"]) == ("broken", code, f"127.0.0.1:{proxy.port}")


def test_a_proxy_that_is_not_there_is_told_apart_from_the_desk(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert way(home, "desk.example.nl:443", http_proxy=f"127.0.0.1:{port}").code == "proxy_refused"
    assert way(home, "desk.example.nl:443", grpc_proxy="http://proxy.invalid:3128").code == "proxy_no_name"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"https_proxy": "http://p.nl:3128"}, "p.nl:3128"),
        ({"http_proxy": "p.nl:8080"}, "p.nl:8080"),
        ({"grpc_proxy": "http://g.nl:1", "https_proxy": "http://p.nl:2"}, "g.nl:1"),
        ({"https_proxy": "http://p.nl:3128", "no_proxy": "example.nl"}, None),
        ({"https_proxy": "http://p.nl:3128", "no_proxy": "other.nl, .example.nl"}, None),
        ({"https_proxy": "http://p.nl:3128", "no_proxy": "ample.nl"}, "p.nl:3128"),
    ],
)
def test_the_proxy_is_the_one_that_the_node_itself_would_take(
    environment: dict[str, str], expected: str | None
) -> None:
    proxy = proxy_for(PeerAddress(address="desk.example.nl:443"), environment)
    assert (proxy and proxy.text) == expected
    assert proxy_for(PeerAddress(address="127.0.0.1:443"), environment) is None


def test_witnesses_that_are_there_are_reached_and_others_are_not_believed(tmp_path: Path) -> None:
    with watched_home(tmp_path / "home", two_witnesses()) as home:
        lines = [line for line in examine(home, {}) if line.area == "way"]
        assert [line.code for line in lines] == ["way", "way"]
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        stranger.load_cert_chain(*_self_signed(tmp_path))
        with answering(b"", tls=stranger) as server:
            assert way(home, f"localhost:{server.port}").code == "not_genuine"


def _self_signed(folder: Path) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from compose.consortium.authority import found as authority

    made = authority(b"7" * 32, "Somebody else", OPEN)
    certificate, key = folder / "other.pem", folder / "other.key"
    certificate.write_bytes(made.root.public_bytes(Encoding.PEM))
    key.write_bytes(made.root_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key
