"""Whose orders are on their way: a region has a few before it at once, and whose turn is next is decided here.

A node works through its orders in the order in which they came. So it is sent a few, and the next order is always that
of the researcher who has the fewest there: what one asks waits for those few, however many programmes all the others
have open. Values only; lives on one event loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

AT_A_REGION = 8
"""Orders that a region has not replied to yet: enough for one commit and one round of witnesses to serve many."""
_FORGOTTEN_S = 300
"""An order that a node has been silent about for so long keeps no other from going out."""


@dataclass(frozen=True, slots=True)
class _Out:
    who: str
    since: int


@dataclass(slots=True)
class _Region:
    """`out` are the runs whose order was sent; `held` those that wait, by researcher, the oldest first."""

    out: dict[str, _Out] = field(default_factory=dict)
    held: dict[str, dict[str, None]] = field(default_factory=dict)


@dataclass(slots=True)
class Turns:
    """Instants are in unix seconds."""

    most: int = AT_A_REGION
    regions: dict[str, _Region] = field(default_factory=dict)

    def take(self, region: str, who: str, run: str, now: int) -> bool:
        """Whether the order of this run may go to this region now; where not, it is held until its turn."""
        here = self.regions.setdefault(region, _Region())
        if len(here.out) >= self.most and run not in here.out:
            here.held.setdefault(who, {})[run] = None
            return False
        _let_go(here, who, run)
        here.out[run] = _Out(who, now)
        return True

    def ended(self, run: str, regions: Collection[str]) -> tuple[str, ...]:
        """The order of a run is no longer out at these regions; gives those where it was."""
        known = [region for region in regions if region in self.regions]
        return tuple(region for region in known if self.regions[region].out.pop(run, None) is not None)

    def following(self, region: str) -> str | None:
        """Lets go of the held run whose turn it is; None where there is no room, or none is held."""
        here = self.regions.get(region)
        if here is None or not here.held or len(here.out) >= self.most:
            return None
        having = Counter(one.who for one in here.out.values())
        who = min(here.held, key=lambda one: having[one])
        run = next(iter(here.held[who]))
        _let_go(here, who, run)
        return run

    def sweep(self, now: int) -> tuple[str, ...]:
        """Counts no longer what a node says nothing of; gives the regions where that leaves room."""
        left = []
        for region, here in self.regions.items():
            silent = [run for run, one in here.out.items() if now - one.since > _FORGOTTEN_S]
            for run in silent:
                del here.out[run]
            if silent:
                left.append(region)
        return tuple(left)


def _let_go(here: _Region, who: str, run: str) -> None:
    mine = here.held.get(who)
    if mine is not None:
        mine.pop(run, None)
        if not mine:
            del here.held[who]
