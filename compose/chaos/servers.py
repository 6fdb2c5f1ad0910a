"""The coordinator and the witnesses as processes: started, waited for, and killed one at a time while nodes work."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from compose.chaos.chance import Chance
from compose.chaos.mill import Tally
from compose.demo.federation import Federation, NotStarted

COORDINATOR = "coordinator"
_UP_S = 60.0


@contextmanager
def serving(made: Federation, *names: str) -> Iterator[None]:
    """These listen while the block runs: the coordinator, or witnesses. Raises NotStarted."""
    try:
        for name in names:
            start(made, name)
        for name in names:
            wait_for(made, name)
        yield
    finally:
        made.stop()


def start(made: Federation, name: str) -> None:
    """Starts the coordinator, a witness, or the node of a region."""
    if name == COORDINATOR:
        made.start_one(name, COORDINATOR, made.coordinator)
    elif name in made.witnesses:
        made.start_one(name, "audit", made.witness(name), "witness")
    else:
        made.start_node(name)


def wait_for(made: Federation, name: str) -> None:
    """Waits until the coordinator or a witness listens. Raises NotStarted where it ended, or does not in time."""
    port = made.port if name == COORDINATOR else made.witness_ports[name]
    last = time.monotonic() + _UP_S
    while not _listening(port):
        made.check_alive()
        if time.monotonic() > last:
            raise NotStarted(f"{name} does not listen; its log is serve.out in its home")
        time.sleep(0.05)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(slots=True)
class Deaths:
    """Of those that run, one dies and comes back before the next one dies; now and then all of them at once."""

    made: Federation
    chance: Chance
    tallies: dict[str, Tally] = field(default_factory=dict)

    def some(self) -> None:
        """Deaths and a coming back, within a few seconds."""
        began = time.monotonic()
        time.sleep(2 * self.chance.fraction())
        running = sorted(self.made.processes)
        names = running if self.chance.happens(0.25) else [self.chance.of(running)]
        for name in names:
            self.made.kill(name)
        for name in names:
            start(self.made, name)
        for name in names:
            wait_for(self.made, name)
            kind = f"kill -9 of {'the coordinator' if name == COORDINATOR else 'a witness'}, beside them"
            tally = self.tallies.setdefault(kind, Tally(kind))
            tally.count += 1
            tally.outcomes["came back"] += 1
        for tally in self.tallies.values():
            tally.seconds += time.monotonic() - began
