"""One witness a folder, from start to signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator

from audit.errors import BadHome
from audit.files import write
from audit.home import Home, WitnessConfig
from audit.witness.log import logging_to
from audit.witness.service import running
from audit.witness.store import Store, open_store

if sys.platform != "win32":
    import fcntl


def serve(home: Home, listening: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT. Calls `listening` with host:port, and leaves the port in HOME/port.

    Raises `BadHome` where another witness runs on this folder or something in it cannot be used, `BrokenStore` where
    a newer version has written what is remembered.
    """
    config = home.config()
    with _locked(home), logging_to(home.folder / "logs"), open_store(home.store) as store:
        asyncio.run(_serve(home, config, store, listening))


async def _serve(home: Home, config: WitnessConfig, store: Store, listening: Callable[[str], None]) -> None:
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
def _locked(home: Home) -> Iterator[None]:
    """Holds HOME/lock. Windows has no such lock here; there the port is the only guard."""
    if sys.platform == "win32":
        yield
        return
    with (home.folder / "lock").open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadHome(f"A witness runs on {home.folder} already. Stop that one first.") from error
        yield
