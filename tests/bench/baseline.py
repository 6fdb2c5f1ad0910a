"""The bare baseline: thirteen resident mTLS gRPC processes, a plain group-by each, and one fan-out.

No rules, no ledger, no noise, no signatures: the floor that a private answer is compared with. Run as a module it
prints milliseconds; `tests/bench/report.py` uses `Baseline` so that both figures come from one run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import duckdb
import grpc
import grpc.aio
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate

from compose.consortium.authority import found, issue, pem

METHOD = "/baseline/Sum"
CELLS = 30


def make_certificates(folder: Path, regions: Sequence[str]) -> None:
    """One authority, one certificate for each region and one for the asker, as PEM files in `folder`."""
    now = int(time.time())
    authority = found(secrets.token_bytes(32), "baseline", now)
    (folder / "ca.pem").write_bytes(pem(authority.root))
    parties = [Party(Role.REGION, region) for region in regions] + [Party(Role.COORDINATOR, None)]
    for party in parties:
        key = new_tls_key()
        csr = request_certificate(key, party, "baseline")
        certificate, _, _ = issue(authority, csr, party, "baseline", ["localhost"], now, 2)
        stem = party.region or "asker"
        (folder / f"{stem}.key").write_bytes(key)
        (folder / f"{stem}.pem").write_bytes(pem(certificate))


async def serve(folder: Path, region: str, rows: int) -> None:
    """One resident process: a table of `rows` rows in memory, answering its group-by until killed."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(
        f"CREATE TABLE t AS SELECT (random() * 5)::INT AS a, (random() * 4)::INT AS b FROM range({rows})"
    )

    async def answer(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        del request, context
        found = connection.execute("SELECT a, b, count(*) FROM t GROUP BY a, b").fetchall()
        return json.dumps(found).encode()

    handlers = grpc.method_handlers_generic_handler("baseline", {"Sum": grpc.unary_unary_rpc_method_handler(answer)})
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handlers,))
    pair = ((folder / f"{region}.key").read_bytes(), (folder / f"{region}.pem").read_bytes())
    credentials = grpc.ssl_server_credentials([pair], (folder / "ca.pem").read_bytes(), require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


@contextlib.asynccontextmanager
async def baseline(folder: Path, regions: Sequence[str], rows: int) -> AsyncIterator[Baseline]:
    """The processes, connected; they are ended on leaving."""
    make_certificates(folder, regions)
    command = [sys.executable, str(Path(__file__).resolve()), str(folder), str(rows)]
    processes = [subprocess.Popen([*command, region], stdout=subprocess.PIPE, text=True) for region in regions]
    try:
        ports = [int(process.stdout.readline()) for process in processes if process.stdout is not None]
        pair = ((folder / "asker.key").read_bytes(), (folder / "asker.pem").read_bytes())
        credentials = grpc.ssl_channel_credentials((folder / "ca.pem").read_bytes(), *pair)
        options = [("grpc.enable_http_proxy", 0), ("grpc.ssl_target_name_override", "localhost")]
        channels = [grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options) for port in ports]
        yield Baseline(channels)
        await asyncio.gather(*(channel.close() for channel in channels))
    finally:
        for process in processes:
            process.kill()
            process.communicate()


class Baseline:
    """Asks all processes at once."""

    def __init__(self, channels: Sequence[grpc.aio.Channel]) -> None:
        self._calls: list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = [
            channel.unary_unary(METHOD) for channel in channels
        ]

    async def ask(self) -> list[list[tuple[int, int, int]]]:
        """One national query: every process's cells."""
        answers = await asyncio.gather(*(call(b"sum") for call in self._calls))
        return [json.loads(answer) for answer in answers]

    async def milliseconds(self, queries: int, pause_s: float) -> list[float]:
        """Wall time of `queries` national queries, one after another, a pause before each, warmed up first."""
        for _ in range(5):
            await self.ask()
        times = []
        for _ in range(queries):
            await asyncio.sleep(pause_s)
            start = time.perf_counter()
            await self.ask()
            times.append((time.perf_counter() - start) * 1e3)
        return times


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[3], int(sys.argv[2])))
