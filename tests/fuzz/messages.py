"""Decoders of messages: what the desk hears of nodes and researchers, what they hear of it, and the witness's two."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from pydantic import ValidationError
from rondgang.notes import BadNote
from rondgang.signed import Signed
from rondgang.v1 import attend_pb2, desk_pb2, witness_pb2

from coordinator.admission import admit_answer, admit_programme
from coordinator.attendance import wire as attending
from coordinator.desk import wire as desk
from coordinator.study import Study
from coordinator.table import csv_text, frame, read_texts, read_trends
from node.authenticate import read_order, read_programme, read_result
from node.control import Request, Response
from node.wire import _incoming
from node.witnessing.wire import _exchanged, _told
from policies.documents import BadDocument, Document, from_canonical
from policies.statistics.programme import Programme
from policies.statistics.verify import verify_plan
from policies.study.adoption import Adopted, adopt
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster
from policies.wire.secure import reply_from_wire
from policies.wire.witness import shown_from_wire, submission_from_wire
from tests.fuzz.decoder import Decoder
from tests.fuzz.seeds import signed_of
from tests.made_up import people

D = TypeVar("D", bound=Document)
_NOW = 1_804_000_000


def _of(kind: type[Message], take: Callable[[Any], object]) -> Callable[[bytes], object]:
    return lambda data: take(kind.FromString(data))


def _from_node(message: attend_pb2.AttendRequest) -> object:
    """What the desk makes of each part of a node's message."""
    return (
        attending.introduction(message.hello, "00" * 32),
        attending.outcome(message.reply),
        attending.quoted(message.quote),
        attending.kept(message.results_kept),
        reply_from_wire(message.secure),
    )


@cache
def _desk_study() -> Study:
    """A desk's documents: the made-up study's, as its consortium signed them."""
    book = _paper("codebook", Codebook)
    return Study(_paper("roster", Roster), _paper("calendar", Calendar), {book.document.label: book})


def _paper(kind: str, model: type[D]) -> Adopted[D]:
    data = signed_of(kind)[-1]
    signed = Signed.from_bytes(data)
    return Adopted(from_canonical(model, signed.document), signed.digest, data)


def _admitted(data: bytes) -> object:
    return admit_programme(data, _desk_study(), _NOW)


def _planned(data: bytes) -> object:
    """A programme of a researcher who can sign whatever it wants."""
    programme, ours = from_canonical(Programme, data), _desk_study()
    (book,) = ours.codebooks.values()
    return verify_plan(programme, book.document, ours.calendar.document)


@cache
def _asked() -> tuple[Signed, Programme]:
    signed = Signed.from_bytes(signed_of("programme")[0])
    return signed, from_canonical(Programme, signed.document)


def _answered(data: bytes) -> object:
    signed, programme = _asked()
    return admit_answer(data, programme.regions[0], signed, programme, _desk_study().roster.document, _NOW)


def _adopted(data: bytes) -> object:
    pinned = people().consortium.public
    return [adopt(model, kind, data, pinned) for kind, model in _KINDS]


_KINDS: tuple[tuple[Any, Any], ...] = (("roster", Roster), ("calendar", Calendar), ("codebook", Codebook))


def _ordered(data: bytes) -> object:
    """An order and its programme, as one after the other."""
    order, _, programme = data.partition(b"\x00")
    return read_order("run-0123456789abcdef", order, programme)


def _control(data: bytes) -> object:
    return Request.model_validate_json(data), Response.model_validate_json(data)


def _rows(data: bytes) -> object:
    return frame(data), read_texts(data), csv_text(data)


_MALFORMED = (DecodeError,)
"""What the services answer with INVALID_ARGUMENT, and gRPC itself to its callers."""

DECODERS = (
    Decoder("desk_hears_node", _of(attend_pb2.AttendRequest, _from_node), _MALFORMED, 2),
    Decoder("node_hears_desk", _of(attend_pb2.AttendResponse, _incoming), _MALFORMED, 2),
    Decoder("witness_hears_checkpoint", _of(witness_pb2.AddCheckpointRequest, submission_from_wire), _MALFORMED, 2),
    Decoder("witness_hears_exchange", _of(witness_pb2.ExchangeRequest, shown_from_wire), _MALFORMED),
    # What the node's line to a witness takes for an answer that cannot be read.
    Decoder(
        "node_hears_witness",
        _of(witness_pb2.AddCheckpointResponse, _told),
        (*_MALFORMED, BadNote, UnicodeDecodeError, KeyError),
    ),
    Decoder(
        "node_hears_exchange",
        _of(witness_pb2.ExchangeResponse, _exchanged),
        (*_MALFORMED, BadNote, UnicodeDecodeError, KeyError),
    ),
    Decoder("researcher_hears_prices", _of(desk_pb2.PriceResponse, desk.prices_from_wire), (*_MALFORMED, ValueError)),
    Decoder("researcher_hears_run", _of(desk_pb2.SubmitResponse, desk.submitted_from_wire), _MALFORMED, 0.5),
    Decoder("researcher_hears_progress", _of(desk_pb2.WatchResponse, desk.progress_from_wire), _MALFORMED),
    Decoder("researcher_hears_results", _of(desk_pb2.ResultsResponse, desk.results_from_wire), _MALFORMED),
    Decoder("researcher_hears_trends", _of(desk_pb2.TrendsResponse, desk.trends_from_wire), _MALFORMED, 0.5),
    Decoder("researcher_hears_study", _of(desk_pb2.StudyResponse, desk.study_from_wire), _MALFORMED, 0.5),
    Decoder("rows", _rows, (ValueError,), 0.3),
    Decoder("trends", read_trends, (ValueError,), 0.5),
    Decoder("desk_admits_programme", _admitted),
    Decoder("plan_verified", _planned, (BadDocument,), 2),
    Decoder("desk_admits_answer", _answered),
    Decoder("node_reads_programme", read_programme),
    Decoder("node_reads_order", _ordered),
    Decoder("node_reads_result", lambda data: read_result("run-0123456789abcdef", data)),
    Decoder("adopted", _adopted, (BadDocument,)),
    Decoder("control", _control, (ValidationError,), 0.5),
)
