"""Certificates of the consortium over real gRPC: who gets through the handshake, and who is known behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rondgang.errors import BadCertificate
from rondgang.roles import Role
from rondgang.tls import Certified, host_names, requested, role_of_certificate

from compose.consortium.authority import Authority, issue, pem
from tests.applicants import DAY_S, Applicant, authority

METHOD = "/rondgang.test/Who"


@dataclass(frozen=True)
class Identity:
    """What a party brings to a handshake."""

    key: bytes
    certificate: bytes


NOW = int(time.time())
CONSORTIUM = authority(now=NOW - 400 * DAY_S)
STRANGERS = authority("strangers", now=NOW - 400 * DAY_S)
DESK = Applicant.new(Role.COORDINATOR)
FRIESLAND = Applicant.new(Role.REGION, "FR")


def _identity(applicant: Applicant, under: Authority = CONSORTIUM, issued: int = NOW) -> Identity:
    csr = applicant.request.csr.encode()
    certificate, _, _ = issue(under, csr, applicant.party, applicant.name, (), issued, days=30)
    return Identity(applicant.tls_key, pem(certificate))


@asynccontextmanager
async def _desk(identity: Identity, seen: list[Certified]) -> AsyncIterator[int]:
    """A server that asks for certificates of the consortium and notes whose call came through; yields its port."""

    async def who(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        (certificate,) = context.auth_context()["x509_pem_cert"]
        seen.append(role_of_certificate(certificate))
        return request

    handler = grpc.method_handlers_generic_handler("rondgang.test", {"Who": grpc.unary_unary_rpc_method_handler(who)})
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    credentials = grpc.ssl_server_credentials(
        [(identity.key, identity.certificate)], root_certificates=pem(CONSORTIUM.root), require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def _call(port: int, identity: Identity | None, host: str = "127.0.0.1") -> bytes:
    key, certificate = (identity.key, identity.certificate) if identity else (None, None)
    credentials = grpc.ssl_channel_credentials(pem(CONSORTIUM.root), key, certificate)
    # No proxy: it is loopback, and the environment may name one.
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.secure_channel(f"{host}:{port}", credentials, options=options) as channel:
        call: Callable[..., grpc.aio.UnaryUnaryCall[bytes, bytes]] = channel.unary_unary(METHOD)
        return await call(b"hello", timeout=20)


def _meet(desk: Identity, caller: Identity | None, host: str = "127.0.0.1") -> list[Certified]:
    """Whom the desk saw. Raises `grpc.aio.AioRpcError` where the call did not come through."""

    async def meet() -> None:
        async with _desk(desk, seen) as port:
            assert await _call(port, caller, host) == b"hello"

    seen: list[Certified] = []
    try:
        asyncio.run(meet())
    except grpc.aio.AioRpcError:
        assert seen == []
        raise
    return seen


def _refused_at_handshake(desk: Identity, caller: Identity | None) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        _meet(desk, caller)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("role", list(Role))
def test_who_calls_is_known_by_role_and_key(role: Role, host: str) -> None:
    applicant = Applicant.new(role, "FR" if role is Role.REGION else None)
    (seen,) = _meet(_identity(DESK), _identity(applicant), host)
    assert seen == requested(applicant.request.csr.encode())
    assert seen.party == applicant.party


def test_a_renewed_certificate_on_the_same_key_is_the_same_party() -> None:
    first, second = _identity(FRIESLAND, issued=NOW - DAY_S), _identity(FRIESLAND)
    assert first.certificate != second.certificate
    assert _meet(_identity(DESK), first) == _meet(_identity(DESK), second)


def test_an_expired_certificate_is_refused_at_the_handshake() -> None:
    _refused_at_handshake(_identity(DESK), _identity(FRIESLAND, issued=NOW - 31 * DAY_S))


def test_a_certificate_that_is_not_valid_yet_is_refused_at_the_handshake() -> None:
    _refused_at_handshake(_identity(DESK), _identity(FRIESLAND, issued=NOW + DAY_S))


def test_a_certificate_of_another_authority_is_refused_at_the_handshake() -> None:
    _refused_at_handshake(_identity(DESK), _identity(FRIESLAND, STRANGERS))


def test_a_caller_without_a_certificate_is_refused_at_the_handshake() -> None:
    _refused_at_handshake(_identity(DESK), None)


def test_a_certificate_signed_by_a_member_is_refused_at_the_handshake() -> None:
    """A region's own key cannot make certificates: its certificate is no authority's."""
    own = _identity(FRIESLAND)
    key = serialization.load_pem_private_key(own.key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    posing = Authority(key, x509.load_pem_x509_certificate(own.certificate), CONSORTIUM.signing)
    made = _identity(Applicant.new(Role.RESEARCHER), posing)
    _refused_at_handshake(_identity(DESK), Identity(made.key, made.certificate + own.certificate))


def test_callers_refuse_a_desk_that_is_expired_strange_or_no_desk() -> None:
    caller = _identity(FRIESLAND)
    for desk in (_identity(DESK, issued=NOW - 31 * DAY_S), _identity(DESK, STRANGERS), _identity(FRIESLAND)):
        _refused_at_handshake(desk, caller)


@pytest.mark.parametrize("text", [b"", b"not PEM", FRIESLAND.request.csr.encode(), FRIESLAND.tls_key])
def test_what_is_no_certificate_has_no_role_and_no_host(text: bytes) -> None:
    with pytest.raises(BadCertificate):
        role_of_certificate(text)
    with pytest.raises(BadCertificate):
        host_names(text)


def test_a_certificate_without_a_role_has_no_role() -> None:
    with pytest.raises(BadCertificate, match="role URI"):
        role_of_certificate(pem(CONSORTIUM.root))
