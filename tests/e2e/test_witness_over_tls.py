"""A region brings checkpoints to the independent witness and to the desk, over real mutual TLS: both say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from rondgang.keys import PublicKey
from rondgang.notes import Note, cosigned_at
from rondgang.roles import Role
from rondgang.v1 import witness_pb2
from rondgang.v1.witness_pb2 import NotCosignedReason as Why

from compose.consortium.authority import found
from coordinator.transport import Tls
from tests.applicants import Applicant
from tests.desk import Consortium, Country, DeskThread, now
from tests.region_log import Log, cosigned
from tests.witness_world import Caller, Watched, WitnessThread, to_wire


@dataclass
class World:
    """One running witness of either kind, and how to speak to it."""

    port: int
    key: PublicKey
    consortium: Consortium
    regions: dict[str, tuple[Applicant, Tls]]
    adopt: Callable[[], None]

    def log(self, region: str, story: str = "") -> Log:
        return Log(region, self.regions[region][0].keys["checkpoint"], story=story)

    def caller(self, region: str) -> Caller:
        return Caller(self.port, self.regions[region][1])

    def join(self, applicant: Applicant) -> Tls:
        tls = applicant.tls_key, self.consortium.enrol(applicant.request), self.consortium.root
        self.adopt()
        return tls


@pytest.fixture(params=["independent", "desk"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "independent":
        watched = Watched.found(tmp_path)
        with WitnessThread(watched) as thread:
            yield World(thread.port, watched.key, watched.consortium, watched.regions, watched.adopt)
        return
    country = Country.found(tmp_path)
    with DeskThread(country) as desk:
        key, regions = country.desk.signing_key().public, dict(country.regions)
        yield World(desk.port, key, country.consortium, regions, lambda: country.adopt(country.consortium.roster()))


def line(response: witness_pb2.AddCheckpointResponse) -> str:
    assert response.WhichOneof("outcome") == "cosignature", response
    return response.cosignature.decode("utf-8")


def refused(response: witness_pb2.AddCheckpointResponse) -> int:
    assert response.WhichOneof("outcome") == "not_cosigned", response
    return response.not_cosigned.reason


def denied(error: grpc.RpcError) -> str:
    """The reason of a call that was not heard."""
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    (reason,) = [one.value for one in error.trailing_metadata() or () if one.key == "rondgang-reason"]
    return str(reason)


def test_a_region_gets_its_growing_log_cosigned(world: World) -> None:
    log, before = world.log("AA"), now()
    with world.caller("AA") as caller:
        for old, size in ((0, 2), (2, 9), (9, 9)):
            time = cosigned(log.note(size), line(caller.add(log.brings(size, old))), world.key)
            assert time is not None
            assert before <= time <= now()
        conflict = caller.add(log.brings(12, 4)).conflict
        assert (conflict.size, Note.parse(conflict.note.decode()).checkpoint) == (9, log.note(9).checkpoint)
        assert refused(caller.add(log.branched(3, "another").brings(9, 9))) == Why.NOT_COSIGNED_REASON_FORKED
        own = Note.parse(caller.exchange().own.decode())
    assert own.checkpoint == log.note(9).checkpoint
    assert cosigned_at(own, world.key) is not None


def test_a_region_speaks_for_no_other(world: World) -> None:
    theirs = world.log("BB")
    with world.caller("AA") as ours, world.caller("BB") as caller:
        assert refused(ours.add(theirs.brings(1))) == Why.NOT_COSIGNED_REASON_OTHER_REGION
        line(caller.add(theirs.brings(1)))
        (told,) = ours.exchange().notes
        assert Note.parse(told.decode()).checkpoint == theirs.note(1).checkpoint
        assert ours.exchange().own == b""


def test_who_is_no_live_region_is_not_heard(world: World) -> None:
    log = world.log("AA")
    researcher = world.join(Applicant.new(Role.RESEARCHER, name="Somebody"))
    stranger = Applicant.new(Role.REGION, "CC", "not on the roster")
    unlisted = stranger.tls_key, world.consortium.enrol(stranger.request), world.consortium.root
    for tls, reason in ((researcher, "wrong_role"), (unlisted, "unknown_signer")):
        with Caller(world.port, tls) as caller:
            with pytest.raises(grpc.RpcError) as failed:
                caller.add(log.brings(1))
            assert denied(failed.value) == reason
            with pytest.raises(grpc.RpcError) as failed:
                caller.exchange()
            assert denied(failed.value) == reason


def test_a_certificate_of_another_authority_gets_no_further_than_the_handshake(world: World) -> None:
    other, impostor = Consortium(found(b"\x09" * 32, "Others", now() - 60)), Applicant.new(Role.REGION, "AA")
    tls = impostor.tls_key, other.enrol(impostor.request), world.consortium.root
    with Caller(world.port, tls) as caller, pytest.raises(grpc.RpcError) as failed:
        caller.add(world.log("AA").brings(1))
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_region_that_was_revoked_is_not_cosigned_any_more(world: World) -> None:
    log = world.log("AA")
    with world.caller("AA") as caller:
        line(caller.add(log.brings(1)))
        world.consortium.revoke(world.regions["AA"][0].name)
        world.adopt()
        with pytest.raises(grpc.RpcError) as failed:
            caller.add(log.brings(2, 1))
    assert denied(failed.value) == "revoked"


def test_malformed_and_oversized_bytes_are_refused_and_change_nothing(world: World) -> None:
    log = world.log("AA")
    whole = to_wire(log.brings(5, 0))
    text = log.note(5).to_text()
    cases: dict[str, dict[str, Any]] = {
        "empty": {"note": b""},
        "no text": {"note": b"\xff\xfe" * 40},
        "no signature": {"note": b"AA/1\n5\n"},
        "no checkpoint": {"note": text.replace("5\n", "five\n", 1).encode()},
        "an extension line": {"note": text.replace("\n\n", "\nmore\n\n", 1).encode()},
        "a huge note": {"note": text.encode() + b"x" * 20_000},
        "many signatures": {"note": text.encode() + text.rpartition("\n\n")[2].encode() * 150},
        "a short hash": {"proof": [b"\x00" * 31]},
        "a long proof": {"proof": [b"\x00" * 32] * 65},
        "a huge first entry": {"first_entry": b"x" * (2**16 + 1)},
        "a long first proof": {"first_proof": [b"\x00" * 32] * 65},
        "more than it has": {"old_size": 6},
        "more than there is": {"old_size": 2**64 - 1},
    }
    with world.caller("AA") as caller:
        for name, changed in cases.items():
            given = witness_pb2.AddCheckpointRequest()
            given.CopyFrom(whole)
            for key in changed:
                given.ClearField(key)
            given.MergeFrom(witness_pb2.AddCheckpointRequest(**changed))
            assert refused(caller.add(given)) == Why.NOT_COSIGNED_REASON_MALFORMED, name
        assert caller.garbage(b"\xff" * 100) is not grpc.StatusCode.OK
        assert caller.garbage(b"\x0a\xff\xff\xff\xff\x0f") is not grpc.StatusCode.OK
        shown = [b"", b"\xff", text.encode(), b"x" * 30_000, *(log.note(1).to_text().encode() for _ in range(300))]
        assert caller.exchange(*shown) == witness_pb2.ExchangeResponse()
        line(caller.add(whole))


def test_of_histories_brought_at_once_one_is_cosigned(world: World) -> None:
    trunk = world.log("AA").grown(4)
    with ExitStack() as stack, ThreadPoolExecutor(16) as pool:
        callers = [stack.enter_context(world.caller("AA")) for _ in range(4)]
        line(callers[0].add(trunk.brings(4)))
        for size in (6, 9):
            branches = [trunk.branched(trunk.tree.size, f"branch {number}") for number in range(16)]
            given = [branch.brings(size, trunk.tree.size) for branch in branches]
            outcomes = list(pool.map(lambda pair: pair[0].add(pair[1]), zip(callers * 4, given, strict=True)))
            won = [number for number, one in enumerate(outcomes) if one.WhichOneof("outcome") == "cosignature"]
            assert len(won) == 1
            assert {refused(one) for number, one in enumerate(outcomes) if number not in won} == {
                Why.NOT_COSIGNED_REASON_FORKED
            }
            trunk = branches[won[0]]


def test_every_region_is_served_while_others_are(world: World) -> None:
    def bring(region: str) -> list[str]:
        log = world.log(region)
        with world.caller(region) as caller:
            return [line(caller.add(log.brings(size + 1, size))) for size in range(20)]

    with ThreadPoolExecutor(2) as pool:
        for region, lines in zip(("AA", "BB"), pool.map(bring, ("AA", "BB")), strict=True):
            assert [cosigned(world.log(region).note(size + 1), one, world.key) is not None for size, one in
                    enumerate(lines)] == [True] * 20  # fmt: skip
