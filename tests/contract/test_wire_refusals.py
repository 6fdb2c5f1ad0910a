"""The reasons in the domain and in the messages are the same set."""

from rondgang.v1 import refusal_pb2

from policies.rules.refusals import Reason, Refused
from policies.wire.refusals import reason_from_wire, reason_to_wire, refusal_from_wire, refusal_to_wire


def test_every_reason_has_a_number_and_every_number_a_reason() -> None:
    named = {name.removeprefix("REFUSAL_REASON_") for name in refusal_pb2.RefusalReason.keys()}  # noqa: SIM118
    assert named - {"UNSPECIFIED"} == {reason.name for reason in Reason}


def test_a_refusal_comes_back_as_it_went() -> None:
    for reason in Reason:
        refused = Refused(reason, "Ask again later.")
        assert refusal_from_wire(refusal_to_wire(refused)) == refused


def test_a_reason_of_a_newer_party_is_still_a_refusal() -> None:
    assert reason_from_wire(9999) is Reason.FAULT
    assert reason_from_wire(0) is Reason.FAULT
    assert reason_to_wire(Reason.FAULT) not in (0, 9999)
