"""What one household may have paid over its lifetime, added up from a region's log by the auditor's own hand.

A reset states what was spent before it, and nobody knows any more by whom. What came after is known by cohort. Where a
policy says that a household is in at most m cohorts, it paid for m of them: the dearest, to be safe. What regions
before this one had spent is known by cohort too, unless it came to light when data were imported already: import did
not know of it then, so all that was spent until that moment counts for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from audit.model import LoggedEntry


@dataclass(slots=True)
class TakenOver:
    """What a log began with, in nano-rho: `reset` by cohort and `reset_lifetime`; and, of regions that this one was
    formed of, the largest that any calendar in force stated. `entry` is the last such entry; it names `calendar`.

    `base` and `base_lifetime` are the totals at the last moment before which nobody knows who was in which cohort.
    """

    reset: dict[str, int] = field(default_factory=dict)
    reset_lifetime: int = 0
    base: dict[str, int] = field(default_factory=dict)
    base_lifetime: int = 0
    inherited: dict[str, int] = field(default_factory=dict)
    inherited_lifetime: int = 0
    entry: LoggedEntry | None = None
    calendar: str = ""

    @classmethod
    def began(cls, cohorts: Mapping[str, int], lifetime: int) -> TakenOver:
        """A log that begins with a reset."""
        return cls(dict(cohorts), lifetime, dict(cohorts), lifetime)

    def more(self, cohorts: Mapping[str, int], lifetime: int) -> tuple[dict[str, int], int]:
        """What of these amounts was not counted before."""
        added = {
            name: max(0, nano - max(self.reset.get(name, 0), self.inherited.get(name, 0)))
            for name, nano in cohorts.items()
        }
        return added, max(0, lifetime - max(self.reset_lifetime, self.inherited_lifetime))

    def take(self, entry: LoggedEntry, cohorts: Mapping[str, int], lifetime: int) -> None:
        """Counts an entry that takes over."""
        for name, nano in cohorts.items():
            self.inherited[name] = max(nano, self.inherited.get(name, 0))
        self.inherited_lifetime = max(lifetime, self.inherited_lifetime)
        self.entry, self.calendar = entry, entry.text("calendar")

    def holds(self, cohorts: Mapping[str, int], lifetime: int) -> bool:
        """Whether all of these amounts was taken over."""
        short = (name for name, nano in cohorts.items() if nano > self.inherited.get(name, 0))
        return lifetime <= self.inherited_lifetime and next(short, None) is None


def counted(cohorts: Mapping[str, int], plain: int, most: int | None, taken: TakenOver) -> int:
    """What counts against the lifetime cap, in nano-rho. `cohorts` are totals, `plain` is the sum of all charges.

    Privacy: bounds what any household that did not move paid, if it was in at most `most` cohorts since the base: all
    of the base, and of what was charged since the `most` largest amounts. The plain sum bounds it too, so the
    smaller of the two does; but what a merger stated is never undercut. Adjacency: one household with all its cohorts.
    Exact. Source: sequential composition, the worst over all sets of `most` cohorts.
    """
    if most is None:
        return plain
    since = sorted((nano - taken.base.get(name, 0) for name, nano in cohorts.items()), reverse=True)
    return max(taken.inherited_lifetime, min(plain, taken.base_lifetime + sum(since[:most])))


def amounts(entry: LoggedEntry) -> dict[str, int]:
    """The totals of an entry that states them by cohort, in nano-rho."""
    return dict(_amounts(entry))


def _amounts(entry: LoggedEntry) -> Iterator[tuple[str, int]]:
    stated = entry.body.get("cohorts")
    for name, nano in stated.items() if isinstance(stated, dict) else ():
        if isinstance(nano, str) and nano.isascii() and nano.isdigit():
            yield name, int(nano)
