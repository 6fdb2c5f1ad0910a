"""The time that the data stage takes, for whoever watches what comes after it: a whole number of ticks."""

from __future__ import annotations

import time
from typing import Protocol

_LONGEST_MS = 1_000
"""The unit where ticks are longer than this: the writer stands still meanwhile, for the steward's verbs too."""


class Pace(Protocol):
    """A clock that only goes on (seconds), and a way to wait."""

    def now_s(self) -> float: ...

    def rest(self, seconds: float) -> None: ...


class RealPace:
    """The machine's own."""

    def now_s(self) -> float:
        return time.monotonic()

    def rest(self, seconds: float) -> None:
        time.sleep(seconds)


def rest_of_tick(pace: Pace, tick_ms: int, started_s: float) -> None:
    """Waits until what began at `started_s` has taken a whole number of ticks, one at least.

    Privacy: everybody who could tell when rows had been read (the witnesses that are asked next, the desk by what the
    one writer does next) learns how many ticks that took, as the reply's own tick tells, and nothing finer. A unit of
    at most a second.
    """
    unit_s = min(tick_ms, _LONGEST_MS) / 1000
    taken_s = pace.now_s() - started_s
    ticks = max(1, -int(-taken_s // unit_s))
    pace.rest(max(0.0, ticks * unit_s - taken_s))
