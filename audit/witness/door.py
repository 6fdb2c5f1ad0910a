"""The way in: who calls is known, and has a place, before one byte of what they ask is read.

gRPC's own handlers read a whole request first. These read by themselves, so a caller who may not call, or has too much
open already, costs the witness a window of HTTP/2 and nothing more. A call holds its place until its reply has left.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from rondgang.errors import BadCertificate
from rondgang.roles import Role
from rondgang.tls import role_of_certificate

from audit.study import Study
from audit.witness.log import note
from policies.rules.refusals import Reason
from policies.study.roster import Member, Roster, check_peer

REASON_KEY = "rondgang-reason"
"""Trailing metadata that carries the reason of PERMISSION_DENIED."""
MOST_OPEN = 32
"""Calls of one caller that are open at once. A node has two or three."""
MOST_HEADER_BYTES = 16_384
WITHIN_S = 30.0
"""How long a request may take to come in, and again how long it may be worked on."""
_WHY = {
    Reason.UNKNOWN_SIGNER: "Your certificate is not on the roster that this witness works by. It may need a newer one.",
    Reason.WRONG_ROLE: "A witness hears regions only. Use the certificate that your node was enrolled with.",
    Reason.REVOKED: "Your certificate was revoked. Ask the consortium.",
    Reason.EXPIRED: "Your certificate is out of date. Ask the consortium for a new one.",
}

Context = grpc.aio.ServicerContext[Any, Any]


class Door:
    """Who has calls open here. Seams: the documents in force, and the clock. Lives on one event loop."""

    def __init__(self, study: Callable[[], Study], clock: Callable[[], int]) -> None:
        self._study = study
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._quiet = asyncio.Event()
        self._stopping = False

    def to(self, service: ServiceDescriptor, servicer: object, roles: Collection[Role]) -> grpc.GenericRpcHandler:
        """The handlers of a service whose callers have one of `roles`."""
        methods = {one.name: self._method(one, getattr(servicer, one.name), roles) for one in service.methods}
        return grpc.method_handlers_generic_handler(service.full_name, methods)

    async def drain(self, within_s: float) -> None:
        """Admits nothing more, and waits a while for the calls that are open."""
        self._stopping = True
        if self._open.total():
            try:
                async with asyncio.timeout(within_s):
                    await self._quiet.wait()
            except TimeoutError:
                # The rest is cut off; a node that was not told of its cosignature asks again.
                return

    def _method(
        self, method: MethodDescriptor, handle: Callable[..., Any], roles: Collection[Role]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """On the wire a unary call is a stream of one message each way, so that every method can read by itself."""
        request_type: type[Message] = GetMessageClass(method.input_type)

        async def serve(_: object, context: Context) -> None:
            await self._begin(context, roles)
            request = await _read(request_type, context)
            if method.server_streaming:
                # The standard health service has one such method, and no witness offers it.
                await handle(request, context)
                return
            await context.write((await _answer(handle(request, context), context)).SerializeToString())

        return grpc.stream_stream_rpc_method_handler(serve)

    async def _begin(self, context: Context, roles: Collection[Role]) -> None:
        if self._stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "The witness is stopping. Ask again in a moment.")
        # gRPC itself takes 16 MB of metadata, whatever it is told.
        if sum(len(name) + len(value) for name, value in context.invocation_metadata() or ()) > MOST_HEADER_BYTES:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "The call has too large a header.")
        found = caller(context, self._study().roster.document, roles, self._clock())
        if isinstance(found, Reason):
            await not_permitted(context, found)
        who = found.tls
        if self._open[who] >= MOST_OPEN:
            note("caller_has_too_many_calls", loud=True)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "You have too many calls open at this witness.")
        self._open[who] += 1

        def ended(_: object) -> None:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]
            if not self._open:
                self._quiet.set()

        context.add_done_callback(ended)  # type: ignore[arg-type]  # the stub names a class, gRPC takes a function


def caller(context: Context, roster: Roster, roles: Collection[Role], now: int) -> Member | Reason:
    """The live member behind a call, if it has one of `roles`. The handshake has checked issuer and dates."""
    for pem in context.auth_context().get("x509_pem_cert", ()):
        try:
            certified = role_of_certificate(bytes(pem))
        except BadCertificate:
            return Reason.UNKNOWN_SIGNER
        member = check_peer(roster, certified.tls, certified.party, now)
        if isinstance(member, Reason):
            return member
        return member if member.role in roles else Reason.WRONG_ROLE
    return Reason.UNKNOWN_SIGNER


async def not_permitted(context: Context, why: Reason) -> NoReturn:
    """Ends a call with PERMISSION_DENIED."""
    note("call_refused", loud=True, reason=why.value)
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, _WHY[why], ((REASON_KEY, why.value),))


async def _read(request_type: type[Message], context: Context) -> Message:
    try:
        async with asyncio.timeout(WITHIN_S):
            data = await context.read()
    except TimeoutError:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The request did not come in.")
    try:
        return request_type.FromString(data)
    # EOF, where the caller hung up, is no bytes either.
    except (DecodeError, TypeError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "The request is not a message of this contract.")


async def _answer(working: Awaitable[Message], context: Context) -> Message:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await working
    except TimeoutError:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The witness did not get this done in time. Ask again.")
