"""Showing a witness's metrics on a loopback port, where its settings want that.

The figures are taken on a rhythm of their own: whoever scrapes often sees the same ones again, and costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from rondgang.software import software_version

from audit.errors import BadHome
from audit.home import Home
from audit.witness.log import fault, told_to
from audit.witness.metrics import FAMILIES, Remembered, counting, sheet_of
from audit.witness.store import Store
from policies.rules.exposition import Shown
from policies.rules.metrics import Sheet
from policies.study.certified import last_second

EVERY_S = 15.0


@contextlib.asynccontextmanager
async def metering(
    home: Home, listen: str, store: Store, clock: Callable[[], int], every_s: float = EVERY_S
) -> AsyncIterator[int]:
    """Shows the witness's figures on the port that is given, until the block is left. Raises BadHome."""
    shown, registry, counted, started = Shown(FAMILIES), CollectorRegistry(auto_describe=False), counting(), clock()
    registry.register(shown)

    def take() -> Sheet:
        _, own, _ = home.tls()
        sheet = sheet_of(_remembered(store), version=software_version(), started=started, expires=last_second(own))
        return counted.beside(sheet)

    with told_to(counted), _listening(listen, registry) as port:
        sampling = asyncio.create_task(_sample(take, shown, every_s))
        try:
            yield port
        finally:
            sampling.cancel()
            await asyncio.wait({sampling})


@contextlib.contextmanager
def _listening(address: str, registry: CollectorRegistry) -> Iterator[int]:
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
    except OSError as error:
        raise BadHome(f"Metrics cannot be shown on {address} ({error.strerror}). Is another program there?") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _sample(take: Callable[[], Sheet], shown: Shown, every_s: float) -> None:
    while True:
        try:
            # The store lets any thread in, in its turn.
            shown.sheet = await asyncio.to_thread(take)
        # Who watches sees figures that stand still; the witness goes on.
        except Exception as error:
            fault("metrics_failed", error)
        await asyncio.sleep(every_s)


def _remembered(store: Store) -> Remembered:
    forks: dict[str, int] = {}
    for fork in store.forks():
        forks[fork.region] = forks.get(fork.region, 0) + 1
    return Remembered(store.last_sizes(), forks)
