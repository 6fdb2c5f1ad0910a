"""Who is calling: the certificate of a gRPC call, looked up in the roster."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import grpc
from rondgang.canonical import digest
from rondgang.errors import BadCertificate
from rondgang.roles import Role
from rondgang.tls import role_of_certificate

from coordinator.admission import admit_peer
from policies.rules.refusals import Reason, Refused
from policies.study.roster import Member, Roster

REASON_KEY = "rondgang-reason"
"""Trailing metadata that carries the reason of PERMISSION_DENIED."""

MOST_HEADER_BYTES = 16_384


def caller(
    # The types of request and response do not matter here, and a context may be of any call.
    context: grpc.aio.ServicerContext[Any, Any],
    roster: Roster,
    roles: Collection[Role],
    now: int,
) -> Member | Refused:
    """The live member behind a call, if it has one of `roles`. The handshake has checked issuer and dates."""
    found = context.auth_context().get("x509_pem_cert", ())
    for pem in found:
        return admit_peer(bytes(pem), roster, roles, now)
    return Refused(Reason.UNSIGNED, "The call came without a certificate. Use mutual TLS.")


def header_too_large(context: grpc.aio.ServicerContext[Any, Any]) -> bool:
    """Whether a call came with more metadata than any of ours has. gRPC itself takes 16 MB, whatever it is told."""
    return sum(len(name) + len(value) for name, value in context.invocation_metadata() or ()) > MOST_HEADER_BYTES


def caller_key(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """What one caller's calls are counted under: the SHA-256 (hex) of its TLS key, of whatever role and standing."""
    pem = b"".join(map(bytes, context.auth_context().get("x509_pem_cert", ())))
    try:
        return role_of_certificate(pem).tls
    except BadCertificate:
        return digest(pem)


def when_ended(context: grpc.aio.ServicerContext[Any, Any], do: Callable[[], None]) -> None:
    """Calls `do` once a call has ended, and the last of what was said in it has been handed to the network."""

    def done(_: object) -> None:
        do()

    context.add_done_callback(done)  # type: ignore[arg-type]  # the stub names a class, gRPC takes what can be called
