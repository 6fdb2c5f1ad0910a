"""Members who mean ill: what they send, or do not read, costs desk and witness little and other members nothing."""

from __future__ import annotations

import gzip
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from rondgang.roles import Role
from rondgang.v1 import attend_pb2, desk_pb2

from coordinator.callers import MOST_OPEN
from coordinator.transport import Tls, channel
from tests import http2
from tests.besieged import (
    ATTEND,
    PRICE,
    REGIONS,
    WATCH,
    Besieged,
    Friend,
    besieged_desk,
    besieged_witness,
    hello,
    meanwhile,
)
from tests.desk import PATIENCE_S, Country, FakeNode, draft, until
from tests.witness_world import Watched

TOO_MUCH = (grpc.StatusCode.RESOURCE_EXHAUSTED,)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country.found(tmp_path_factory.mktemp("country"))


@pytest.fixture(scope="module")
def desk(country: Country) -> Iterator[Besieged]:
    with besieged_desk(country) as running:
        yield running


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    with besieged_witness(Watched.found(tmp_path_factory.mktemp("watched"))) as running:
        yield running


@pytest.fixture(params=["desk", "witness"])
def besieged(request: pytest.FixtureRequest) -> Besieged:
    found: Besieged = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def villains(desk: Besieged, witness: Besieged) -> dict[str, Tls]:
    """A member at each service, who may call what the friend of that service calls."""
    return {"desk": desk.join(Role.RESEARCHER, name="Villain"), "witness": witness.join(Role.REGION, "ZZ", "Villain")}


def test_a_giant_header(besieged: Besieged, villains: dict[str, Tls]) -> None:
    with meanwhile(besieged), http2.dial(besieged.port, villains[besieged.kind], besieged.root) as line:
        line.begin(http2.settings())
        block = http2.request(besieged.method, *((b"x-%d" % number, b"a" * 4_000) for number in range(250)))
        parts = [block[at : at + 16_384] for at in range(0, len(block), 16_384)]
        line.send(http2.frame(http2.HEADERS, 0, 1, parts[0]))
        for part in parts[1:]:
            line.send(http2.frame(9, 0, 1, part))
        line.send(http2.frame(9, http2.END_HEADERS, 1))
        line.send(http2.frame(http2.DATA, http2.END_STREAM, 1, http2.message(b"")))
        assert _refused(line)
    with channel(f"127.0.0.1:{besieged.port}", villains[besieged.kind]) as polite:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = polite.unary_unary(besieged.method)
        with pytest.raises(grpc.RpcError) as no:
            call(b"", timeout=PATIENCE_S, metadata=(("x-large", "a" * 100_000),))
    assert no.value.code() in TOO_MUCH


def _refused(line: http2.Line) -> bool:
    """The stream is reset, or ends with trailers and no message, or the connection goes."""
    line.socket.settimeout(PATIENCE_S)
    buffer = b""
    try:
        while found := line.socket.recv(65_536):
            buffer += found
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                size, kind, flags = int.from_bytes(buffer[:3], "big"), buffer[3], buffer[4]
                buffer = buffer[9 + size :]
                if kind in (http2.RST_STREAM, http2.GOAWAY):
                    return True
                if kind == http2.HEADERS and flags & http2.END_STREAM:
                    return True
                if kind == http2.DATA:
                    return False
    except OSError:
        return True
    return True


def test_a_giant_message(besieged: Besieged, villains: dict[str, Tls]) -> None:
    giant = b"\x0a\x80\x80\x80\x32" + b"a" * 100 * 2**20
    with meanwhile(besieged):
        for _ in range(5):
            assert besieged.refusal(villains[besieged.kind], besieged.method, giant) in TOO_MUCH


def test_a_giant_message_in_an_attendance(desk: Besieged, country: Country) -> None:
    region = desk.join(Role.REGION, "GG")
    with meanwhile(desk), channel(f"127.0.0.1:{desk.port}", region) as line:
        attend: grpc.StreamStreamMultiCallable[bytes, bytes] = line.stream_stream(ATTEND)
        with pytest.raises(grpc.RpcError) as no:
            list(attend(iter([hello("GG"), b"\x12" + b"a" * 60 * 2**20]), timeout=PATIENCE_S))
    assert no.value.code() in TOO_MUCH


def test_a_small_message_that_unfolds_to_a_giant(besieged: Besieged, villains: dict[str, Tls]) -> None:
    """400 kB of gzip that are 400 MB of zeros: they are not unfolded."""
    bomb = gzip.compress(bytes(400 * 2**20), 6)
    # It is within the limits of a message, so that nothing but its content stands in its way.
    assert len(bomb) < 2**20
    with meanwhile(besieged), http2.dial(besieged.port, villains[besieged.kind], besieged.root) as line:
        line.begin(http2.settings(), http2.frame(http2.WINDOW_UPDATE, 0, 0, (2**30).to_bytes(4, "big")))
        block = http2.request(besieged.method, (b"grpc-encoding", b"gzip"))
        line.send(http2.frame(http2.HEADERS, http2.END_HEADERS, 1, block))
        packed = http2.message(bomb, compressed=True)
        for at in range(0, len(packed), 16_384):
            if not line.send(http2.frame(http2.DATA, 0, 1, packed[at : at + 16_384])):
                break
        line.send(http2.frame(http2.DATA, http2.END_STREAM, 1))
        assert _refused(line)


def test_a_flood_of_streams(besieged: Besieged, villains: dict[str, Tls]) -> None:
    """3,000 streams at once on eight connections, each with a request that never ends."""
    with ExitStack() as stack, meanwhile(besieged):
        lines = [
            stack.enter_context(http2.dial(besieged.port, villains[besieged.kind], besieged.root)) for _ in range(8)
        ]
        block = http2.request(besieged.method)
        for line in lines:
            line.begin(http2.settings())
            for stream in range(1, 751, 2):
                if not line.send(http2.frame(http2.HEADERS, http2.END_HEADERS, stream, block)):
                    break
    until(besieged.serves)


def test_a_flood_of_resets(besieged: Besieged, villains: dict[str, Tls]) -> None:
    """Streams that are opened and reset at once, 20,000 of them (CVE-2023-44487)."""
    block = http2.request(besieged.method)
    with meanwhile(besieged), http2.dial(besieged.port, villains[besieged.kind], besieged.root) as line:
        line.begin(http2.settings())
        for first in range(1, 40_001, 200):
            burst = [
                http2.frame(http2.HEADERS, http2.END_HEADERS, stream, block)
                + http2.frame(http2.RST_STREAM, 0, stream, (8).to_bytes(4, "big"))
                for stream in range(first, first + 200, 2)
            ]
            if not line.send(*burst):
                break
    until(besieged.serves)


def test_a_flood_of_pings_and_settings(besieged: Besieged, villains: dict[str, Tls]) -> None:
    with meanwhile(besieged), http2.dial(besieged.port, villains[besieged.kind], besieged.root) as line:
        line.begin(http2.settings())
        for _ in range(2_000):
            burst = http2.frame(http2.PING, 0, 0, bytes(8)) * 10 + http2.settings(window=65_535)
            if not line.send(burst):
                break
        assert line.hung_up(PATIENCE_S)


def test_a_flood_of_messages_in_an_attendance(desk: Besieged) -> None:
    """4,000 quotes and replies that nobody asked for."""
    region = desk.join(Role.REGION, "FF")
    quote = attend_pb2.AttendRequest(quote=attend_pb2.Quote(quote="nobody's", charge="1")).SerializeToString()
    reply = attend_pb2.AttendRequest(reply=attend_pb2.Reply(run="nobody's", signed_answer=bytes(1_000)))
    flood = [quote, reply.SerializeToString()] * 2_000
    with meanwhile(desk), channel(f"127.0.0.1:{desk.port}", region) as line:
        attend: grpc.StreamStreamMultiCallable[bytes, bytes] = line.stream_stream(ATTEND)
        said = list(attend(iter([hello("FF"), *flood]), timeout=4 * PATIENCE_S))
    assert len(said) == 1


def test_many_lines_of_one_region(desk: Besieged) -> None:
    """A region has a few lines at most; the newest is the one that counts."""
    region, most = desk.join(Role.REGION, "MM"), MOST_OPEN["line"]
    block = http2.request(ATTEND)
    with meanwhile(desk), ExitStack() as stack:
        for _ in range(3):
            line = stack.enter_context(http2.dial(desk.port, region, desk.root))
            # No window: nothing of what the desk says can be delivered, so no line ends by itself.
            line.begin(http2.settings(window=0))
            for stream in range(1, 41, 2):
                line.send(
                    http2.frame(http2.HEADERS, http2.END_HEADERS, stream, block),
                    http2.frame(http2.DATA, 0, stream, http2.message(hello("MM"))),
                )
        until(lambda: desk.refusal(region, ATTEND, hello("MM")) in TOO_MUCH)
    assert most < 20
    # Once those connections are gone the region is served again.
    until(lambda: desk.refusal(region, ATTEND, hello("MM")) is grpc.StatusCode.OK)


def test_a_node_that_never_reads(desk: Besieged, country: Country) -> None:
    """What waits for it is bounded, and who asks for prices waits for its quote no longer than for one that is away."""
    region = country.regions["AA"][1]
    with meanwhile(desk), http2.dial(desk.port, region, desk.root) as line, country.open() as researcher:
        line.begin(http2.settings(window=0))
        line.send(
            http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.request(ATTEND)),
            http2.frame(http2.DATA, 0, 1, http2.message(hello("AA"))),
        )
        planned = researcher.plan(draft())
        submitted = researcher.submit(planned)
        before = desk.memory_mb()
        for number in range(200):
            researcher.submit(researcher.plan(draft(deadline=draft().programme.deadline + number)))
        assert desk.memory_mb() - before < 60
        assert {one.decision for one in researcher.price(planned).regions} == {"away"}
    # When it reads again, as a node that came back, it gets what it missed.
    with FakeNode.of(country, "AA", desk.port) as node:
        node.welcomed()
        until(lambda: submitted.run in {order.run for order in node.orders})


def test_a_caller_who_never_reads(desk: Besieged, villains: dict[str, Tls]) -> None:
    """Replies that nobody reads hold their caller's places, and no memory beyond those."""
    ask = http2.message(desk_pb2.StudyRequest().SerializeToString())
    block = http2.request("/rondgang.v1.DeskService/Study")
    with meanwhile(desk), ExitStack() as stack:
        for _ in range(10):
            line = stack.enter_context(http2.dial(desk.port, villains["desk"], desk.root))
            line.begin(http2.settings(window=0))
            for stream in range(1, 201, 2):
                line.send(
                    http2.frame(http2.HEADERS, http2.END_HEADERS, stream, block),
                    http2.frame(http2.DATA, http2.END_STREAM, stream, ask),
                )
        until(lambda: desk.refusal(villains["desk"], REGIONS) in TOO_MUCH)
    until(lambda: desk.refusal(villains["desk"], REGIONS) is grpc.StatusCode.OK)


def test_a_flood_of_watchers(desk: Besieged, country: Country, villains: dict[str, Tls]) -> None:
    with country.open() as researcher:
        run = researcher.submit(researcher.plan(draft())).run
    request = desk_pb2.WatchRequest(run=run).SerializeToString()
    with meanwhile(desk), ExitStack() as stack:
        calls: list[Any] = []
        for _ in range(3):
            line = stack.enter_context(channel(f"127.0.0.1:{desk.port}", villains["desk"]))
            watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = line.unary_stream(WATCH)
            calls += [watch(request) for _ in range(100)]
        stack.callback(lambda: [call.cancel() for call in calls])
        until(lambda: sum(call.done() for call in calls) == 300 - MOST_OPEN["watch"])
        assert {call.code() for call in calls if call.done()} == set(TOO_MUCH)


@contextmanager
def _flooding(desk: Besieged, villain: Tls, programme: bytes, threads: int) -> Iterator[list[grpc.StatusCode]]:
    """One researcher who asks for prices as fast as it can, over several connections."""
    request = desk_pb2.PriceRequest(signed_programme=programme).SerializeToString()
    stop, codes = threading.Event(), list[grpc.StatusCode]()

    def flood() -> None:
        with channel(f"127.0.0.1:{desk.port}", villain) as line:
            price: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(PRICE)
            while not stop.is_set():
                calls = [price.future(request, timeout=PATIENCE_S) for _ in range(50)]
                codes.extend(call.code() for call in calls)

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(threads):
            pool.submit(flood)
        try:
            yield codes
        finally:
            stop.set()


@pytest.mark.parametrize("quotes", [300, pytest.param(5_000, marks=pytest.mark.slow)])
def test_many_quotes_by_one_researcher_starve_no_other(desk: Besieged, country: Country, quotes: int) -> None:
    villain = desk.join(Role.RESEARCHER, name=f"Flooder of {quotes}")
    with ExitStack() as stack:
        for region in ("AA", "BB", "CC"):
            stack.enter_context(FakeNode.of(country, region, desk.port)).welcomed()
        researcher = stack.enter_context(closing(country.open()))
        planned = researcher.plan(draft())
        friend: Friend = stack.enter_context(meanwhile(desk))
        codes = stack.enter_context(_flooding(desk, villain, planned.signed.to_bytes(), 4))
        until(lambda: len(codes) > 100)
        waits: list[float] = []
        while len(codes) < quotes or len(waits) < 10:
            started = time.monotonic()
            priced = researcher.price(planned)
            waits.append(time.monotonic() - started)
            assert [one.decision for one in priced.regions] == ["granted"] * 3
    assert max(waits) < PATIENCE_S / 2, waits
    assert friend.served > 10


def test_a_new_roster_ends_what_a_revoked_party_has_open(desk: Besieged, country: Country) -> None:
    """Its attendance, and its watching of a run that goes on for a month."""
    region, watcher = desk.join(Role.REGION, "RR", "Leaving"), desk.join(Role.RESEARCHER, name="Leaving too")
    with country.open() as researcher:
        run = researcher.submit(researcher.plan(draft(deadline=draft().programme.deadline + 7_700))).run
    with ExitStack() as stack:
        line = stack.enter_context(channel(f"127.0.0.1:{desk.port}", region))
        attend: grpc.StreamStreamMultiCallable[bytes, bytes] = line.stream_stream(ATTEND)
        waiting = threading.Event()
        stack.callback(waiting.set)

        def says() -> Iterator[bytes]:
            yield hello("RR")
            waiting.wait()

        attending = attend(says(), timeout=4 * PATIENCE_S)
        assert b"rondgang" in next(iter(attending))
        other = stack.enter_context(channel(f"127.0.0.1:{desk.port}", watcher))
        watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = other.unary_stream(WATCH)
        watching = watch(desk_pb2.WatchRequest(run=run).SerializeToString(), timeout=4 * PATIENCE_S)
        assert next(iter(watching))
        with meanwhile(desk):
            for name in ("Leaving", "Leaving too"):
                desk.consortium.revoke(name)
            desk.adopt()
            (last,) = list(attending)
            rejected = attend_pb2.AttendResponse.FromString(last).rejected
            assert "roster" in rejected.sentence
            with pytest.raises(grpc.RpcError) as ended:
                list(watching)
            assert ended.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_told_to_stop_it_ends_what_it_began_and_begins_nothing_new(tmp_path: Path) -> None:
    """SIGTERM while a price waits for a slow node: the price comes, a new call is told UNAVAILABLE, a watcher too."""
    country = Country.found(tmp_path)
    with ExitStack() as stack:
        desk = stack.enter_context(besieged_desk(country))
        nodes = [stack.enter_context(FakeNode.of(country, name, desk.port)).welcomed() for name in ("AA", "BB", "CC")]
        slow, ready, asked = nodes[0], threading.Event(), threading.Event()
        quote = slow._quote

        def later(request: attend_pb2.QuoteRequest) -> None:
            asked.set()
            assert ready.wait(PATIENCE_S)
            quote(request)

        slow._quote = later  # type: ignore[method-assign]
        researcher = stack.enter_context(closing(country.open()))
        planned = researcher.plan(draft())
        run = researcher.submit(researcher.plan(draft(rho="0.1"))).run
        line = stack.enter_context(channel(f"127.0.0.1:{desk.port}", desk.friend))
        regions: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(REGIONS)
        watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = line.unary_stream(WATCH)
        assert regions(b"", timeout=PATIENCE_S)
        pool = stack.enter_context(ThreadPoolExecutor(1))
        pricing = pool.submit(researcher.price, planned)
        assert asked.wait(PATIENCE_S)
        desk.process.send_signal(signal.SIGTERM)

        def refuses() -> bool:
            try:
                regions(b"", timeout=PATIENCE_S)
            except grpc.RpcError as error:
                return bool(error.code() is grpc.StatusCode.UNAVAILABLE)
            return False

        until(refuses)
        with pytest.raises(grpc.RpcError) as ended:
            list(watch(desk_pb2.WatchRequest(run=run).SerializeToString(), timeout=PATIENCE_S))
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        ready.set()
        assert [one.decision for one in pricing.result(PATIENCE_S).regions] == ["granted"] * 3
        assert desk.process.wait(PATIENCE_S) == 0
