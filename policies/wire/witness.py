"""The witness's messages: checkpoints that regions bring, and what is said to them. Everything read here is bounded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from rondgang.errors import BadNote
from rondgang.merkle import HASH_BYTES
from rondgang.notes import Note
from rondgang.v1 import witness_pb2
from rondgang.witnessing import Submission, Why

from policies.rules.witness import MOST_NOTES, Cosigned, Exchanged, HeldOther, NotCosigned, Reply

MOST_NOTE_BYTES = 20_000
MOST_HASHES = 64
"""In one proof: a log of 2^63 entries needs no more."""
MOST_ENTRY_BYTES = 2**16

_PREFIX = "NOT_COSIGNED_REASON_"
_NUMBERS = {why: witness_pb2.NotCosignedReason.Value(_PREFIX + why.name) for why in Why}


def submission_from_wire(request: witness_pb2.AddCheckpointRequest) -> Submission | None:
    """What a region brings; None where it is larger than anything honest, or no note."""
    note = _note(request.note)
    whole = _proof(request.proof) and _proof(request.first_proof) and len(request.first_entry) <= MOST_ENTRY_BYTES
    if note is None or not whole:
        return None
    return Submission(
        note=note,
        old=request.old_size,
        proof=tuple(request.proof),
        first_entry=request.first_entry,
        first_proof=tuple(request.first_proof),
    )


def reply_to_wire(reply: Reply) -> witness_pb2.AddCheckpointResponse:
    match reply:
        case Cosigned(line, _):
            return witness_pb2.AddCheckpointResponse(cosignature=line.encode("utf-8"))
        case HeldOther(size, note):
            conflict = witness_pb2.Conflict(size=size, note=note.encode("utf-8"))
            return witness_pb2.AddCheckpointResponse(conflict=conflict)
        case NotCosigned(why, note):
            # The runtime's enums are plain integers; the generated stub gives them a class of their own.
            reason = cast("witness_pb2.NotCosignedReason", _NUMBERS[why])
            refused = witness_pb2.NotCosigned(reason=reason, note=note.encode("utf-8"))
            return witness_pb2.AddCheckpointResponse(not_cosigned=refused)


def shown_from_wire(request: witness_pb2.ExchangeRequest) -> tuple[Note, ...]:
    """The notes that a node shows: the first ones, as many as are taken in; those that are none are left out."""
    found = (_note(data) for data in request.notes[:MOST_NOTES])
    return tuple(note for note in found if note is not None)


def exchanged_to_wire(exchanged: Exchanged) -> witness_pb2.ExchangeResponse:
    notes = [note.encode("utf-8") for note in exchanged.notes]
    return witness_pb2.ExchangeResponse(own=exchanged.own.encode("utf-8"), notes=notes)


def _note(data: bytes) -> Note | None:
    if len(data) > MOST_NOTE_BYTES:
        return None
    try:
        return Note.parse(data.decode("utf-8"))
    except (UnicodeDecodeError, BadNote):
        return None


def _proof(hashes: Iterable[bytes]) -> bool:
    found = list(hashes)
    return len(found) <= MOST_HASHES and all(len(one) == HASH_BYTES for one in found)
