"""Messages of an attempt at national sums <-> what the desk and a region say in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rondgang.v1 import attend_pb2

from policies.rules.refusals import Refused
from policies.secure.messages import (
    Aborted,
    AnyReply,
    Begin,
    BoxesSaid,
    Done,
    KeysSaid,
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
from policies.wire.refusals import refusal_from_wire, refusal_to_wire


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
        case Aborted():
            message.aborted.sentence = said.sentence
        case Done():
            message.done.signed_sum = said.signed_sum
    return message


def round_from_wire(message: attend_pb2.SecureRound) -> Round | None:
    """None for a round that this version does not know."""
    match message.WhichOneof("round"):
        case "begin":
            return Begin(message.begin.signed_order, message.begin.signed_programme)
        case "share":
            return Share(message.share.signed_participants, tuple(message.share.signed_keys))
        case "send":
            return Send(message.send.signed_sharing, {one.region: one.box for one in message.send.boxes})
        case "list":
            return ShowList(message.list.signed_survivors)
        case "unmask":
            return Unmask(tuple(message.unmask.signed_seen))
        case "aborted":
            return Aborted(message.aborted.sentence)
        case "done":
            return Done(message.done.signed_sum)
        case _:
            return None


def reply_to_wire(run: str, attempt: int, reply: AnyReply) -> attend_pb2.SecureReply:
    message = attend_pb2.SecureReply(run=run, attempt=attempt)
    match reply:
        case KeysSaid():
            message.signed_keys = reply.signed_keys
        case BoxesSaid():
            message.boxes.boxes.extend(_parts(reply.boxes))
        case VectorSaid():
            message.vector.masked = reply.masked
        case SeenSaid():
            message.signed_seen = reply.signed_seen
        case SharesSaid():
            message.shares.own.extend(_parts(reply.own))
            message.shares.lost.extend(_parts(reply.lost))
            message.shares.taken_back.extend(reply.taken_back)
        case SumKept():
            message.sum_hash = bytes.fromhex(reply.sum_hash)
        case Refused():
            message.refusal.CopyFrom(refusal_to_wire(reply))
    return message


def reply_from_wire(message: attend_pb2.SecureReply) -> AnyReply | None:
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
