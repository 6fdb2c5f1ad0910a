"""AttendService: a node dials in, says who it is, and stays on the line.

A node that does not read what it is told keeps its place among its own few lines and nothing else: what waits for it is
bounded, and after a minute it counts as away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
from rondgang.roles import Role
from rondgang.v1 import attend_pb2, attend_pb2_grpc
from rondgang.versions import SPOKEN, Agreed, negotiate

from coordinator.admission import sent_away
from coordinator.attendance import wire
from coordinator.attendance.lines import Introduction, Line, Lines, OrderOut, Outgoing, take_quote
from coordinator.callers import Call, Callers
from coordinator.desk.returns import Returns
from coordinator.desk.runs import Runs
from coordinator.log import fault, note
from coordinator.peers import caller, caller_key, header_too_large, when_ended
from coordinator.store.store import SeenRecord
from coordinator.study import Study
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import SumKept
from policies.study.roster import Member
from policies.wire.secure import reply_from_wire

Context = grpc.aio.ServicerContext[AsyncIterator[attend_pb2.AttendRequest], AsyncIterator[attend_pb2.AttendResponse]]

HELLO_WITHIN_S = 20.0
"""How long a node may take to say who it is."""
SLOW_S = 60.0
"""A node that has not read a message for so long counts as away."""
ENDED_S = 5.0
"""The same, for a node that is told to leave."""


class AttendService(attend_pb2_grpc.AttendServiceServicer):
    """Seams: lines, runs, what regions get back, the documents in force, the clock, and the name of this software."""

    def __init__(
        self,
        lines: Lines,
        runs: Runs,
        returns: Returns,
        study: Callable[[], Study],
        clock: Callable[[], int],
        callers: Callers,
        software: str,
    ) -> None:
        self._lines = lines
        self._runs = runs
        self._returns = returns
        self._study = study
        self._clock = clock
        self._callers = callers
        self._software = software
        self._leaving: set[asyncio.Task[None]] = set()

    async def Attend(  # noqa: N802 - the name is in the contract
        self, request_iterator: AsyncIterator[attend_pb2.AttendRequest], context: Context
    ) -> AsyncIterator[attend_pb2.AttendResponse]:
        """One stream. The first request is a Hello; the first response a Welcome, or a Rejected that ends it."""
        await self._begin(context)
        greeted = await self._greet(request_iterator, context)
        if isinstance(greeted, Refused):
            note("node_rejected", loud=True, reason=greeted.reason.value)
            yield wire.rejected(greeted, SPOKEN)
            return
        version, introduction = greeted
        line = Line(introduction)
        yield wire.welcome(version, self._software)
        reader = asyncio.create_task(self._read(request_iterator, line, context))
        try:
            await self._join(line)
            while (item := await line.outgoing.get()) is not None:
                if isinstance(item, Refused):
                    note("node_sent_away", loud=True, region=introduction.region, reason=item.reason.value)
                    yield wire.rejected(item, SPOKEN)
                    return
                line.writing_since = asyncio.get_running_loop().time()
                yield self._say(item)
                line.writing_since = None
        finally:
            reader.cancel()
            # A task of its own: a call that is being cancelled may not wait.
            leaving = asyncio.create_task(self._leave(line))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def drained(self) -> None:
        """Waits until every line that was ended is off the books. For the end of the desk."""
        while self._leaving:
            await asyncio.wait(self._leaving)

    async def sweep(self) -> None:
        """Sends away nodes that the roster in force no longer bears out, and lets go of lines that nobody reads.

        For a call every second or so.
        """
        roster, now, ticks = self._study().roster.document, self._clock(), asyncio.get_running_loop().time()
        for line in self._lines.all():
            unread_s = 0.0 if line.writing_since is None else ticks - line.writing_since
            if unread_s > (ENDED_S if line.ended else SLOW_S):
                note("node_does_not_read", loud=True, region=line.introduction.region)
                line.break_off()
                await self._leave(line)
            elif (why := sent_away(line.introduction.tls, roster, now)) is not None:
                line.end(why)

    async def _begin(self, context: Context) -> Call:
        if self._callers.stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "The desk is stopping. Come back in a moment.")
        if header_too_large(context):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "The call has too large a header.")
        call = self._callers.begin(caller_key(context), "line")
        if call is None:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "This node has lines open already. Wait a minute.")
        when_ended(context, lambda: self._callers.ended(call))
        return call

    async def _greet(
        self, requests: AsyncIterator[attend_pb2.AttendRequest], context: Context
    ) -> tuple[int, Introduction] | Refused:
        member = caller(context, self._study().roster.document, {Role.REGION}, self._clock())
        if isinstance(member, Refused):
            return member
        try:
            async with asyncio.timeout(HELLO_WITHIN_S):
                first = await anext(requests, None)
        except TimeoutError:
            first = None
        if first is None or first.WhichOneof("message") != "hello":
            return Refused(Reason.MALFORMED, "A node says who it is first. Install the version that the desk runs.")
        if first.hello.region != member.region:
            return Refused(
                Reason.WRONG_ROLE, f"The certificate is that of region {member.region}. Correct the node's region."
            )
        agreed = negotiate(SPOKEN, first.hello.versions)
        if not isinstance(agreed, Agreed):
            side = "desk" if agreed.behind == "ours" else "node"
            return Refused(Reason.VERSION, f"Node and desk share no version of the contract. Upgrade the {side}.")
        return agreed.version, wire.introduction(first.hello, member.tls)

    async def _join(self, line: Line) -> None:
        region = line.introduction.region
        older = self._lines.join(line)
        if older is not None:
            older.end()
        note("node_attends", region=region)
        self._runs.catch_up(region)
        await self._runs.national.catch_up(region)
        await self._returns.catch_up(region)
        await self._see(line)

    async def _leave(self, line: Line) -> None:
        if self._lines.leave(line):
            region = line.introduction.region
            note("node_left", region=region)
            self._runs.lost(region)
            await self._see(line)

    async def _see(self, line: Line) -> None:
        said = line.introduction
        await self._runs.note_seen(
            SeenRecord(said.region, self._clock(), said.software, said.roster_hash, said.calendar_hash)
        )

    def _say(self, item: Outgoing) -> attend_pb2.AttendResponse:
        if isinstance(item, OrderOut):
            note("order_sent", run=item.run)
        return wire.outgoing(item)

    async def _read(self, requests: AsyncIterator[attend_pb2.AttendRequest], line: Line, context: Context) -> None:
        """Takes in what the node sends until it hangs up; each message is from a member who is live at that moment."""
        region = line.introduction.region
        try:
            async for request in requests:
                member = caller(context, self._study().roster.document, {Role.REGION}, self._clock())
                if isinstance(member, Refused):
                    line.end(member)
                    return
                await self._take(request, line, member)
        except (grpc.aio.AioRpcError, grpc.RpcError):
            note("line_broke", region=region)
        # Whatever goes wrong with one message ends this line only; the node dials again.
        except Exception as error:
            fault("message_failed", error)
        line.end()

    async def _take(self, request: attend_pb2.AttendRequest, line: Line, member: Member) -> None:
        match request.WhichOneof("message"):
            case "reply":
                found = wire.outcome(request.reply)
                if found is not None:
                    await self._runs.reply(str(member.region), request.reply.run, found)
            case "quote":
                quote = wire.quoted(request.quote)
                if quote is not None:
                    take_quote(line, request.quote.quote, quote)
            case "results_kept":
                said = request.results_kept
                await self._returns.kept(str(member.region), said.run, wire.kept(said))
            case "secure":
                await self._take_secure(str(member.region), request.secure)
            case _:
                note("message_unknown", region=str(member.region))

    async def _take_secure(self, region: str, message: attend_pb2.SecureReply) -> None:
        match reply := reply_from_wire(message):
            case SumKept():
                await self._runs.national.kept(region, message.run, reply.sum_hash)
            case None:
                note("message_unknown", region=region)
            case _:
                self._runs.national.take(region, message.run, message.attempt, reply)
