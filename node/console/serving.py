"""Serving the screen on the loopback until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from node.console.app import console
from node.home import Home

LOOPBACK = "127.0.0.1"
_MOST_AT_ONCE = 32
_IDLE_S = 5


class PortInUse(Exception):
    """Another process listens there."""


def serve(home: Home, port: int, started: Callable[[str], None]) -> None:
    """Serves the screen of a home; calls `started` with its address. Returns when it was stopped.

    Nothing is written down about requests: the ledger and the node's own journal say what was decided. Raises BadHome
    and PortInUse.
    """
    with socket.socket(socket.AF_INET) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
        except OSError as error:
            raise PortInUse from error
        number = listening.getsockname()[1]
        settings = uvicorn.Config(
            console(home, number),
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_keep_alive=_IDLE_S,
            h11_max_incomplete_event_size=16_384,
            ws="none",
            proxy_headers=False,
        )
        started(f"http://{LOOPBACK}:{number}/")
        asyncio.run(uvicorn.Server(settings).serve([listening]))
