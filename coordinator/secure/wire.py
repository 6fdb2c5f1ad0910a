"""Messages of an attempt <-> what the desk says and hears in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rondgang.v1 import attend_pb2

from coordinator.secure.messages import (
    Begin,
    BoxesSaid,
    Done,
    KeysSaid,
    Over,
    Reply,
    Round,
    SeenSaid,
    Send,
    Share,
    SharesSaid,
    ShowList,
    SumKept,
    Unmask,
    VectorSaid,
)
from policies.wire.refusals import refusal_from_wire


def round_to_wire(run: str, attempt: int, said: Round) -> attend_pb2.SecureRound:
    message = attend_pb2.SecureRound(run=run, attempt=attempt)
    match said:
        case Begin():
            begin = attend_pb2.SecureBegin(signed_order=said.signed_order, signed_programme=said.signed_programme)
            message.begin.CopyFrom(begin)
        case Share():
            share = attend_pb2.SecureShare(signed_participants=said.signed_participants, signed_keys=said.signed_keys)
            message.share.CopyFrom(share)
        case Send():
            send = attend_pb2.SecureSend(signed_sharing=said.signed_sharing, boxes=_parts(said.boxes))
            message.send.CopyFrom(send)
        case ShowList():
            message.list.signed_survivors = said.signed_survivors
        case Unmask():
            message.unmask.signed_seen.extend(said.signed_seen)
        case Over():
            message.aborted.sentence = said.sentence
        case Done():
            message.done.signed_sum = said.signed_sum
    return message


def reply_from_wire(message: attend_pb2.SecureReply) -> Reply | SumKept | None:
    """None for a reply that holds nothing that this version knows."""
    match message.WhichOneof("reply"):
        case "signed_keys":
            return KeysSaid(message.signed_keys)
        case "boxes":
            return BoxesSaid(_by_region(message.boxes.boxes))
        case "vector":
            return VectorSaid(message.vector.masked)
        case "signed_seen":
            return SeenSaid(message.signed_seen)
        case "shares":
            shares = message.shares
            return SharesSaid(_by_region(shares.own), _by_region(shares.lost), tuple(shares.taken_back))
        case "refusal":
            return refusal_from_wire(message.refusal)
        case "sum_hash":
            return SumKept(message.sum_hash.hex())
        case _:
            return None


def _parts(by_region: Mapping[str, bytes]) -> list[attend_pb2.SecureBox]:
    return [attend_pb2.SecureBox(region=region, box=box) for region, box in sorted(by_region.items())]


def _by_region(parts: Sequence[attend_pb2.SecureBox]) -> dict[str, bytes]:
    """By region; nothing at all where one stands there twice, which fits nowhere."""
    found = {part.region: part.box for part in parts}
    return found if len(found) == len(parts) else {}
