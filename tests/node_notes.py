"""A journal in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from node.journal import EventName


@dataclass
class Notes:
    """What was noted: the event, and its reason or the place of a fault."""

    events: list[tuple[EventName, str | None]] = field(default_factory=list)

    def __call__(
        self,
        event: EventName,
        *,
        run: str | None = None,
        programme: str | None = None,
        attempt: int | None = None,
        reason: str | None = None,
        charge: int | None = None,
        place: str | None = None,
    ) -> None:
        self.events.append((event, reason or place))
