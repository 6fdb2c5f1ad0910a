"""A screen that is served for real, over a home with a question that waits: what browser tests of it share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from rondgang.signed import Signed

from node.authenticate import Ordered, read_order
from node.console.app import console
from node.console.pin import Pin
from node.home import Home
from policies.rules.refusals import Refused
from tests.node_world import FOREVER, RUN, World, always_programme, import_rows, make_home, signed_order

PIN = "vijf koeien"


@dataclass(frozen=True, slots=True)
class Screen:
    """Where it listens, its home, and the questions that wait in it (by hash)."""

    url: str
    home: Home
    waiting: tuple[str, ...]


def order_of(signed: Signed, run: str) -> Ordered:
    read = read_order(run, signed_order(signed, run=run, deadline=FOREVER).to_bytes(), signed.to_bytes())
    assert not isinstance(read, Refused)
    return read


@contextmanager
def served(folder: Path, questions: int = 1) -> Iterator[Screen]:
    """A home in English with this many questions that wait for its steward, and its screen on a free port."""
    home = make_home(folder, always=True, approval="steward")
    import_rows(home)
    world = World(home, clock=lambda: int(time.time()))  # type: ignore[arg-type]
    asked = [always_programme(f"outcome_{number}") for number in range(questions)]
    for number, signed in enumerate(asked):
        assert isinstance(world.asked(order_of(signed, f"{RUN[:-2]}{number:02}")), Refused)
    world.region.close()
    Pin(home).set(PIN)
    with listening(home) as url:
        yield Screen(url, home, tuple(signed.digest for signed in asked))


@contextmanager
def listening(home: Home) -> Iterator[str]:
    """The screen of a home on a free port, in a thread of this process."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(console(home, port), log_level="error", ws="none"))
        thread = threading.Thread(target=lambda: server.run([line]), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)
