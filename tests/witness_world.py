"""An independent witness with its regions for tests: a real folder, certificates, mutual TLS and gRPC."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from rondgang.keys import PublicKey
from rondgang.roles import Role
from rondgang.v1 import witness_pb2
from rondgang.witnessing import Submission

from audit.home import Home, WitnessConfig
from audit.study import adopt_file
from audit.witness.service import running
from audit.witness.store import open_store
from compose.consortium.authority import found
from coordinator.transport import Tls, channel
from policies.study.adoption import NotAdopted
from policies.study.enrolment import EnrolmentRequest
from tests.applicants import Applicant
from tests.desk import DAY_S, PATIENCE_S, Consortium, now
from tests.region_log import Log

REGIONS = ("AA", "BB")


@dataclass
class Watched:
    """A consortium, a witness's folder, and regions with their certificates."""

    consortium: Consortium
    home: Home
    regions: dict[str, tuple[Applicant, Tls]]

    @classmethod
    def found(cls, folder: Path) -> Watched:
        consortium = Consortium(found(bytes(range(32)), "Tests", now() - DAY_S))
        config = WitnessConfig(role="witness", name="Auditor", listen="127.0.0.1:0")
        home = Home.create(folder / "witness", config, consortium.public, b"\x03" * 32)
        regions = {}
        for region in REGIONS:
            applicant = Applicant.new(Role.REGION, region)
            regions[region] = applicant, (applicant.tls_key, consortium.enrol(applicant.request), consortium.root)
        own = consortium.enrol(EnrolmentRequest.read(home.request.read_bytes()), hosts=("127.0.0.1",))
        home.keep_certificates(own, consortium.root)
        made = cls(consortium, home, regions)
        made.adopt()
        return made

    def adopt(self) -> None:
        """Signs a roster of everyone enrolled so far; the witness adopts it."""
        kept = adopt_file(self.home, self.consortium.roster())
        assert not isinstance(kept, NotAdopted), kept

    @property
    def key(self) -> PublicKey:
        return self.home.signing_key().public

    def log(self, region: str, story: str = "") -> Log:
        return Log(region, self.regions[region][0].keys["checkpoint"], story=story)


class WitnessThread:
    """The real witness on an event loop of its own. Leaving the block stops it."""

    def __init__(self, watched: Watched, clock: Callable[[], int] = lambda: int(time.time())) -> None:
        self._watched = watched
        self._clock = clock
        self._ready: queue.Queue[int | BaseException] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="witness")
        self.port = 0

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        # Handed to the thread that waits for the port.
        except BaseException as error:
            self._ready.put(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        home = self._watched.home
        with open_store(home.store) as store:
            async with running(home, home.config(), store, self._clock) as port:
                self._ready.put(port)
                await self._stop.wait()

    def __enter__(self) -> WitnessThread:
        self._thread.start()
        ready = self._ready.get(timeout=PATIENCE_S)
        if isinstance(ready, BaseException):
            raise ready
        self.port = ready
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


class Caller:
    """Calls a witness over mutual TLS, with whatever is in the message."""

    def __init__(self, port: int, tls: Tls) -> None:
        self._channel = channel(f"127.0.0.1:{port}", tls)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def add(self, given: Submission | witness_pb2.AddCheckpointRequest) -> witness_pb2.AddCheckpointResponse:
        """Raises `grpc.RpcError`."""
        request = to_wire(given) if isinstance(given, Submission) else given
        response: witness_pb2.AddCheckpointResponse = self._channel.unary_unary(
            "/rondgang.v1.WitnessService/AddCheckpoint",
            request_serializer=witness_pb2.AddCheckpointRequest.SerializeToString,
            response_deserializer=witness_pb2.AddCheckpointResponse.FromString,
        )(request, timeout=PATIENCE_S)
        return response

    def exchange(self, *notes: bytes) -> witness_pb2.ExchangeResponse:
        """Raises `grpc.RpcError`."""
        response: witness_pb2.ExchangeResponse = self._channel.unary_unary(
            "/rondgang.v1.WitnessService/Exchange",
            request_serializer=witness_pb2.ExchangeRequest.SerializeToString,
            response_deserializer=witness_pb2.ExchangeResponse.FromString,
        )(witness_pb2.ExchangeRequest(notes=notes), timeout=PATIENCE_S)
        return response

    def garbage(self, data: bytes) -> grpc.StatusCode:
        """The status that bytes get which are no message."""
        call = self._channel.unary_unary(
            "/rondgang.v1.WitnessService/AddCheckpoint", request_serializer=bytes, response_deserializer=bytes
        )
        try:
            call(data, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        return grpc.StatusCode.OK


def to_wire(given: Submission) -> witness_pb2.AddCheckpointRequest:
    return witness_pb2.AddCheckpointRequest(
        note=given.note.to_text().encode("utf-8"),
        old_size=given.old,
        proof=given.proof,
        first_entry=given.first_entry,
        first_proof=given.first_proof,
    )
