"""One desk a folder, from start to signal."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator

from sqlalchemy import URL

from coordinator.errors import BadHome
from coordinator.files import write
from coordinator.home import CoordinatorConfig, Home
from coordinator.log import logging_to
from coordinator.service import running
from coordinator.store.store import Store, open_store

if sys.platform != "win32":
    import fcntl


def serve(home: Home, listening: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT. Calls `listening` with host:port, and leaves the port in HOME/port.

    Raises `BadHome` where another desk runs on this folder, or where something in it cannot be used.
    """
    config = home.config(CoordinatorConfig)
    with locked(home), logging_to(home.folder / "logs"), open_store(store_address(home, config)) as store:
        # What was loaded so far stays for good: collections need not walk through it again.
        gc.collect()
        gc.freeze()
        asyncio.run(_serve(home, config, store, listening))


def store_address(home: Home, config: CoordinatorConfig) -> str | URL:
    """Where the desk remembers: the configured database, else a SQLite file in its folder."""
    return config.database or URL.create("sqlite", database=str(home.folder / "rondgang.sqlite"))


async def _serve(home: Home, config: CoordinatorConfig, store: Store, listening: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows' loop has no signal handlers; Ctrl-C raises KeyboardInterrupt there.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with running(home, config, store, lambda: int(time.time())) as port:
        write(home.folder / "port", f"{port}\n".encode("ascii"))
        listening(f"{config.listen.rpartition(':')[0]}:{port}")
        await stop.wait()


@contextlib.contextmanager
def locked(home: Home) -> Iterator[None]:
    """Holds HOME/lock. Windows has no such lock here; there the port is the only guard.

    Raises `BadHome` where a running desk holds it.
    """
    if sys.platform == "win32":
        yield
        return
    with (home.folder / "lock").open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadHome(f"A desk runs on {home.folder} already. Stop that one first.") from error
        yield
