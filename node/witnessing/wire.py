"""One witness over gRPC: messages are written and read here and nowhere else in this folder.

Calls are made from the writer's thread and wait in none: each gives a future. The channel stays open between calls; one
on which a call failed is closed, so that the next call dials anew, by the certificates that are on disk then. Only a
channel that is still being opened when a call's time is up stays: over a slow line that takes longer than a call may.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from rondgang.notes import BadNote, Note, NoteSignature
from rondgang.v1 import witness_pb2
from rondgang.witnessing import Submission, Why

from node.channel import channel_options, credentials
from node.errors import BadHome
from node.home import Home, PeerAddress, Reconnect
from node.witnessing.said import Away, Cosigned, Exchanged, NotCosigned, SawOther, Told

A = TypeVar("A", bound=Message)
T = TypeVar("T")

_SERVICE = witness_pb2.DESCRIPTOR.services_by_name["WitnessService"].full_name
_WHY = {witness_pb2.NotCosignedReason.Value(f"NOT_COSIGNED_REASON_{why.name}"): why for why in Why}
_DIALLING_S = 15.0
_MOST_NOTES = 200
"""Checkpoints of other regions that are taken in, or passed on, at once: a few of each."""


class GrpcLine:
    """The channel to one witness."""

    def __init__(self, home: Home, address: PeerAddress, settings: Reconnect) -> None:
        self._home = home
        self._to = address
        self._settings = settings
        self._channel: grpc.Channel | None = None
        self._failed = False
        self._answered = False
        self._dialled_s = 0.0

    @property
    def address(self) -> str:
        return self._to.address

    def add_checkpoint(self, given: Submission, within_s: float) -> Future[Told]:
        request = witness_pb2.AddCheckpointRequest(
            note=given.note.to_text().encode("utf-8"),
            old_size=given.old,
            proof=given.proof,
            first_entry=given.first_entry,
            first_proof=given.first_proof,
        )
        return self._call("AddCheckpoint", request, witness_pb2.AddCheckpointResponse.FromString, _told, within_s)

    def exchange(self, notes: Sequence[Note], within_s: float) -> Future[Exchanged | Away]:
        request = witness_pb2.ExchangeRequest(notes=[note.to_text().encode("utf-8") for note in notes[:_MOST_NOTES]])
        return self._call("Exchange", request, witness_pb2.ExchangeResponse.FromString, _exchanged, within_s)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _call(
        self, name: str, request: Message, read: Callable[[bytes], A], meaning: Callable[[A], T], within_s: float
    ) -> Future[T | Away]:
        told: Future[T | Away] = Future()

        def done(call: grpc.Future[A]) -> None:
            try:
                found = call.result()
                self._answered = True
                told.set_result(meaning(found))
            except grpc.RpcError as error:
                self._failed = not self._still_dialling(error)
                told.set_result(Away(error.code().name.lower()))
            except grpc.FutureCancelledError:
                told.set_result(Away("cancelled"))
            except (BadNote, UnicodeDecodeError, KeyError):
                told.set_result(Away("it said something that cannot be read"))

        try:
            channel = self._open()
        except BadHome:
            told.set_result(Away("the node's own certificate cannot be read"))
            return told
        method = channel.unary_unary(f"/{_SERVICE}/{name}", request_serializer=_bytes, response_deserializer=read)
        method.future(request, timeout=within_s).add_done_callback(done)
        return told

    def _still_dialling(self, error: grpc.RpcError) -> bool:
        """Whether time was up on a channel over which nothing has come yet. Not for ever: what it dials may be gone."""
        late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return late and not self._answered and time.monotonic() - self._dialled_s < _DIALLING_S

    def _open(self) -> grpc.Channel:
        if self._failed:
            self.close()
            self._failed = False
        if self._channel is None:
            self._answered, self._dialled_s = False, time.monotonic()
            options = channel_options(self._to, self._settings)
            self._channel = grpc.secure_channel(self._to.address, credentials(self._home), options)
        return self._channel


def _told(response: witness_pb2.AddCheckpointResponse) -> Told:
    match response.WhichOneof("outcome"):
        case "cosignature":
            return Cosigned(_signature(response.cosignature))
        case "conflict":
            return SawOther(response.conflict.size, _note(response.conflict.note))
        case "not_cosigned":
            return NotCosigned(_WHY[response.not_cosigned.reason], _note(response.not_cosigned.note))
        case _:
            return Away("it said nothing that this version knows")


def _exchanged(response: witness_pb2.ExchangeResponse) -> Exchanged:
    return Exchanged(_note(response.own), tuple(_readable(response.notes)))


def _readable(notes: Iterable[bytes]) -> Iterator[Note]:
    """Those that can be read: one that cannot must not hide the others."""
    for data in islice(notes, _MOST_NOTES):
        with suppress(BadNote, UnicodeDecodeError):
            yield Note.parse(data.decode("utf-8"))


def _note(data: bytes) -> Note | None:
    return Note.parse(data.decode("utf-8")) if data else None


def _signature(line: bytes) -> NoteSignature:
    found = Note.parse("-\n\n" + line.decode("utf-8")).signatures
    if len(found) != 1:
        raise BadNote("a cosignature is one line")
    return found[0]


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()
