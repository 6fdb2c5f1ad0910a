"""A desk for one node, over real mutual TLS: it says what a test tells it to say, and keeps what it hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import grpc
from rondgang.roles import Party, Role
from rondgang.signed import Signed
from rondgang.tls import new_tls_key, request_certificate
from rondgang.v1 import attend_pb2, attend_pb2_grpc

from compose.consortium.authority import Authority, issue, pem
from node.home import Home
from policies.rules.refusals import Refused
from policies.wire.refusals import refusal_to_wire
from tests.applicants import authority
from tests.node_world import REGION, RUN, signed_order
from tests.witnesses import Witness, WitnessServer

Request: TypeAlias = attend_pb2.AttendRequest
Response: TypeAlias = attend_pb2.AttendResponse
WITHIN_S = 20.0


def certificate(root: Authority, tls_key: bytes, party: Party) -> bytes:
    """A certificate in PEM, valid now by the real clock."""
    csr = request_certificate(tls_key, party, "one")
    return pem(issue(root, csr, party, "one", (), int(time.time()), 1)[0])


def order(programme: Signed, run: str = RUN, signed: Signed | None = None) -> Response:
    """An order for a programme; the desk's own, unless another is given."""
    signed_bytes = (signed or signed_order(programme, run=run)).to_bytes()
    message = attend_pb2.Order(run=run, signed_order=signed_bytes, signed_programme=programme.to_bytes())
    return Response(order=message)


def quote_request(programme: Signed) -> Response:
    return Response(quote_request=attend_pb2.QuoteRequest(quote="q", signed_programme=programme.to_bytes()))


def rejection(refused: Refused) -> Response:
    refusal = refusal_to_wire(refused)
    return Response(rejected=attend_pb2.Rejected(reason=refusal.reason, sentence=refusal.sentence, versions=[1]))


WELCOME = Response(welcome=attend_pb2.Welcome(version=1, software="test desk"))


@dataclass
class PlayedDesk(attend_pb2_grpc.AttendServiceServicer):
    """Greets with `greeting`, then says what `say` is given. `hellos` holds every node that came."""

    greeting: Response = field(default_factory=lambda: WELCOME)
    hellos: list[attend_pb2.Hello] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.heard: asyncio.Queue[Request] = asyncio.Queue()
        self.came = asyncio.Event()
        self._line: asyncio.Queue[Response | None] = asyncio.Queue()

    async def Attend(  # noqa: N802 - the name is in the contract
        self,
        request_iterator: AsyncIterator[Request],
        context: grpc.aio.ServicerContext[AsyncIterator[Request], AsyncIterator[Response]],
    ) -> AsyncIterator[Response]:
        first = await anext(request_iterator)
        self.hellos.append(first.hello)
        self._line = asyncio.Queue()
        self.came.set()
        yield self.greeting
        if self.greeting.WhichOneof("message") != "welcome":
            return
        listening = asyncio.create_task(self._listen(request_iterator))
        try:
            while (message := await self._line.get()) is not None:
                yield message
        finally:
            listening.cancel()

    async def say(self, message: Response | None) -> None:
        """Says something to the node that came last; None hangs up."""
        await asyncio.wait_for(self.came.wait(), WITHIN_S)
        await self._line.put(message)

    async def hear(self) -> Request:
        return await asyncio.wait_for(self.heard.get(), WITHIN_S)

    async def asked(self, message: Response) -> attend_pb2.Reply:
        """What the node replies to an order."""
        await self.say(message)
        return (await self.hear()).reply

    async def _listen(self, requests: AsyncIterator[Request]) -> None:
        async for request in requests:
            await self.heard.put(request)


@dataclass(frozen=True)
class Address:
    """Where a desk may listen, and with which papers."""

    root: Authority
    key: bytes
    port: int

    @classmethod
    def new(cls, port: int) -> Address:
        return cls(authority(now=int(time.time())), new_tls_key(), port)

    def enrol(self, home: Home) -> None:
        """Gives a node its certificate."""
        tls_key = (home.keys / "tls.pem").read_bytes()
        (home.certs / "ca.pem").write_bytes(pem(self.root.root))
        (home.certs / "own.pem").write_bytes(certificate(self.root, tls_key, Party(Role.REGION, REGION)))

    @asynccontextmanager
    async def opened(self, desk: PlayedDesk, witness: Witness | None = None) -> AsyncIterator[PlayedDesk]:
        """A listening desk, which is a witness too if one is given; whoever is connected is cut off at the end."""
        server = grpc.aio.server(migration_thread_pool=ThreadPoolExecutor(2))
        attend_pb2_grpc.add_AttendServiceServicer_to_server(desk, server)
        if witness is not None:
            server.add_generic_rpc_handlers((WitnessServer(witness, self.root).handler(),))
        own = certificate(self.root, self.key, Party(Role.COORDINATOR))
        credentials = grpc.ssl_server_credentials([(self.key, own)], pem(self.root.root), require_client_auth=True)
        server.add_secure_port(f"localhost:{self.port}", credentials)
        await server.start()
        try:
            yield desk
        finally:
            await server.stop(None)


def serve_log(home: Path) -> str:
    return (home / "logs" / "node.log").read_text(encoding="utf-8")
