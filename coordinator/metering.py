"""Showing the desk's metrics on a loopback port, where its settings want that.

The figures are taken on a rhythm of their own: whoever scrapes often sees the same ones again, and costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from rondgang.software import software_version

from coordinator.attendance.lines import Lines
from coordinator.desk.runs import Runs
from coordinator.errors import BadHome, StoreAway
from coordinator.home import Home
from coordinator.log import fault, told_to
from coordinator.metrics import FAMILIES, Remembered, counting, sheet_of
from coordinator.store.store import Store
from coordinator.study import Study
from coordinator.witness.memory import forks, last_sizes
from policies.rules.exposition import Shown
from policies.rules.metrics import Sheet, put_common
from policies.study.certified import last_second

EVERY_S = 15.0
_STORE_WITHIN_S = 5.0


class Meter:
    """Takes the desk's figures. Seams: the parts they are of, the documents in force, and the clock (unix seconds)."""

    def __init__(
        self,
        home: Home,
        store: Store,
        lines: Lines,
        runs: Runs,
        study: Callable[[], Study],
        clock: Callable[[], int],
    ) -> None:
        self._home = home
        self._store = store
        self._lines = lines
        self._runs = runs
        self._study = study
        self._clock = clock
        self._started = clock()
        self._remembered = Remembered()
        self.counting = counting()

    async def take(self) -> Sheet:
        """The figures of this moment. Those of a store that is away are the last ones."""
        with contextlib.suppress(TimeoutError, StoreAway):
            async with asyncio.timeout(_STORE_WITHIN_S):
                self._remembered = await self._runs.stored(self._look)
        roster = self._study().roster.document
        sheet = sheet_of(roster, self._lines, self._runs.load, self._remembered, self._clock())
        _, own, _ = self._home.tls()
        version, expires = software_version(), last_second(own)
        put_common(sheet, "coordinator", version=version, started=self._started, expires=expires)
        return self.counting.beside(sheet)

    def _look(self) -> Remembered:
        found: dict[str, int] = {}
        for fork in self._store.within(forks):
            found[fork.region] = found.get(fork.region, 0) + 1
        return Remembered(self._store.seen(), self._store.within(last_sizes), found)


@contextlib.asynccontextmanager
async def metering(listen: str, meter: Meter, every_s: float = EVERY_S) -> AsyncIterator[int]:
    """Shows what `meter` takes, on the port that is given, until the block is left. Raises BadHome."""
    shown, registry = Shown(FAMILIES), CollectorRegistry(auto_describe=False)
    registry.register(shown)
    with told_to(meter.counting), _listening(listen, registry) as port:
        sampling = asyncio.create_task(_sample(meter, shown, every_s))
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


async def _sample(meter: Meter, shown: Shown, every_s: float) -> None:
    while True:
        try:
            shown.sheet = await meter.take()
        # Who watches sees figures that stand still; the desk goes on.
        except Exception as error:
            fault("metrics_failed", error)
        await asyncio.sleep(every_s)
