"""A line that can be slow or broken: a TCP proxy that passes bytes on, late or not at all. Understands none of them.

Runs in a container of its own: `python3 line.py LINES.json`, with no more than Python's own library. The file says, by
port, where a line leads and how it is now; it is read again when it changes:

    {"7001": {"to": "coordinator:8443", "delay_ms": 0, "broken": false}}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from functools import partial
from pathlib import Path
from typing import TypedDict

LOOK_S = 0.05
_CHUNK = 65536
_DIAL_S = 10.0


class Line(TypedDict):
    """Where it leads (host:port), how late each byte is in either direction, and whether every connection breaks."""

    to: str
    delay_ms: int
    broken: bool


class Lines:
    """All lines of one file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._text = ""
        self._now: dict[str, Line] = {}
        self._open: dict[str, set[asyncio.StreamWriter]] = {}

    def read(self) -> None:
        """Takes in what the file says now; breaks what is open on a line that broke."""
        text = self._file.read_text(encoding="utf-8")
        if text == self._text:
            return
        self._now, self._text = json.loads(text), text
        for port, line in self._now.items():
            if line["broken"]:
                for writer in self._open.get(port, set()):
                    writer.transport.abort()

    async def serve(self) -> None:
        """Listens on every port of the file until cancelled."""
        self.read()
        async with contextlib.AsyncExitStack() as listening:
            for port in self._now:
                server = await asyncio.start_server(partial(self._joined, port), "0.0.0.0", int(port))
                await listening.enter_async_context(server)
            while True:
                await asyncio.sleep(LOOK_S)
                # A file that is being replaced is read the next time.
                with contextlib.suppress(OSError, ValueError):
                    self.read()

    async def _joined(self, port: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, number = self._now[port]["to"].rpartition(":")
        if self._now[port]["broken"]:
            writer.transport.abort()
            return
        try:
            far, onward = await asyncio.wait_for(asyncio.open_connection(host, int(number)), _DIAL_S)
        except (OSError, TimeoutError):
            writer.transport.abort()
            return
        both = {writer, onward}
        held = self._open.setdefault(port, set())
        held |= both
        try:
            await asyncio.gather(self._pass_on(port, reader, onward), self._pass_on(port, far, writer))
        finally:
            held -= both
            for one in both:
                one.transport.abort()

    async def _pass_on(self, port: str, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Bytes one way, each as late as the line is when it comes, in their order; until either side has gone."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

        async def deliver() -> None:
            while (item := await queue.get())[1]:
                await asyncio.sleep(max(0.0, item[0] - loop.time()))
                target.write(item[1])
                await target.drain()

        delivering = asyncio.create_task(deliver())
        try:
            with contextlib.suppress(OSError):
                while data := await source.read(_CHUNK):
                    await queue.put((loop.time() + self._now[port]["delay_ms"] / 1000, data))
            await queue.put((0.0, b""))
            with contextlib.suppress(OSError):
                await delivering
        finally:
            delivering.cancel()
            target.transport.abort()


if __name__ == "__main__":
    asyncio.run(Lines(Path(sys.argv[1])).serve())
