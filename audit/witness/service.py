"""The running witness: WitnessService behind one port with mutual TLS, for regions on the adopted roster.

A region speaks for its own log only. The cosignature leaves after what it rests on is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2_grpc
from rondgang.errors import BadCertificate
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.tls import role_of_certificate
from rondgang.v1 import witness_pb2, witness_pb2_grpc

from audit.errors import BadHome
from audit.home import Home, WitnessConfig
from audit.study import LiveStudy, Study
from audit.witness.commits import Commits
from audit.witness.health import HealthService
from audit.witness.log import fault, note
from audit.witness.store import Store
from policies.rules.refusals import Reason
from policies.rules.witness import Ask, Cosigned, Fork, NotCosigned, Reply
from policies.study.roster import Roster, check_peer
from policies.wire.witness import exchanged_to_wire, reply_to_wire, shown_from_wire, submission_from_wire

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")

_CLOCK_S = 60
"""Cosignatures never go back in time; nodes do not count those of a witness whose clock was that far ahead for long."""

REASON_KEY = "rondgang-reason"
"""Trailing metadata that carries the reason of PERMISSION_DENIED."""
SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 4 * 2**20),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Nodes behind firewalls ping to keep their line open; the default would count that as an attack.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    # Two witnesses on one port would each see half of the checkpoints.
    ("grpc.so_reuseport", 0),
)
_GRACE_S = 2.0
_WHY = {
    Reason.UNKNOWN_SIGNER: "Your certificate is not on the roster that this witness works by. It may need a newer one.",
    Reason.WRONG_ROLE: "A witness hears regions only. Use the certificate that your node was enrolled with.",
    Reason.REVOKED: "Your certificate was revoked. Ask the consortium.",
    Reason.EXPIRED: "Your certificate is out of date. Ask the consortium for a new one.",
}


class WitnessService(witness_pb2_grpc.WitnessServiceServicer):
    """Seams: the store and the one thread that works it, the key that cosigns, the documents in force, the clock."""

    def __init__(
        self,
        store: Store,
        worker: ThreadPoolExecutor,
        key: SigningKey,
        study: Callable[[], Study],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._worker = worker
        self._key = key
        self._study = study
        self._clock = clock
        self._commits = Commits(self._commit)

    async def AddCheckpoint(  # noqa: N802 - the name is in the contract
        self, request: witness_pb2.AddCheckpointRequest, context: Context
    ) -> witness_pb2.AddCheckpointResponse:
        """Cosigns what extends the log that was seen last, or says why not. The cosigned checkpoint is durable."""
        async with self._call(context) as (roster, region):
            reply = await self._commits.add(Ask(roster, region, submission_from_wire(request)))
            _tell(region, reply, self._clock())
            return reply_to_wire(reply)

    async def Exchange(  # noqa: N802 - the name is in the contract
        self, request: witness_pb2.ExchangeRequest, context: Context
    ) -> witness_pb2.ExchangeResponse:
        """Takes in checkpoints of other regions; gives the caller's own last one, and the newest of the others."""
        async with self._call(context) as (roster, region):
            shown = shown_from_wire(request)
            exchanged = await self._stored(lambda: self._store.exchange(roster, region, shown, self._clock()))
            for fork in exchanged.forks:
                _tell_fork(fork)
            return exchanged_to_wire(exchanged)

    @asynccontextmanager
    async def _call(self, context: Context) -> AsyncIterator[tuple[Roster, str]]:
        """Admits a live region, under the roster of this moment; a fault ends the call with nothing cosigned."""
        try:
            roster = self._study().roster.document
            found = _caller(context, roster, self._clock())
            if isinstance(found, Reason):
                note("call_refused", loud=True, reason=found.value)
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, _WHY[found], ((REASON_KEY, found.value),))
            yield roster, found
        except (grpc.aio.AbortError, GeneratorExit):
            raise
        except Exception as error:
            fault("call_failed", error)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "The witness cannot do this now. Its log says where.")

    async def _commit(self, asks: list[Ask]) -> list[Reply]:
        return await self._stored(lambda: self._store.add(asks, self._key, self._clock()))

    async def _stored(self, work: Callable[[], T]) -> T:
        """Runs one transaction on the store's own thread: the loop never waits for a disk."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)


def _caller(context: Context, roster: Roster, now: int) -> str | Reason:
    """The code of the calling region. The handshake has checked issuer and dates of its certificate."""
    for pem in context.auth_context().get("x509_pem_cert", ()):
        try:
            certified = role_of_certificate(bytes(pem))
        except BadCertificate:
            return Reason.UNKNOWN_SIGNER
        member = check_peer(roster, certified.tls, certified.party, now)
        if isinstance(member, Reason):
            return member
        return str(member.region) if member.role is Role.REGION else Reason.WRONG_ROLE
    return Reason.UNKNOWN_SIGNER


def _tell(region: str, reply: Reply, now: int) -> None:
    match reply:
        case Cosigned(_, time):
            note("cosigned", region=region)
            if time > now + _CLOCK_S:
                note("clock_went_back_look_at_it", loud=True)
        case NotCosigned(why, _, fork):
            note("not_cosigned", loud=True, region=region, reason=why.value)
            if fork is not None:
                _tell_fork(fork)
        case _:
            note("saw_another_size", region=region)


def _tell_fork(fork: Fork) -> None:
    note("FORK_KEPT_look_at_rondgang_audit_forks", loud=True, region=fork.region, reason=fork.why)


@asynccontextmanager
async def running(home: Home, config: WitnessConfig, store: Store, clock: Callable[[], int]) -> AsyncIterator[int]:
    """The witness, serving on the port that is given, until the block is left. `clock` gives the unix second.

    Raises `BadHome` where a document or key is absent or the address cannot be used.
    """
    study = LiveStudy(
        home,
        keep=lambda study: store.keep_documents(study.papers, clock()),
        complain=lambda error: fault("documents_unusable", error),
    )
    server = grpc.aio.server(options=SERVER_OPTIONS)
    with ThreadPoolExecutor(1, "store") as worker:
        service = WitnessService(store, worker, home.signing_key(), study.current, clock)
        witness_pb2_grpc.add_WitnessServiceServicer_to_server(service, server)
        health_pb2_grpc.add_HealthServicer_to_server(HealthService(), server)
        key, own, root = home.tls()
        credentials = grpc.ssl_server_credentials([(key, own)], root_certificates=root, require_client_auth=True)
        try:
            port = server.add_secure_port(config.listen, credentials)
        except RuntimeError as error:
            raise BadHome(f"The witness cannot listen on {config.listen}. Is another program there?") from error
        await server.start()
        address = f"{config.listen.rpartition(':')[0]}:{port}"
        note("witness_listens", address=address, roster=study.current().roster.digest)
        try:
            yield port
        finally:
            await server.stop(_GRACE_S)
            note("witness_stopped")
