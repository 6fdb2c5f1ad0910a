"""What a release says, kept for the releases after it: the bytes of each message and of each kind of signed document.

    python -m tests.vectors.old_messages 2026-11

writes tests/vectors/messages/2026-11/, one file a kind; run it once for each release, and never write over an old one:
parties are upgraded one by one, so the next release is spoken to in these bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from rondgang.canonical import Json
from rondgang.signed import Signed, sign
from rondgang.v1 import attend_pb2, desk_pb2, refusal_pb2, witness_pb2

from coordinator.attendance import wire as attend_wire
from coordinator.desk import wire as desk_wire
from node import wire as node_wire
from node.witnessing import wire as line_wire
from policies.documents import Document, to_canonical
from policies.rules.approval import Approval
from policies.rules.order import Order
from policies.rules.region_policy import RegionPolicy
from policies.rules.result import Result, ResultRow
from policies.secure.rounds import NationalSum, Participants, SecureKeys, Seen, Sharing, Survivors
from policies.statistics.answer import Answer, block_values
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster
from policies.wire import secure as secure_wire
from policies.wire import witness as witness_wire
from policies.wire.refusals import refusal_from_wire
from tests import national_study, small_study
from tests.node_world import roster
from tests.vectors.keys import key
from tests.vectors.notes import cosigned
from tests.vectors.witnessing import LOG, TREE

FOLDER = Path(__file__).parent / "messages"
FILES = (attend_pb2, desk_pb2, refusal_pb2, witness_pb2)
RUN, HASH, SNAPSHOT = "run-0123456789abcdef", "ab" * 32, "5" * 32
DOCUMENTS: Mapping[str, type[Document]] = {
    "roster": Roster,
    "calendar": Calendar,
    "codebook": Codebook,
    "policy": RegionPolicy,
    "programme": Programme,
    "order": Order,
    "answer": Answer,
    "result": Result,
    "approval": Approval,
    "secure_keys": SecureKeys,
    "participants": Participants,
    "sharing": Sharing,
    "survivors": Survivors,
    "seen": Seen,
    "national_sum": NationalSum,
}
_NOTE = cosigned(6)
_TEXTS: Mapping[str, str] = {
    "run": RUN,
    "region": "AA",
    "sentence": "Ask again later.",
    "software": "rondgang 0.9",
    "quote": "q1",
    "codebook": "small@1",
    "decision": "pending",
    "RegionProgress.state": "pending",
    "WatchResponse.state": "asking",
    "Results.state": "complete",
    "NationalProgress.state": "vectors",
}
_BYTES: Mapping[str, bytes] = {
    "note": _NOTE.to_text().encode("utf-8"),
    "notes": _NOTE.to_text().encode("utf-8"),
    "own": _NOTE.to_text().encode("utf-8"),
    "cosignature": _NOTE.signatures[-1].line.encode(),
    "proof": TREE.consistency(5, 6)[0],
    "first_entry": LOG[0],
    "first_proof": b"\x07" * 32,
    "rows_json": b"[]",
}


def plain(value: Any) -> Json:
    """What a value of the domain says, as JSON: its type, and its fields by name."""
    match value:
        case None | bool() | int() | str():
            return value
        case bytes():
            return value.hex()
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case Document():
            return {"is": type(value).__name__, **value.model_dump(mode="json", exclude_defaults=True)}
        case _ if is_dataclass(value):
            return {"is": type(value).__name__} | {one.name: plain(getattr(value, one.name)) for one in fields(value)}
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple() | frozenset():
            return [plain(one) for one in value]
    raise TypeError(type(value).__name__)


def _heard(message: Message) -> object:
    """What the desk makes of a node's message."""
    assert isinstance(message, attend_pb2.AttendRequest)
    match message.WhichOneof("message"):
        case "hello":
            return attend_wire.introduction(message.hello, HASH)
        case "reply":
            return attend_wire.outcome(message.reply)
        case "quote":
            return attend_wire.quoted(message.quote)
        case "results_kept":
            return attend_wire.kept(message.results_kept)
    return secure_wire.reply_from_wire(message.secure)


READERS: Mapping[str, Callable[[Any], object]] = {
    "AttendRequest": _heard,
    "AttendResponse": node_wire._incoming,
    "AddCheckpointRequest": witness_wire.submission_from_wire,
    "AddCheckpointResponse": line_wire._told,
    "ExchangeRequest": witness_wire.shown_from_wire,
    "ExchangeResponse": line_wire._exchanged,
    "Refusal": refusal_from_wire,
    "RegionState": desk_wire.region_from_wire,
    "StudyResponse": desk_wire.study_from_wire,
    "PriceResponse": desk_wire.prices_from_wire,
    "SubmitResponse": desk_wire.submitted_from_wire,
    "WatchResponse": desk_wire.progress_from_wire,
    "ResultsResponse": desk_wire.results_from_wire,
    "TrendsResponse": desk_wire.trends_from_wire,
}
"""Who reads a message, and what it becomes there. Parts of messages are read with the whole."""


def messages() -> dict[str, type[Message]]:
    """Every message of the contract by its name."""
    return {name: GetMessageClass(one) for file in FILES for name, one in file.DESCRIPTOR.message_types_by_name.items()}


def _filled(kind: type[Message], chosen: int, within: int) -> Message:
    """A message with something in every field; of its oneofs the alternative `chosen`, of those below `within`."""
    made, descriptor = kind(), kind.DESCRIPTOR
    taken = {one.fields[chosen % len(one.fields)].name for one in descriptor.oneofs}
    for field in descriptor.fields:
        if field.containing_oneof is not None and field.name not in taken:
            continue
        value = _value(field, descriptor.name, within)
        if field.is_repeated:
            getattr(made, field.name).extend([value])
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(made, field.name).CopyFrom(value)
        else:
            setattr(made, field.name, value)
    return made


# Two implementations of descriptors share no type.
def _value(field: Any, of: str, within: int) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_MESSAGE:
            return _filled(GetMessageClass(field.message_type), within, within)
        case FieldDescriptor.TYPE_ENUM:
            return field.enum_type.values[1 + field.number % (len(field.enum_type.values) - 1)].number
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_STRING:
            return _TEXTS.get(f"{of}.{field.name}", _TEXTS.get(field.name, str(1000 + field.number)))
        case FieldDescriptor.TYPE_BYTES:
            return _BYTES.get(field.name, bytes([field.number]) * 32)
    return {"old_size": 5, "version": 1, "versions": 1}.get(field.name, 10 + field.number)


def cases(kind: type[Message]) -> Iterator[tuple[str, Message]]:
    """An empty message, and a full one for each alternative of its oneof, and of the messages in that."""
    yield "empty", kind()
    seen: set[bytes] = set()
    most = max((len(one.fields) for one in kind.DESCRIPTOR.oneofs), default=1)
    for chosen in range(most):
        for within in range(8):
            made = _filled(kind, chosen, within)
            data = made.SerializeToString(deterministic=True)
            if data not in seen:
                seen.add(data)
                yield f"{chosen}.{within}", made


def recorded(name: str, kind: type[Message]) -> Json:
    """A message's cases: their bytes, their fields, and what the reader makes of them."""
    found: list[Json] = []
    for case, message in cases(kind):
        entry: dict[str, Json] = {
            "name": case,
            "hex": message.SerializeToString(deterministic=True).hex(),
            "fields": MessageToDict(message, preserving_proto_field_name=True),
        }
        if name in READERS and case != "empty":
            entry["read"] = plain(READERS[name](message))
        found.append(entry)
    return {"message": name, "cases": found}


def documents() -> dict[str, list[Document]]:
    """One or more documents of every kind that is signed."""
    programme, national = small_study.planned(), national_study.planned()
    hashes = {"run": RUN, "programme": HASH}
    blocks = tuple(block_values(one.id, [-3] * one.cells) for one in programme.blocks)
    row = ResultRow.model_validate(
        {"statistic": "helped", "measure": "proportion", "estimator": "direct", "mode": "regional", "unit": "household"}
        | {"wave": "T1", "cell": (("profile", "1"),), "scope": "national", "estimate": "0.25", "std_error": "1e-2"}
        | {"regions_included": 1, "regions_expected": 2, "rho": "0.185", "status": "provisional", "note": "without BB"}
    )
    result = {**hashes, "revision": 2, "region": "AA", "asked": programme, "regions": ("AA",), "rows": (row,)}
    order = {**hashes, "issued": 5, "deadline": 9}
    keys = {**hashes, "region": "AA", "attempt": 1, "mask": HASH, "box": HASH}
    total = {**hashes, "cohort": "c1", "attempt": 1, "survivors": HASH, "regions": ("AA", "BB")}
    made: dict[str, list[Document]] = {
        "roster": [roster()],
        "calendar": [small_study.calendar(), national_study.calendar(4)],
        "codebook": [small_study.codebook()],
        "policy": [small_study.region_policy(), national_study.region_policy()],
        "programme": [programme, national],
        "order": [Order.model_validate(order), Order.model_validate({**order, "attempt": 2})],
        "answer": [Answer(region="AA", programme=HASH, cohort="c1", snapshot=SNAPSHOT, blocks=blocks)],
        "result": [Result.model_validate({**result, "epsilon": "3", "delta": "1e-6"})],
        "approval": [
            Approval(region="AA", programme=HASH, decision="approve", decided=7),
            Approval(region="AA", programme=HASH, decision="decline", reason="detail", decided=7),
        ],
        "secure_keys": [SecureKeys.model_validate(keys)],
        "participants": [Participants.model_validate({**hashes, "attempt": 1, "keys": {"AA": HASH, "BB": HASH}})],
        "sharing": [Sharing(participants=HASH, regions=("AA", "BB"))],
        "survivors": [Survivors(sharing=HASH, regions=("AA", "BB"))],
        "seen": [Seen(region="AA", survivors=HASH)],
        "national_sum": [NationalSum.model_validate({**total, "taken_back": {"AA": 1, "BB": 0}, "blocks": blocks})],
    }
    return made


def recorded_document(kind: str, document: Document) -> Json:
    """A signed document: its envelope, the hash it has for ever, and what it says."""
    signed = sign(kind, to_canonical(document), key(1), key(2))
    assert Signed.from_bytes(signed.to_bytes()) == signed
    says = document.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    return {"envelope": signed.to_bytes().decode("utf-8"), "sha256": signed.digest, "says": says}


def files() -> dict[str, Json]:
    """File name -> content, of the version that is checked out."""
    made = {f"{name}.json": recorded(name, kind) for name, kind in messages().items()}
    for kind, found in documents().items():
        made[f"signed_{kind}.json"] = {"kind": kind, "cases": list(map(partial(recorded_document, kind), found))}
    return made


def main(release: str) -> None:
    made, folder = files(), FOLDER / release
    folder.mkdir(parents=True)
    for name, content in made.items():
        (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1])
