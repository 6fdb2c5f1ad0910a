"""The running desk: store, lines, runs, and its three services behind one port with mutual TLS."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

import grpc
from rondgang.roles import Role
from rondgang.software import software_version
from rondgang.v1 import attend_pb2_grpc, desk_pb2, witness_pb2

from coordinator.admission import sent_away
from coordinator.attendance.lines import Lines
from coordinator.attendance.service import AttendService
from coordinator.callers import Callers
from coordinator.desk.front import Front
from coordinator.desk.past import past_runs
from coordinator.desk.returns import Returns
from coordinator.desk.runs import Runs
from coordinator.desk.service import READERS, DeskService
from coordinator.door import Door
from coordinator.errors import BadHome
from coordinator.estimate import rows_json
from coordinator.health import SERVICE, HealthService
from coordinator.home import CoordinatorConfig, Home
from coordinator.log import fault, note
from coordinator.store.papers import keep_documents
from coordinator.store.store import Store
from coordinator.study import LiveStudy, Study
from coordinator.transport import MOST_CALLS, SERVER_OPTIONS, server_credentials, speaks_older_tls
from coordinator.witness.service import WitnessService
from policies.rules.refusals import Refused

_SWEEP_S = 1.0
_GRACE_S = 2.0
_DRAIN_S = 5.0
"""How long calls that are being worked on may take when the desk stops."""
_WORK_S = 120.0
"""How long one call may be worked on, beyond waiting for quotes."""


@asynccontextmanager
async def running(home: Home, config: CoordinatorConfig, store: Store, clock: Callable[[], int]) -> AsyncIterator[int]:
    """The desk, serving on the port that is given, until the block is left. Resumes the runs that were open.

    `clock` gives the unix second.

    Raises `BadHome` where a document or key is absent or the address cannot be used.
    """

    def keep(study: Study) -> None:
        store.within(lambda connection: keep_documents(connection, study.papers, clock()))

    study = LiveStudy(home, keep, lambda error: fault("documents_unusable", error))
    lines, key = Lines(), home.signing_key()
    runs = Runs(store, lines, study.current, key, clock, _run_name, time.monotonic, config.secure_round_timeout_s)
    front = Front(runs, lines, study.current, clock, rows_json, partial(past_runs, store), config.quote_timeout_s)
    returns = Returns(runs, lines, front.results, store, key, clock)
    callers = Callers()
    door = Door(callers, study.current, clock, config.quote_timeout_s + _WORK_S)
    attend = AttendService(lines, runs, returns, study.current, clock, callers, software())
    server = grpc.aio.server(options=SERVER_OPTIONS, maximum_concurrent_rpcs=MOST_CALLS)
    attend_pb2_grpc.add_AttendServiceServicer_to_server(attend, server)
    desk, asked = DeskService(front, study.current, clock), desk_pb2.DESCRIPTOR.services_by_name["DeskService"]
    witness = WitnessService(store, runs.stored, key, study.current, clock)
    shown = witness_pb2.DESCRIPTOR.services_by_name["WitnessService"]
    server.add_generic_rpc_handlers((door.to(asked, desk, READERS), door.to(shown, witness, {Role.REGION})))
    server.add_generic_rpc_handlers((door.to(SERVICE, HealthService(), set(Role)),))
    port = _port(server, config.listen, home)
    await runs.resume()
    await returns.resume()
    await server.start()
    await _insist_on_tls13(server, config.listen, port)
    note("desk_listens", address=f"{config.listen.rpartition(':')[0]}:{port}", roster=study.current().roster.digest)
    away = partial(_away, study.current, clock)
    tasks = (asyncio.create_task(_sweep(runs, attend, callers, away)), asyncio.create_task(returns.work()))
    try:
        async with _metered(config, home, store, lines, runs, study.current, clock):
            yield port
    finally:
        await callers.drain(_DRAIN_S)
        await _ended(tasks)
        for line in lines.all():
            line.end()
        await server.stop(_GRACE_S)
        await attend.drained()
        await runs.stop()
        note("desk_stopped")


@asynccontextmanager
async def _metered(
    config: CoordinatorConfig,
    home: Home,
    store: Store,
    lines: Lines,
    runs: Runs,
    study: Callable[[], Study],
    clock: Callable[[], int],
) -> AsyncIterator[None]:
    """Shows the desk's public figures, where its settings want that. Raises `BadHome`."""
    if config.metrics is None:
        yield
        return
    # A library and a server that no other desk needs.
    from coordinator.metering import Meter, metering

    async with metering(config.metrics.listen, Meter(home, store, lines, runs, study, clock)):
        yield


def software() -> str:
    """What this desk says it runs."""
    return f"rondgang {software_version('(run from a folder)')}"


def _port(server: grpc.aio.Server, listen: str, home: Home) -> int:
    """The port that the server will have. Raises `BadHome` where the address cannot be used."""
    try:
        return server.add_secure_port(listen, server_credentials(home.tls()))
    except RuntimeError as error:
        raise BadHome(f"The desk cannot listen on {listen}. Is another program there?") from error


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


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
        raise BadHome("gRPC was loaded before Rondgang and would speak TLS 1.2. Start the desk by its own command.")


def _away(study: Callable[[], Study], clock: Callable[[], int], tls: str) -> Refused | None:
    return sent_away(tls, study().roster.document, clock())


async def _sweep(runs: Runs, attend: AttendService, callers: Callers, away: Callable[[str], Refused | None]) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            callers.sweep(away)
            await attend.sweep()
            await runs.sweep()
        # A store that is away for a moment must not end the sweeping.
        except Exception as error:
            fault("sweep_failed", error)


def _run_name() -> str:
    return f"run-{secrets.token_hex(8)}"
