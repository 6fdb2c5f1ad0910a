"""The way in: who calls is known, and has a place, before one byte of what they ask is read.

gRPC's own handlers read a whole request first. These read by themselves, so a caller who may not call, or has too much
open already, costs the desk a window of HTTP/2 and nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from rondgang.roles import Role

from coordinator.callers import Call, Callers, Kind
from coordinator.log import note
from coordinator.peers import REASON_KEY, caller, caller_key, header_too_large, when_ended
from coordinator.study import Study
from policies.rules.refusals import Refused

READ_WITHIN_S = 30.0
"""How long a request may take to come in, once it is the caller's turn."""

Context = grpc.aio.ServicerContext[Any, Any]
Handle = Callable[[Any, Context], Awaitable[Message]]


class Door:
    """Seams: the open calls, the documents in force, the clock, and how long one call may be worked on."""

    def __init__(
        self, callers: Callers, study: Callable[[], Study], clock: Callable[[], int], work_within_s: float
    ) -> None:
        self._callers = callers
        self._study = study
        self._clock = clock
        self._work_within_s = work_within_s

    def to(self, service: ServiceDescriptor, servicer: object, roles: Collection[Role]) -> grpc.GenericRpcHandler:
        """The handlers of a service whose callers have one of `roles`. What each method takes more, it asks itself."""
        methods = {one.name: self._method(one, getattr(servicer, one.name), roles) for one in service.methods}
        return grpc.method_handlers_generic_handler(service.full_name, methods)

    def _method(
        self, method: MethodDescriptor, handle: Callable[..., Any], roles: Collection[Role]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """On the wire a unary call is a stream of one message each way, so that every method can read by itself."""
        kind: Kind = "watch" if method.server_streaming else "call"
        request_type: type[Message] = GetMessageClass(method.input_type)

        async def serve(_: object, context: Context) -> None:
            call = await self._begin(context, roles, kind)
            if kind == "watch":
                async with self._callers.turn(call):
                    request = await self._read(request_type, context)
                async with aclosing(handle(request, context)) as said:
                    await self._tell(said, context, call)
                return
            async with self._callers.turn(call):
                request = await self._read(request_type, context)
                # Its turn lasts until the reply has left.
                await context.write((await self._answer(handle, request, context)).SerializeToString())

        return grpc.stream_stream_rpc_method_handler(serve)

    async def _begin(self, context: Context, roles: Collection[Role], kind: Kind) -> Call:
        if self._callers.stopping:
            await _stopping(context)
        if header_too_large(context):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "The call has too large a header.")
        member = caller(context, self._study().roster.document, roles, self._clock())
        if isinstance(member, Refused):
            await _not_permitted(context, member)
        who = caller_key(context)
        call = self._callers.begin(who, kind)
        if call is None:
            if self._callers.newly_crowded(who):
                note("caller_has_too_many_calls", loud=True, party=member.name)
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "You have too many calls open at this desk. Wait for some to end."
            )
        when_ended(context, lambda: self._callers.ended(call))
        return call

    async def _read(self, request_type: type[Message], context: Context) -> Message:
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                data = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The request did not come in.")
        try:
            return request_type.FromString(data)
        # EOF, where the caller hung up, is no bytes either.
        except (DecodeError, TypeError):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The request is not a message of this contract.")

    async def _answer(self, handle: Handle, request: Message, context: Context) -> Message:
        try:
            async with asyncio.timeout(self._work_within_s):
                return await handle(request, context)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The desk did not get this done in time. Ask again.")

    async def _tell(self, said: AsyncIterator[Message], context: Context, call: Call) -> None:
        """Passes on what a method says until it has said all, or the call has to end."""
        while True:
            following = asyncio.create_task(_next(said))
            waiting: set[asyncio.Future[Any]] = {following, call.over}
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
            if call.over.done():
                why = call.over.result()
                await (_stopping(context) if why is None else _not_permitted(context, why))
            message = following.result()
            if message is None:
                return
            await context.write(message.SerializeToString())


async def _next(said: AsyncIterator[Message]) -> Message | None:
    return await anext(said, None)


async def _stopping(context: Context) -> NoReturn:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "The desk is stopping. Ask again in a moment.")


async def _not_permitted(context: Context, refused: Refused) -> NoReturn:
    note("call_refused", loud=True, reason=refused.reason.value)
    reason = ((REASON_KEY, refused.reason.value),)
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, refused.sentence, reason)
