"""What processes hold, from /proc: resident memory, open files and CPU, noted every few seconds."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

EVERY_S = 2.0
MOST_GROWTH = 1.15
"""The last third's highest resident memory may be so many times the middle third's. A ledger that is held in memory
grows with its entries; what is more than that is a leak."""
_TICKS_PER_S = 100
_KB = 1024


@dataclass(frozen=True, slots=True)
class Look:
    """One process at one moment: seconds since the first look, MiB resident, files open, seconds of CPU so far."""

    at_s: float
    mib: float
    files: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Growth:
    """A role's resident memory: the highest of the middle and of the last third, in MiB."""

    role: str
    middle: float
    last: float

    @property
    def bounded(self) -> bool:
        return self.last <= self.middle * MOST_GROWTH


@dataclass(slots=True)
class Curve:
    """Every look at every process, by its name; `roles` says what each is."""

    roles: Mapping[str, str]
    looks: dict[str, list[Look]] = field(default_factory=dict)

    def minutes(self, role: str, step_s: float = 60.0) -> list[tuple[float, int]]:
        """For each minute the highest MiB and the most open files of any process of a role."""
        found: dict[int, tuple[float, int]] = {}
        for look in self._of(role):
            minute = int(look.at_s // step_s)
            mib, files = found.get(minute, (0.0, 0))
            found[minute] = max(mib, look.mib), max(files, look.files)
        return [found[minute] for minute in sorted(found)]

    def growth(self, role: str) -> Growth:
        looks = self._of(role)
        end = max(look.at_s for look in looks)
        middle = max(look.mib for look in looks if end / 3 <= look.at_s < 2 * end / 3)
        return Growth(role, middle, max(look.mib for look in looks if look.at_s >= 2 * end / 3))

    def slope(self, role: str) -> float:
        """MiB a minute over the last two thirds, of the process of a role that grows most."""
        slopes = []
        for name in self._named(role):
            end = self.looks[name][-1].at_s
            late = [look for look in self.looks[name] if look.at_s >= end / 3]
            slopes.append(60 * statistics.linear_regression([x.at_s for x in late], [x.mib for x in late]).slope)
        return max(slopes)

    def cpu_s(self, role: str) -> float:
        """Seconds of CPU that all processes of a role used between the first look and the last."""
        return sum(self.looks[name][-1].cpu_s - self.looks[name][0].cpu_s for name in self._named(role))

    def _named(self, role: str) -> list[str]:
        return [name for name in self.looks if self.roles[name] == role]

    def _of(self, role: str) -> list[Look]:
        return [look for name in self._named(role) for look in self.looks[name]]


@contextmanager
def watched(processes: Mapping[str, int], roles: Mapping[str, str], every_s: float = EVERY_S) -> Iterator[Curve]:
    """Looks at these processes (pid by name) until the block is left."""
    curve, stop, began = Curve(roles), threading.Event(), time.monotonic()

    def watch() -> None:
        while True:
            for name, pid in processes.items():
                curve.looks.setdefault(name, []).append(look(pid, time.monotonic() - began))
            if stop.wait(every_s):
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield curve
    finally:
        stop.set()
        thread.join()


def look(pid: int, at_s: float) -> Look:
    """One look at a process that lives. Raises OSError where it does not."""
    home = Path(f"/proc/{pid}")
    (line,) = (one for one in (home / "status").read_text().splitlines() if one.startswith("VmRSS:"))
    ticks = (home / "stat").read_text().rsplit(")", 1)[1].split()
    files = sum(1 for _ in (home / "fd").iterdir())
    return Look(at_s, int(line.split()[1]) / _KB, files, (int(ticks[11]) + int(ticks[12])) / _TICKS_PER_S)


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in ms."""
    if len(seconds) < 2:
        return (1e3 * sum(seconds),) * 2
    cut = statistics.quantiles(seconds, n=100, method="inclusive")
    return 1e3 * cut[49], 1e3 * cut[98]
