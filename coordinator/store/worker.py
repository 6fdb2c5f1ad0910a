"""The store's own thread: one transaction at a time, and patience with a database that is being restarted.

What a transaction wrote is there on return, or nothing is (store.py finds out where a connection broke at the commit),
so a transaction that a lost database cut off is simply done again, after pauses that double. Once patience is at its
end the desk says so; from then on each caller is told at once, until the database is back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from coordinator.errors import StoreAway
from coordinator.log import note
from coordinator.store.commits import cut_off

T = TypeVar("T")

PATIENCE_S = 30.0
"""As long a database may take to come back before anybody is told that it is away."""
MOST_WAITING = 1_024
"""Transactions that wait for their turn; one more is turned away, and whoever asked for it asks again."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


class StoreThread:
    """Runs transactions one after the other. Lives on one event loop; `stop` ends the thread.

    `waiting` is how many are in line, `away` whether the database was gone when it was last tried.
    """

    def __init__(self, patience_s: float = PATIENCE_S, most_waiting: int = MOST_WAITING) -> None:
        # One thread: the store sees one transaction at a time, and the loop never waits for a disk.
        self._thread = ThreadPoolExecutor(1, "store")
        self._patience_s = patience_s
        self._most_waiting = most_waiting
        self._stopping = False
        self.waiting = 0
        self.away = False

    async def __call__(self, work: Callable[[], T]) -> T:
        """What `work` gives, in its turn. Raises StoreAway where the database is, or where too many wait."""
        if self.waiting >= self._most_waiting:
            raise StoreAway("too many wait for it")
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._patiently, work)
        finally:
            self.waiting -= 1

    def stop(self) -> None:
        """Ends the thread once what is in line is done; a database that is away is waited for no longer."""
        self._stopping = True
        self._thread.shutdown()

    def _patiently(self, work: Callable[[], T]) -> T:
        until = time.monotonic() + (0 if self.away else self._patience_s)
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                done = work()
            except DBAPIError as error:
                if not cut_off(error):
                    raise
                self._lost()
                if self._stopping or time.monotonic() + pause_s > until:
                    raise StoreAway("it does not answer") from error
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._found()
                return done

    def _lost(self) -> None:
        if not self.away:
            self.away = True
            note("store_away", loud=True)

    def _found(self) -> None:
        if self.away:
            self.away = False
            note("store_back", loud=True)
