"""Places for attempts at national sums: a node keeps few in memory, so the desk has no more under way.

Whose turn it is: the researcher with the fewest under way, and of those who asked first. So nobody's attempts keep
those of another waiting for longer than one attempt takes. Values only; lives on one event loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.secure.rounds import MOST_AT_ONCE


@dataclass(slots=True)
class Places:
    """`held` and `waiting` give the researcher of each run, `waiting` in the order in which they came."""

    most: int = MOST_AT_ONCE
    held: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)

    def take(self, run: str, who: str) -> bool:
        """Whether a run has a place, or gets one now; where not, it is in line."""
        if run in self.held:
            return True
        self.waiting.setdefault(run, who)
        if self.following() != run:
            return False
        self.held[run] = self.waiting.pop(run)
        return True

    def leave(self, run: str) -> bool:
        """The run wants no place any more; whether it had one, or was in line."""
        return self.held.pop(run, None) is not None or self.waiting.pop(run, None) is not None

    def following(self) -> str | None:
        """The run whose turn it is; None where there is no place, or nobody waits."""
        if len(self.held) >= self.most or not self.waiting:
            return None
        having = list(self.held.values())
        return min(self.waiting, key=lambda run: having.count(self.waiting[run]))
