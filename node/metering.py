"""Showing a serving node's metrics: on a loopback port, in a file for a collector on this machine, or not at all.

The sheet is taken on a rhythm of its own, not when somebody looks: who scrapes a thousand times a second sees the same
figures a thousand times.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, start_http_server

from node.errors import BadHome
from node.home import Home
from node.journal import Journal, place_of
from node.metrics import FAMILIES
from policies.rules.exposition import Shown
from policies.rules.metrics import Sheet

EVERY_S = 15.0
READABLE = 0o644
"""A collector is another user of this machine, and there is nothing private in the file."""


@contextlib.asynccontextmanager
async def metering(
    home: Home, take: Callable[[], Sheet], writer: Executor, journal: Journal, every_s: float = EVERY_S
) -> AsyncIterator[None]:
    """Shows what `take` gives as the settings say, until the block is left. `take` runs in the writer's thread.

    Raises BadHome where the address is taken.
    """
    settings, shown = home.config().metrics, Shown(FAMILIES)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(shown)
    with contextlib.ExitStack() as closing:
        if settings.listen is not None:
            closing.enter_context(_listening(settings.listen, registry))
        file = None if settings.file is None else home.root / settings.file
        sampling = asyncio.create_task(_sample(take, writer, shown, registry, file, journal, every_s))
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.wait({sampling})


@contextlib.contextmanager
def _listening(address: str, registry: CollectorRegistry) -> Iterator[None]:
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        raise BadHome(f"metrics cannot listen on {address} ({error.strerror}). Is another program there?") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _sample(
    take: Callable[[], Sheet],
    writer: Executor,
    shown: Shown,
    registry: CollectorRegistry,
    file: Path | None,
    journal: Journal,
    every_s: float,
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            shown.sheet = await loop.run_in_executor(writer, take)
            if file is not None:
                await asyncio.to_thread(_write, file, generate_latest(registry))
        except Exception as error:
            # Who watches sees figures that stand still; the node goes on.
            journal("fault", place=place_of(error))
        await asyncio.sleep(every_s)


def _write(file: Path, text: bytes) -> None:
    """Whole, by its last name only; not synced: after a crash the next one comes soon."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(text)
    part.chmod(READABLE)
    part.replace(file)
