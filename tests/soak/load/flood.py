"""A researcher who floods the desk: submits, prices, watches and fetches as fast as it can, and minds no refusal.

A process of its own (`python -m tests.soak.load.flood`), which counts what the desk said until it is told to end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from rondgang.v1 import desk_pb2

from coordinator.home import ResearcherConfig
from coordinator.transport import channel
from tests.soak.load.world import Asker

CONNECTIONS = 4
_AT_ONCE = 60
"""Calls in flight on each connection: together more than the desk lets one caller have open."""
_SERVICE = "/rondgang.v1.DeskService"
_WITHIN_S = 20.0


Asking = Any
"""A call under way; no stub says that gRPC's has a status code."""


@dataclass(slots=True)
class Flood:
    """What the desk said to the flood: gRPC status codes, and of those the programmes that it took."""

    said: Counter[str] = field(default_factory=Counter)
    taken: int = 0


def flood(asker: Asker, stem: str, stop: threading.Event) -> Flood:
    """Floods until it is told to stop."""
    found, lock = Flood(), threading.Lock()

    def heard(call: Asking, name: str) -> None:
        code = str(call.code().name)
        with lock:
            found.said[code] += 1
            found.taken += name == "Submit" and code == "OK"

    def connection(place: int) -> None:
        config, programmes = asker.profile.config(ResearcherConfig), asker.programmes(f"{stem}_{place}")
        with channel(config.coordinator, asker.profile.tls()) as line:
            calls: list[tuple[Asking, str]] = []
            while not stop.is_set():
                while len(calls) < _AT_ONCE:
                    signed = next(programmes)[0].to_bytes()
                    name = ("Submit", "Submit", "Price")[len(calls) % 3]
                    made = desk_pb2.PriceRequest if name == "Price" else desk_pb2.SubmitRequest
                    request = made(signed_programme=signed).SerializeToString()
                    ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(f"{_SERVICE}/{name}")
                    calls.append((ask.future(request, timeout=_WITHIN_S), name))
                time.sleep(0.01)
                for call, name in [one for one in calls if one[0].done()]:
                    heard(call, name)
                calls = [one for one in calls if not one[0].done()]
            for call, _ in calls:
                call.cancel()

    threads = [threading.Thread(target=connection, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@contextmanager
def flooding(home: Path, regions: tuple[str, ...], stem: str) -> Iterator[Flood]:
    """The flood as a process, for as long as the block runs; what it heard is there afterwards."""
    found = Flood()
    command = [sys.executable, "-m", "tests.soak.load.flood", str(home), stem, *regions]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        # Popen was told to make pipes.
        assert process.stdout is not None
        process.stdout.readline()
        yield found
        told, _ = process.communicate("stop\n", timeout=60)
        said = json.loads(told)
        found.said, found.taken = Counter(said["said"]), said["taken"]
    finally:
        process.kill()
        process.wait()


def main(home: str, stem: str, regions: tuple[str, ...]) -> None:
    """Floods until a line comes in."""
    stop, asker = threading.Event(), Asker.of(Path(home), regions)

    def wait() -> None:
        sys.stdin.readline()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    print("flooding", flush=True)
    found = flood(asker, stem, stop)
    print(json.dumps({"said": found.said, "taken": found.taken}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], tuple(sys.argv[3:]))
