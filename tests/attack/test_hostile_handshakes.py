"""Those who may not even speak: what they dial with opens neither desk nor witness, and both go on serving."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from rondgang.roles import Role

from compose.consortium.authority import issue, pem
from coordinator.transport import Tls, channel
from tests import http2
from tests.applicants import DAY_S, Applicant, authority
from tests.besieged import ATTEND, PRICE, Besieged, besieged_desk, besieged_witness, meanwhile
from tests.desk import PATIENCE_S, Country, now
from tests.witness_world import Watched

NOTHING = (grpc.StatusCode.UNAVAILABLE,)


@pytest.fixture(scope="module", params=["desk", "witness"])
def besieged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    folder: Path = tmp_path_factory.mktemp("besieged")
    if request.param == "desk":
        with besieged_desk(Country.found(folder)) as desk:
            yield desk
    else:
        with besieged_witness(Watched.found(folder)) as witness:
            yield witness


def _made(besieged: Besieged, role: Role, region: str | None = None, *, issued: int, days: int) -> Tls:
    """A certificate of the right consortium, which its register knows nothing of."""
    applicant = Applicant.new(role, region, "Stranger")
    under = besieged.consortium.authority
    made, _, _ = issue(under, applicant.request.csr.encode(), applicant.party, applicant.name, (), issued, days)
    return applicant.tls_key, pem(made), besieged.root


def _insecure(besieged: Besieged) -> grpc.StatusCode:
    with grpc.insecure_channel(f"127.0.0.1:{besieged.port}", [("grpc.enable_http_proxy", 0)]) as line:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(besieged.method)
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=PATIENCE_S)
        code: grpc.StatusCode = refused.value.code()
        return code


def test_no_certificate(besieged: Besieged) -> None:
    with meanwhile(besieged):
        credentials = grpc.ssl_channel_credentials(besieged.root)
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.secure_channel(f"127.0.0.1:{besieged.port}", credentials, options) as line:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(besieged.method)
            with pytest.raises(grpc.RpcError) as refused:
                call(b"", timeout=PATIENCE_S)
            assert refused.value.code() in NOTHING


def test_a_certificate_of_another_authority(besieged: Besieged) -> None:
    others = authority("others", now=now() - 400 * DAY_S)
    applicant = Applicant.new(Role.REGION, "AA")
    made, _, _ = issue(others, applicant.request.csr.encode(), applicant.party, applicant.name, (), now(), 30)
    with meanwhile(besieged):
        assert besieged.refusal((applicant.tls_key, pem(made), besieged.root), besieged.method) in NOTHING


def test_an_expired_certificate(besieged: Besieged) -> None:
    with meanwhile(besieged):
        expired = _made(besieged, Role.REGION, "AA", issued=now() - 10 * DAY_S, days=5)
        assert besieged.refusal(expired, besieged.method) in NOTHING


def test_a_genuine_certificate_that_is_not_on_the_roster(besieged: Besieged) -> None:
    with meanwhile(besieged):
        for role, region in ((Role.REGION, "AA"), (Role.RESEARCHER, None), (Role.COORDINATOR, None)):
            stranger = _made(besieged, role, region, issued=now(), days=5)
            assert besieged.refusal(stranger, besieged.method) is grpc.StatusCode.PERMISSION_DENIED


def test_a_revoked_certificate(besieged: Besieged) -> None:
    role, region = (Role.RESEARCHER, None) if besieged.kind == "desk" else (Role.REGION, "ZZ")
    revoked = besieged.join(role, region, "To be revoked")
    assert besieged.refusal(revoked, besieged.method) is grpc.StatusCode.OK
    besieged.consortium.revoke("To be revoked")
    besieged.adopt()
    with meanwhile(besieged):
        assert besieged.refusal(revoked, besieged.method) is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("role", list(Role))
def test_the_right_authority_and_the_wrong_role(besieged: Besieged, role: Role) -> None:
    """Each role at every method of every service; what it may call is left out."""
    allowed = {
        "desk": {Role.RESEARCHER: {"DeskService"}, Role.REGION: {"AttendService", "WitnessService"}},
        "witness": {Role.REGION: {"WitnessService"}},
    }[besieged.kind].get(role, set())
    methods = {
        "DeskService": ("Price", "Submit", "Watch", "Results", "Trends"),
        "AttendService": ("Attend",),
        "WitnessService": ("AddCheckpoint", "Exchange"),
    }
    if role is not Role.WITNESS:
        # A witness may see what is public among the parties.
        methods["DeskService"] += ("Regions", "Calendar", "Study")
    member = besieged.join(role, "YY" if role is Role.REGION else None, f"A {role}")
    with meanwhile(besieged):
        for service, names in methods.items():
            for name in () if service in allowed else names:
                code = besieged.refusal(member, f"/rondgang.v1.{service}/{name}")
                offered = besieged.kind == "desk" or service == "WitnessService"
                if not offered:
                    assert code is grpc.StatusCode.UNIMPLEMENTED
                elif service != "AttendService":
                    assert code is grpc.StatusCode.PERMISSION_DENIED, (service, name)


def test_plaintext(besieged: Besieged) -> None:
    with meanwhile(besieged):
        assert _insecure(besieged) in NOTHING
        for opening in (http2.PREFACE + http2.settings(), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x00" * 4096):
            with socket.create_connection(("127.0.0.1", besieged.port), timeout=PATIENCE_S) as line:
                line.sendall(opening)
                assert not _said(line)


def _said(line: socket.socket) -> bytes:
    """What comes back before the other side hangs up, apart from a TLS alert."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while found := line.recv(4096):
            said += found
    return b"" if said[:1] == b"\x15" else said


def test_it_listens_on_one_port_only(besieged: Besieged) -> None:
    """No second listener, in the clear or otherwise: the process holds one listening socket."""
    own = {path.readlink().name for path in Path(f"/proc/{besieged.process.pid}/fd").iterdir()}
    listening = 0
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{besieged.process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            listening += fields[3] == "0A" and f"socket:[{fields[9]}]" in own
    assert listening == 1


def test_http_1_1_inside_tls(besieged: Besieged) -> None:
    """With a member's certificate: it is refused while the protocol is agreed on, or its words lead to nothing."""
    with meanwhile(besieged):
        for protocols in (("http/1.1",), ("h2",)):
            try:
                with http2.dial(besieged.port, besieged.friend, besieged.root, *protocols) as line:
                    line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert line.hung_up(PATIENCE_S)
            except OSError:
                continue


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])
def test_tls_before_1_3(besieged: Besieged, version: ssl.TLSVersion) -> None:
    """With a member's certificate, which TLS 1.3 lets through."""
    with http2.dial(besieged.port, besieged.friend, besieged.root) as line:
        assert line.socket.version() == "TLSv1.3"
    with meanwhile(besieged), pytest.raises(OSError), _older(besieged, version) as line:
        line.send(b"")


@contextlib.contextmanager
def _older(besieged: Besieged, version: ssl.TLSVersion) -> Iterator[http2.Line]:
    made = http2.context(besieged.friend, besieged.root, "h2")
    # Old versions need OpenSSL's lowest level of security to be offered at all.
    made.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", besieged.port), timeout=PATIENCE_S) as plain,
        made.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        yield http2.Line(secure)


@pytest.mark.slow
def test_slowloris(besieged: Besieged) -> None:
    """Half a handshake, and a handshake with half a header after it: each is ended within a bounded time.

    Slow, for it waits for those times: 10 s for a handshake, 50 s for a peer that answers no ping.
    """
    made = http2.context(besieged.friend, besieged.root, "h2")
    before = besieged.files()
    with contextlib.ExitStack() as stack, meanwhile(besieged):
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", besieged.port))) for _ in range(200)]
        for number, line in enumerate(silent):
            # The first bytes of a ClientHello, or none.
            line.sendall(b"\x16\x03\x01\x02\x00\x01"[: number % 7])
        halves = []
        # A witness has the desk's setting for this; one wait of a minute is enough.
        for _ in range(20 if besieged.kind == "desk" else 0):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", besieged.port)))
            half = http2.Line(stack.enter_context(made.wrap_socket(plain, server_hostname="localhost")))
            block = http2.request(besieged.method)
            half.begin(http2.settings(), http2.frame(http2.HEADERS, 0, 1, block[:40]))
            halves.append(half)
        started = time.monotonic()
        for line in silent:
            line.settimeout(PATIENCE_S)
            assert not _said(line)
        assert time.monotonic() - started < 2 * PATIENCE_S
        assert all(half.hung_up(60) for half in halves)
    deadline = time.monotonic() + PATIENCE_S
    while besieged.files() > before + 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_our_own_callers_speak_nothing_older_than_1_3(tmp_path: Path) -> None:
    """A server with a genuine certificate that offers TLS 1.2 at most gets no word of ours."""
    country = Country.found(tmp_path)
    applicant = Applicant.new(Role.COORDINATOR)
    key, own, _ = country.join(applicant)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "both.pem").write_bytes(own + key)
    made.load_cert_chain(tmp_path / "both.pem")
    made.set_alpn_protocols(["h2"])
    for highest, expected in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        made.maximum_version = highest
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            channel(f"127.0.0.1:{listening.getsockname()[1]}", country.researcher.tls()) as line,
        ):
            # A call, and not `channel_ready_future`: its polling thread outlives the channel and falls over it.
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary("/any/Call")
            calling = call.future(b"", wait_for_ready=True, timeout=PATIENCE_S)
            plain, _ = listening.accept()
            plain.settimeout(PATIENCE_S)
            assert _shook(made, plain) is expected
            calling.cancel()


def _shook(made: ssl.SSLContext, plain: socket.socket) -> bool:
    try:
        with made.wrap_socket(plain, server_side=True):
            return True
    except OSError:
        return False


def test_attending_with_the_wrong_role_is_turned_away(besieged: Besieged) -> None:
    if besieged.kind == "witness":
        assert besieged.refusal(besieged.friend, ATTEND) is grpc.StatusCode.UNIMPLEMENTED
        assert besieged.refusal(besieged.friend, PRICE) is grpc.StatusCode.UNIMPLEMENTED
        return
    with meanwhile(besieged):
        said = besieged.say(besieged.friend, ATTEND)
        # A Rejected, and nothing after it.
        assert b"role" in said
