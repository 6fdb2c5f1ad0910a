"""The bare baseline: the messages of a programme over gRPC with mutual TLS, and none of Rondgang's rules.

One server; thirteen clients, each on one stream. Whoever asks has an order sent to all of them; each signs a reply of
the same size with Ed25519, commits it to SQLite on disk, and sends it; the reply to the asker is all of theirs. No
ledger, no witnesses, no rows, no noise, nothing checked: the floor under what a programme can cost this way.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.baseline import make_certificates

ORDER_BYTES = 1_500
"""A signed order with its signed programme, as measured."""
REPLY_BYTES = 770
"""A signed answer of thirty cells, as measured."""
_NAME_BYTES = 8
_SIGNATURE_BYTES = 64
_ATTEND, _ASK = "/bare/Attend", "/bare/Ask"
_OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.ssl_target_name_override", "localhost"))
Context = grpc.aio.ServicerContext[bytes, bytes]


class Server:
    """Sends each order to all streams, and gathers as many replies."""

    def __init__(self, clients: int) -> None:
        self._clients = clients
        self._streams: list[asyncio.Queue[bytes]] = []
        self._waiting: dict[bytes, tuple[list[bytes], asyncio.Future[bytes]]] = {}
        self._names = itertools.count()

    async def attend(self, replies: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        del context
        orders: asyncio.Queue[bytes] = asyncio.Queue()
        self._streams.append(orders)
        reader = asyncio.create_task(self._read(replies))
        try:
            while True:
                yield await orders.get()
        finally:
            reader.cancel()

    async def ask(self, request: bytes, context: Context) -> bytes:
        del context
        while len(self._streams) < self._clients:
            await asyncio.sleep(0.05)
        name = next(self._names).to_bytes(_NAME_BYTES, "big")
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[name] = [], done
        for stream in self._streams:
            stream.put_nowait(name + request)
        return await done

    async def _read(self, replies: AsyncIterator[bytes]) -> None:
        async for reply in replies:
            came, done = self._waiting[reply[:_NAME_BYTES]]
            came.append(reply)
            if len(came) == self._clients:
                del self._waiting[reply[:_NAME_BYTES]]
                done.set_result(b"".join(came))


async def serve(folder: Path, clients: int) -> None:
    """The server's process; prints its port."""
    made = Server(clients)
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Attend": grpc.stream_stream_rpc_method_handler(made.attend),
        "Ask": grpc.unary_unary_rpc_method_handler(made.ask),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bare", handlers),))
    root, own = _papers(folder, "asker")
    credentials = grpc.ssl_server_credentials([own], root, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


async def attend(folder: Path, region: str, port: int) -> None:
    """A client's process: one commit and one signature for each order, on a thread of its own."""
    key = Ed25519PrivateKey.generate()
    file = sqlite3.connect(folder / f"{region}.sqlite", isolation_level=None, check_same_thread=False)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")
    file.execute("CREATE TABLE replies (name BLOB PRIMARY KEY, reply BLOB)")
    lock = threading.Lock()

    def replied(order: bytes) -> bytes:
        text = order[: REPLY_BYTES - _SIGNATURE_BYTES]
        reply = text + key.sign(text)
        with lock:
            file.execute("INSERT INTO replies VALUES (?, ?)", (order[:_NAME_BYTES], reply))
        return reply

    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", _credentials(folder, region), _OPTIONS) as line:
        dial: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = line.stream_stream(_ATTEND)
        stream = dial()

        async def one(order: bytes) -> None:
            reply = await asyncio.to_thread(replied, order)
            async with sending:
                await stream.write(reply)

        sending, jobs = asyncio.Lock(), set[asyncio.Task[None]]()
        async for order in stream:
            job = asyncio.create_task(one(order))
            jobs.add(job)
            job.add_done_callback(jobs.discard)


@contextmanager
def bare(folder: Path, regions: Sequence[str]) -> Iterator[tuple[Path, int]]:
    """The server and the clients as processes, ended on leaving; gives the folder of keys and the port."""
    folder.mkdir(parents=True)
    make_certificates(folder, regions)
    command = [sys.executable, "-m", "tests.soak.load.bare", str(folder)]
    server = subprocess.Popen([*command, "serve", str(len(regions))], stdout=subprocess.PIPE, text=True)
    processes = [server]
    try:
        # Popen was told to make a pipe.
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        processes += [subprocess.Popen([*command, region, port], text=True) for region in regions]
        yield folder, int(port)
    finally:
        # The server last: nobody has a line that breaks to tell of.
        for process in reversed(processes):
            process.kill()
            process.communicate()


def seconds(folder: Path, port: int, at_once: int, for_s: float) -> list[float]:
    """How long each question took, with so many in flight for a while; the first two seconds are not counted."""
    found: list[tuple[float, float]] = []
    # The first question is answered once all clients are there.
    with grpc.secure_channel(f"127.0.0.1:{port}", _credentials(folder, "asker"), _OPTIONS) as line:
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(_ASK)
        ask(bytes(ORDER_BYTES), timeout=60)
        began = time.monotonic()

        def slot() -> None:
            while (now := time.monotonic()) < began + 2 + for_s:
                ask(bytes(ORDER_BYTES), timeout=60)
                found.append((now, time.monotonic() - now))

        slots = [threading.Thread(target=slot) for _ in range(at_once)]
        for thread in slots:
            thread.start()
        for thread in slots:
            thread.join()
    return [took for at, took in found if at >= began + 2]


def _papers(folder: Path, stem: str) -> tuple[bytes, tuple[bytes, bytes]]:
    own = (folder / f"{stem}.key").read_bytes(), (folder / f"{stem}.pem").read_bytes()
    return (folder / "ca.pem").read_bytes(), own


def _credentials(folder: Path, stem: str) -> grpc.ChannelCredentials:
    root, own = _papers(folder, stem)
    return grpc.ssl_channel_credentials(root, *own)


if __name__ == "__main__":
    home, what, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    asyncio.run(serve(home, number) if what == "serve" else attend(home, what, number))
