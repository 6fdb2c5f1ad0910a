"""The desk's stream as domain values: messages are read and written here and nowhere else in this room."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import grpc
from rondgang.v1 import attend_pb2, attend_pb2_grpc
from rondgang.versions import SPOKEN

from node.answering import Quoted
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import AnyReply, Round
from policies.wire.refusals import reason_from_wire, refusal_to_wire
from policies.wire.secure import reply_to_wire, round_from_wire


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The desk serves this node, in this version of the contract."""

    version: int


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The desk does not serve this node; the sentence says what to do."""

    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class OrderArrived:
    """An order as it came: nothing in it is believed yet."""

    run: str
    signed_order: bytes
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class QuoteAsked:
    """A question about price, as it came."""

    quote: str
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class ResultsArrived:
    """A result of a run that has closed, as it came."""

    run: str
    signed_result: bytes


@dataclass(frozen=True, slots=True)
class SecureArrived:
    """The desk's word in an attempt at national sums, as it came."""

    run: str
    attempt: int
    said: Round


Incoming = Welcomed | TurnedAway | OrderArrived | QuoteAsked | ResultsArrived | SecureArrived


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a node says first. Hashes are hexadecimal, empty where nothing is adopted."""

    region: str
    software: str
    roster: str
    calendar: str


class Stream:
    """One attend stream. Reads by one task, writes by any; errors of the transport come as `grpc.aio.AioRpcError`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._call = attend_pb2_grpc.AttendServiceStub(channel).Attend()
        self._writing = asyncio.Lock()

    async def greet(self, greeting: Greeting) -> None:
        hello = attend_pb2.Hello(
            versions=sorted(SPOKEN, reverse=True),
            software=greeting.software,
            region=greeting.region,
            roster_hash=bytes.fromhex(greeting.roster),
            calendar_hash=bytes.fromhex(greeting.calendar),
            keeps_results=True,
        )
        await self._write(attend_pb2.AttendRequest(hello=hello))

    async def read(self) -> Incoming | None:
        """The next message; None at the end of the stream. Messages of a newer desk that we do not know are skipped."""
        while True:
            message = await self._call.read()
            if not isinstance(message, attend_pb2.AttendResponse):
                return None
            if (known := _incoming(message)) is not None:
                return known

    async def answer(self, run: str, outcome: bytes | Refused) -> None:
        reply = (
            attend_pb2.Reply(run=run, refusal=refusal_to_wire(outcome))
            if isinstance(outcome, Refused)
            else attend_pb2.Reply(run=run, signed_answer=outcome)
        )
        await self._write(attend_pb2.AttendRequest(reply=reply))

    async def quote(self, quote: str, quoted: Quoted) -> None:
        message = attend_pb2.Quote(
            quote=quote,
            charge=str(quoted.charge.nano),
            left_cohort=str(quoted.left_cohort.nano),
            left_lifetime=str(quoted.left_lifetime.nano),
            refusal=None if quoted.refused is None else refusal_to_wire(quoted.refused),
            test_only=quoted.test_only,
        )
        await self._write(attend_pb2.AttendRequest(quote=message))

    async def results_kept(self, run: str, digest: str, refused: Refused | None) -> None:
        """Says that a result is stored, or why not."""
        refusal = None if refused is None else refusal_to_wire(refused)
        message = attend_pb2.ResultsKept(run=run, result_hash=bytes.fromhex(digest), refusal=refusal)
        await self._write(attend_pb2.AttendRequest(results_kept=message))

    async def secure(self, run: str, attempt: int, reply: AnyReply) -> None:
        """Says something back in an attempt at national sums."""
        await self._write(attend_pb2.AttendRequest(secure=reply_to_wire(run, attempt, reply)))

    def close(self) -> None:
        self._call.cancel()

    async def _write(self, message: attend_pb2.AttendRequest) -> None:
        async with self._writing:
            await self._call.write(message)


def _incoming(message: attend_pb2.AttendResponse) -> Incoming | None:
    match message.WhichOneof("message"):
        case "welcome":
            return Welcomed(message.welcome.version)
        case "rejected":
            return TurnedAway(reason_from_wire(message.rejected.reason), message.rejected.sentence)
        case "order":
            return OrderArrived(message.order.run, message.order.signed_order, message.order.signed_programme)
        case "quote_request":
            return QuoteAsked(message.quote_request.quote, message.quote_request.signed_programme)
        case "results":
            return ResultsArrived(message.results.run, message.results.signed_result)
        case "secure":
            said = round_from_wire(message.secure)
            return None if said is None else SecureArrived(message.secure.run, message.secure.attempt, said)
        case _:
            return None
