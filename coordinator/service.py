"""The running desk: store, lines, runs, and its three services behind one port with mutual TLS."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import metadata

import grpc
from rondgang.v1 import attend_pb2_grpc, desk_pb2_grpc, witness_pb2_grpc

from coordinator.attendance.lines import Lines
from coordinator.attendance.service import AttendService
from coordinator.desk.front import Front
from coordinator.desk.past import past_runs
from coordinator.desk.returns import Returns
from coordinator.desk.runs import Runs
from coordinator.desk.service import DeskService
from coordinator.errors import BadHome
from coordinator.estimate import rows_json
from coordinator.home import CoordinatorConfig, Home
from coordinator.log import fault, note
from coordinator.store.papers import keep_documents
from coordinator.store.store import Store
from coordinator.study import LiveStudy, Study
from coordinator.transport import SERVER_OPTIONS, server_credentials
from coordinator.witness.service import WitnessService

_SWEEP_S = 1.0
_GRACE_S = 2.0


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
    timeout_s = config.secure_round_timeout_s
    runs = Runs(store, lines, study.current, key, clock, _run_name, time.monotonic, timeout_s)
    front = Front(runs, lines, study.current, clock, rows_json, partial(past_runs, store), config.quote_timeout_s)
    returns = Returns(runs, lines, front.results, store, key, clock)
    attend = AttendService(lines, runs, returns, study.current, clock, software())
    server = grpc.aio.server(options=SERVER_OPTIONS)
    attend_pb2_grpc.add_AttendServiceServicer_to_server(attend, server)
    desk_pb2_grpc.add_DeskServiceServicer_to_server(DeskService(front, study.current, clock), server)
    witness = WitnessService(store, runs.stored, key, study.current, clock)
    witness_pb2_grpc.add_WitnessServiceServicer_to_server(witness, server)
    try:
        port = server.add_secure_port(config.listen, server_credentials(home.tls()))
    except RuntimeError as error:
        raise BadHome(f"The desk cannot listen on {config.listen}. Is another program there?") from error
    await runs.resume()
    await returns.resume()
    await server.start()
    note("desk_listens", address=f"{config.listen.rpartition(':')[0]}:{port}", roster=study.current().roster.digest)
    tasks = (asyncio.create_task(_sweep(runs, attend)), asyncio.create_task(returns.work()))
    try:
        yield port
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for line in lines.all():
            line.end()
        await server.stop(_GRACE_S)
        await attend.drained()
        await runs.stop()
        note("desk_stopped")


def software() -> str:
    """What this desk says it runs."""
    try:
        return f"rondgang {metadata.version('rondgang')}"
    except metadata.PackageNotFoundError:
        return "rondgang (run from a folder)"


async def _sweep(runs: Runs, attend: AttendService) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            await attend.sweep()
            await runs.sweep()
        # A store that is away for a moment must not end the sweeping.
        except Exception as error:
            fault("sweep_failed", error)


def _run_name() -> str:
    return f"run-{secrets.token_hex(8)}"
