"""When a reply may leave: on a tick that the programme alone fixes, so that its moment tells nothing about rows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from policies.statistics.programme import Programme

_BASE_MAX_TICKS = 400
_CELLS_PER_EXTRA_TICK = 25


@dataclass(frozen=True, slots=True)
class Tick:
    """Replies leave `length_ms * k` after the order came in, k whole; past `last` ticks the reply is `late`."""

    length_ms: int
    last: int

    def departure_ms(self, elapsed_ms: float) -> int | None:
        """The first tick at or after `elapsed_ms`; None once the last one has passed."""
        ticks = max(1, ceil(Fraction(elapsed_ms) / self.length_ms))
        return ticks * self.length_ms if ticks <= self.last else None


def tick_of(programme: Programme, tick_ms: int) -> Tick:
    """The tick of a programme: the region's tick length, and a public maximum that grows with the number of cells.

    Refusals and cached answers use it too.
    """
    cells = sum(block.cells for block in programme.blocks)
    return Tick(tick_ms, _BASE_MAX_TICKS + cells // _CELLS_PER_EXTRA_TICK)
