"""Witnesses that are real by their rules and keys: in memory, in a file for several processes, and over mutual TLS."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import grpc
from google.protobuf.message import Message
from rondgang.keys import SigningKey
from rondgang.notes import Checkpoint, Note
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate, role_of_certificate
from rondgang.v1 import witness_pb2
from rondgang.witnessing import Submission

from compose.consortium.authority import Authority, issue, pem
from node.witnessing.said import Away, Cosigned, Exchanged, NotCosigned, SawOther, Told
from policies.rules import witness as rules
from policies.rules.witness import Fork
from policies.study.roster import Roster
from policies.wire import witness as wire
from tests.applicants import signing_key

WITHIN_S = 20.0
Fault = Literal["none", "lost_request", "lost_reply", "slow"]
"""Of a call: it goes well; it never comes in; it comes in and the reply is lost; the reply comes when the test says."""
Lie = Callable[[Told, Submission], Told]


@dataclass
class DictMemory:
    """What a witness remembers, without a disk."""

    notes: dict[tuple[str, int, int], str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    kept: list[Fork] = field(default_factory=list)
    time: int = 0

    def last(self, region: str) -> Note | None:
        newest = max((key for key in self.notes if key[0] == region), default=None)
        return None if newest is None else Note.parse(self.notes[newest])

    def at(self, checkpoint: Checkpoint) -> Note | None:
        found = self.notes.get((checkpoint.region, checkpoint.epoch, checkpoint.size))
        return None if found is None else Note.parse(found)

    def last_time(self) -> int:
        return self.time

    def keep(self, note: Note, time: int) -> None:
        found = note.checkpoint
        self.notes[found.region, found.epoch, found.size] = note.to_text()
        self.time = time

    def seen(self, region: str) -> Note | None:
        found = self.shown.get(region)
        return None if found is None else Note.parse(found)

    def keep_seen(self, note: Note, time: int) -> None:
        self.shown[note.checkpoint.region] = note.to_text()

    def forks(self, region: str) -> int:
        return sum(fork.region == region for fork in self.kept)

    def keep_fork(self, fork: Fork) -> None:
        self.kept.append(fork)

    def to_text(self) -> str:
        return json.dumps([[*key, note] for key, note in self.notes.items()])

    @classmethod
    def from_text(cls, text: str) -> DictMemory:
        return cls({(region, epoch, size): note for region, epoch, size, note in json.loads(text or "[]")})


@dataclass
class Witness:
    """One witness. With a `file` it remembers there, so that several processes meet the same one.

    `fault` is what befalls its calls, `lie` turns what it says into something else.
    """

    label: str
    roster: Callable[[], Roster]
    clock: Callable[[], int]
    file: Path | None = None
    fault: Fault = "none"
    lie: Lie | None = None
    memory: DictMemory = field(default_factory=DictMemory)
    calls: int = 0

    @property
    def key(self) -> SigningKey:
        return signing_key(self.label)

    def add_checkpoint(self, region: str, given: Submission | None) -> rules.Reply:
        with self._memory() as memory:
            return rules.add_checkpoint(memory, self.key, rules.Ask(self.roster(), region, given), self.clock())

    def exchange(self, region: str, notes: Sequence[Note]) -> rules.Exchanged:
        with self._memory() as memory:
            return rules.exchange(memory, self.roster(), region, notes, self.clock())

    def size(self, region: str) -> int:
        """What it cosigned last for a region."""
        with self._memory() as memory:
            found = memory.last(region)
        return 0 if found is None else found.checkpoint.size

    @contextmanager
    def _memory(self) -> Iterator[DictMemory]:
        if self.file is None:
            yield self.memory
            return
        with self.file.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            memory = DictMemory.from_text(file.read())
            yield memory
            file.seek(0)
            file.truncate()
            file.write(memory.to_text())


class MemoryLine:
    """The way to a witness in this process. Calls are done on return, unless the witness is slow."""

    def __init__(self, witness: Witness, region: str) -> None:
        self._witness = witness
        self._region = region
        self.held_back: list[Callable[[], None]] = []

    @property
    def address(self) -> str:
        return f"{self._witness.label}:443"

    def add_checkpoint(self, given: Submission, within_s: float) -> Future[Told]:
        told: Future[Told] = Future()

        def say() -> None:
            said = said_from(self._witness.add_checkpoint(self._region, given))
            told.set_result(said if self._witness.lie is None else self._witness.lie(said, given))

        self._call(told, say, lambda: self._witness.add_checkpoint(self._region, given))
        return told

    def exchange(self, notes: Sequence[Note], within_s: float) -> Future[Exchanged | Away]:
        told: Future[Exchanged | Away] = Future()

        def say() -> None:
            found = self._witness.exchange(self._region, notes)
            told.set_result(Exchanged(_note(found.own), tuple(map(Note.parse, found.notes))))

        self._call(told, say, lambda: self._witness.exchange(self._region, notes))
        return told

    def close(self) -> None:
        """Nothing to close."""

    def _call(
        self, told: Future[Told] | Future[Exchanged | Away], say: Callable[[], None], do: Callable[[], object]
    ) -> None:
        self._witness.calls += 1
        match self._witness.fault:
            case "none":
                say()
            case "slow":
                self.held_back.append(say)
            case "lost_request":
                told.set_result(Away("unavailable"))
            case "lost_reply":
                do()
                told.set_result(Away("unavailable"))


def said_from(reply: rules.Reply) -> Told:
    match reply:
        case rules.Cosigned(line):
            return Cosigned(Note.parse(f"-\n\n{line}").signatures[0])
        case rules.HeldOther(size, note):
            return SawOther(size, _note(note))
        case rules.NotCosigned(why, note):
            return NotCosigned(why, _note(note))


def _note(text: str) -> Note | None:
    return Note.parse(text) if text else None


@dataclass
class WitnessServer:
    """A witness that listens on this machine, under a certificate of the consortium's.

    `delay_s` is how long it thinks, `garbles` makes bytes of what it says that nobody can read.
    """

    witness: Witness
    root: Authority
    delay_s: float = 0.0
    port: int = 0
    garbles: bool = False

    @contextmanager
    def listening(self, role: Role = Role.WITNESS) -> Iterator[WitnessServer]:
        """Listens until the block ends, on the same port as before if it did so before."""
        server = grpc.server(ThreadPoolExecutor(4))
        server.add_generic_rpc_handlers((self.handler(),))
        key = new_tls_key()
        csr = request_certificate(key, Party(role), "one")
        own = pem(issue(self.root, csr, Party(role), "one", ("localhost",), int(time.time()), 1)[0])
        credentials = grpc.ssl_server_credentials([(key, own)], pem(self.root.root), require_client_auth=True)
        self.port = server.add_secure_port(f"localhost:{self.port}", credentials)
        server.start()
        try:
            yield self
        finally:
            server.stop(None).wait(WITHIN_S)

    def handler(self) -> grpc.GenericRpcHandler:
        """The service, for a server that has others too."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "AddCheckpoint": grpc.unary_unary_rpc_method_handler(
                self._add, witness_pb2.AddCheckpointRequest.FromString, _to_bytes
            ),
            "Exchange": grpc.unary_unary_rpc_method_handler(
                self._exchange, witness_pb2.ExchangeRequest.FromString, _to_bytes
            ),
        }
        return grpc.method_handlers_generic_handler(_SERVICE, methods)

    def _add(
        self, request: witness_pb2.AddCheckpointRequest, context: grpc.ServicerContext
    ) -> witness_pb2.AddCheckpointResponse:
        time.sleep(self.delay_s)
        if self.garbles:
            return witness_pb2.AddCheckpointResponse(cosignature=b"\xff\n")
        given = wire.submission_from_wire(request)
        return wire.reply_to_wire(self.witness.add_checkpoint(_caller(context), given))

    def _exchange(
        self, request: witness_pb2.ExchangeRequest, context: grpc.ServicerContext
    ) -> witness_pb2.ExchangeResponse:
        if self.garbles:
            return witness_pb2.ExchangeResponse(own=b"no note\n")
        shown = wire.shown_from_wire(request)
        return wire.exchanged_to_wire(self.witness.exchange(_caller(context), shown))


_SERVICE = witness_pb2.DESCRIPTOR.services_by_name["WitnessService"].full_name


def _to_bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _caller(context: grpc.ServicerContext) -> str:
    (found,) = context.auth_context()["x509_pem_cert"]
    return str(role_of_certificate(found).party.region)
