"""Messages of the attend stream <-> what the desk says and hears."""

from __future__ import annotations

from collections.abc import Sequence

from rondgang.v1 import attend_pb2

from coordinator.attendance.lines import Introduction, OrderOut, Outgoing, Quoted, QuoteOut, ResultOut, SecureOut
from policies.rules.refusals import Refused
from policies.units.exact import parse_digits
from policies.units.money import NanoRho
from policies.wire import secure
from policies.wire.refusals import reason_to_wire, refusal_from_wire


def introduction(hello: attend_pb2.Hello, tls: str) -> Introduction:
    """What a node says of itself. Text is cut to a public length: it ends in tables."""
    return Introduction(
        hello.region[:8],
        hello.software[:100],
        hello.roster_hash.hex()[:64],
        hello.calendar_hash.hex()[:64],
        tls,
        hello.keeps_results,
    )


def welcome(version: int, software: str) -> attend_pb2.AttendResponse:
    return attend_pb2.AttendResponse(welcome=attend_pb2.Welcome(version=version, software=software))


def rejected(refused: Refused, versions: Sequence[int]) -> attend_pb2.AttendResponse:
    reason = reason_to_wire(refused.reason)
    return attend_pb2.AttendResponse(
        rejected=attend_pb2.Rejected(reason=reason, sentence=refused.sentence, versions=versions)
    )


def outgoing(item: Outgoing) -> attend_pb2.AttendResponse:
    match item:
        case OrderOut():
            order = attend_pb2.Order(
                run=item.run, signed_order=item.signed_order, signed_programme=item.signed_programme
            )
            return attend_pb2.AttendResponse(order=order)
        case QuoteOut():
            request = attend_pb2.QuoteRequest(quote=item.quote, signed_programme=item.signed_programme)
            return attend_pb2.AttendResponse(quote_request=request)
        case ResultOut():
            results = attend_pb2.RegionResults(run=item.run, signed_result=item.signed_result)
            return attend_pb2.AttendResponse(results=results)
        case SecureOut():
            return attend_pb2.AttendResponse(secure=secure.round_to_wire(item.run, item.attempt, item.said))


def outcome(reply: attend_pb2.Reply) -> bytes | Refused | None:
    """The signed answer or the refusal; None for a reply that holds neither."""
    match reply.WhichOneof("outcome"):
        case "signed_answer":
            return reply.signed_answer
        case "refusal":
            return refusal_from_wire(reply.refusal)
        case _:
            return None


def kept(message: attend_pb2.ResultsKept) -> str | Refused:
    """The hash (hex) of the result that a region has stored, or why it has not."""
    return refusal_from_wire(message.refusal) if message.HasField("refusal") else message.result_hash.hex()


def quoted(quote: attend_pb2.Quote) -> Quoted | None:
    """A region's quote; None where its amounts are not whole and positive."""
    try:
        charge, left_cohort, left_lifetime = (
            NanoRho(parse_digits(text or "0")) for text in (quote.charge, quote.left_cohort, quote.left_lifetime)
        )
    except ValueError:
        return None
    refused = refusal_from_wire(quote.refusal) if quote.HasField("refusal") else None
    return Quoted(charge, left_cohort, left_lifetime, refused, quote.test_only)
