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
from google.protobuf import descriptor_pool
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.v1 import witness_pb2, witness_pb2_grpc

from audit.errors import BadHome
from audit.home import Home, WitnessConfig
from audit.study import LiveStudy, Study
from audit.witness.commits import Commits
from audit.witness.door import Door, caller, not_permitted
from audit.witness.health import HealthService
from audit.witness.log import fault, note
from audit.witness.store import Store
from audit.witness.transport import MOST_CALLS, SERVER_OPTIONS, speaks_older_tls
from policies.rules.refusals import Reason
from policies.rules.witness import Ask, Cosigned, Fork, NotCosigned, Reply
from policies.study.roster import Roster
from policies.wire.witness import exchanged_to_wire, reply_to_wire, shown_from_wire, submission_from_wire

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")

_CLOCK_S = 60
"""Cosignatures never go back in time; nodes do not count those of a witness whose clock was that far ahead for long."""

_GRACE_S = 2.0
_DRAIN_S = 5.0
"""How long calls that are being worked on may take when the witness stops."""


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
            found = caller(context, roster, {Role.REGION}, self._clock())
            if isinstance(found, Reason):
                await not_permitted(context, found)
            yield roster, str(found.region)
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
    server = grpc.aio.server(options=SERVER_OPTIONS, maximum_concurrent_rpcs=MOST_CALLS)
    door = Door(study.current, clock)
    with ThreadPoolExecutor(1, "store") as worker:
        service = WitnessService(store, worker, home.signing_key(), study.current, clock)
        shown = witness_pb2.DESCRIPTOR.services_by_name["WitnessService"]
        probed = descriptor_pool.Default().FindServiceByName("grpc.health.v1.Health")
        everyone = door.to(probed, HealthService(), frozenset(Role))
        server.add_generic_rpc_handlers((door.to(shown, service, {Role.REGION}), everyone))
        key, own, root = home.tls()
        credentials = grpc.ssl_server_credentials([(key, own)], root_certificates=root, require_client_auth=True)
        try:
            port = server.add_secure_port(config.listen, credentials)
        except RuntimeError as error:
            raise BadHome(f"The witness cannot listen on {config.listen}. Is another program there?") from error
        await server.start()
        await _insist_on_tls13(server, config.listen, port)
        address = f"{config.listen.rpartition(':')[0]}:{port}"
        note("witness_listens", address=address, roster=study.current().roster.digest)
        try:
            async with _metered(home, config, store, clock):
                yield port
        finally:
            await door.drain(_DRAIN_S)
            await server.stop(_GRACE_S)
            note("witness_stopped")


@asynccontextmanager
async def _metered(home: Home, config: WitnessConfig, store: Store, clock: Callable[[], int]) -> AsyncIterator[None]:
    """Shows the witness's public figures, where its settings want that. Raises `BadHome`."""
    if config.metrics is None:
        yield
        return
    # A library and a server that no other witness needs.
    from audit.witness.metering import metering

    async with metering(home, config.metrics.listen, store, clock):
        yield


async def _insist_on_tls13(server: grpc.aio.Server, listen: str, port: int) -> None:
    """Stops the server and raises `BadHome` where its open port goes along with an older TLS than 1.3."""
    try:
        older = await asyncio.to_thread(speaks_older_tls, listen, port)
    except OSError:
        # A port that this machine itself cannot reach: the setting stands, and nothing here can show it.
        note("tls_version_not_tried", loud=True)
        return
    if older:
        await server.stop(None)
        raise BadHome("gRPC was loaded before Rondgang and would speak TLS 1.2. Start the witness by its own command.")
