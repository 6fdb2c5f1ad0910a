"""Whether the desk serves: the standard health service (grpc.health.v1), and the probe that asks it.

It stands behind the same mutual TLS as everything else, and says no more than that this desk takes calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rondgang.errors import BadCertificate
from rondgang.tls import host_names

from coordinator.errors import BadHome
from coordinator.home import CoordinatorConfig, Home
from policies.addresses import address_from_here

SERVICES = frozenset({"", "rondgang.v1.AttendService", "rondgang.v1.DeskService", "rondgang.v1.WitnessService"})
"""What may be asked about; the empty name is the desk as a whole."""
SERVICE: ServiceDescriptor = descriptor_pool.Default().FindServiceByName("grpc.health.v1.Health")

Context = grpc.aio.ServicerContext[Any, Any]


class HealthService(health_pb2_grpc.HealthServicer):
    """Serving is all it says, while it can be heard; there is no state to keep in step."""

    async def Check(  # noqa: N802 - the name is in the contract
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """SERVING for every service of this desk; NOT_FOUND for any other name."""
        if request.service not in SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, "This desk has no such service.")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    async def Watch(  # noqa: N802 - the name is in the contract
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The same at once, and then nothing more: what ends is the call."""
        yield await self.Check(request, context)
        await asyncio.Event().wait()


def probe(home: Home, timeout_s: float) -> bool:
    """Whether the desk that runs on this folder says that it serves. Asks with the desk's own certificate.

    Raises `BadHome` where the folder is not a desk's, or its certificate names no host.
    """
    key, own, root = home.tls()
    options = (("grpc.ssl_target_name_override", _named(own)), ("grpc.enable_http_proxy", 0))
    with grpc.secure_channel(_address(home), grpc.ssl_channel_credentials(root, key, own), options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            told = check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.RpcError:
            return False
        return bool(told.status == health_pb2.HealthCheckResponse.SERVING)


def _address(home: Home) -> str:
    """Where the running desk is dialled from this machine; it left its port in HOME/port."""
    listen = home.config(CoordinatorConfig).listen
    port = listen.rpartition(":")[2]
    # Before it has listened for the first time nothing answers at the configured port either.
    with suppress(FileNotFoundError):
        port = (home.folder / "port").read_text(encoding="ascii").strip()
    return address_from_here(listen, port)


def _named(certificate: bytes) -> str:
    """A host name of our own certificate: what is dialled here is this machine, under whatever name."""
    try:
        hosts = host_names(certificate)
    except BadCertificate as error:
        raise BadHome("certs/own.pem is not a certificate of a desk.") from error
    if not hosts:
        raise BadHome("Our certificate names no host, so nobody can dial this desk. Ask for one with --host.")
    return hosts[0]
