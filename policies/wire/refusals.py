"""Refusals on the wire: one reason of the domain for one number of the message, both ways."""

from __future__ import annotations

from typing import cast

from rondgang.v1 import refusal_pb2

from policies.rules.refusals import Reason, Refused

_PREFIX = "REFUSAL_REASON_"
_NUMBERS = {reason: refusal_pb2.RefusalReason.Value(_PREFIX + reason.name) for reason in Reason}
_REASONS = {number: reason for reason, number in _NUMBERS.items()}


def reason_to_wire(reason: Reason) -> refusal_pb2.RefusalReason:
    """The number of a reason in messages."""
    # The runtime's enums are plain integers; the generated stub gives them a class of their own.
    return cast("refusal_pb2.RefusalReason", _NUMBERS[reason])


def reason_from_wire(number: int) -> Reason:
    """The reason of a number. An unknown one, from a newer party, reads as `FAULT`: it is a refusal all the same."""
    return _REASONS.get(number, Reason.FAULT)


def refusal_to_wire(refused: Refused) -> refusal_pb2.Refusal:
    """The message of a refusal."""
    return refusal_pb2.Refusal(reason=reason_to_wire(refused.reason), sentence=refused.sentence)


def refusal_from_wire(message: refusal_pb2.Refusal) -> Refused:
    """The refusal of a message."""
    return Refused(reason_from_wire(message.reason), message.sentence)
