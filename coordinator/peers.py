"""Who is calling: the certificate of a gRPC call, looked up in the roster."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import grpc
from rondgang.roles import Role

from coordinator.admission import admit_peer
from policies.rules.refusals import Reason, Refused
from policies.study.roster import Member, Roster


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
