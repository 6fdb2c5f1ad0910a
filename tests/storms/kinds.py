"""What can be done to a federation of containers: to whom, when in a run, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from coordinator.desk.views import Progress
from coordinator.gather import Asked, State
from coordinator.secure.national import Where

DESK = "coordinator"
DATABASE = "database"
WITNESSES = ("witness-1", "witness-2")


class Role(StrEnum):
    """Whom a kind of fault is done to. `LINED` and `TIGHT` nodes have lines, or disks, of which we hold the tap."""

    NODE = "node"
    LINED = "node behind a slow line"
    TIGHT = "node on a small disk"
    WITNESS = "witness"
    WITNESSES = "both witnesses"
    DESK = "coordinator"
    DATABASE = "database"


class Kind(StrEnum):
    """What is done. The value is its row in the table."""

    NODE_KILLED = "node killed, started again"
    NODE_CRASHED = "node's process killed, the engine restarts it"
    NODE_PAUSED = "node paused"
    NODE_CUT_OFF = "node's network disconnected"
    NODE_SLOW = "slow line between a node and the others"
    NODE_BROKEN = "every connection of a node broken, again and again"
    NODE_FULL = "node's disk full"
    NODE_CLOCK_ON = "node's clock jumps forward"
    NODE_CLOCK_BACK = "node's clock jumps back"
    WITNESS_DOWN = "one witness stopped"
    WITNESS_PAUSED = "one witness paused"
    WITNESS_CLOCK = "a witness's clock jumps"
    WITNESSES_DOWN = "both witnesses killed"
    DESK_KILLED = "coordinator killed, started again"
    DESK_CRASHED = "coordinator's process killed, the engine restarts it"
    DESK_PAUSED = "coordinator paused"
    DESK_CLOCK = "coordinator's clock jumps"
    DATABASE_KILLED = "PostgreSQL killed, started again"
    DATABASE_RESTARTED = "PostgreSQL restarted in order"
    DATABASE_CUT_OFF = "PostgreSQL's network disconnected"

    @property
    def role(self) -> Role:
        """Whom it is done to."""
        return _ROLES.get(self, _BY_FIRST_WORD[self.name.partition("_")[0]])


_ROLES = {
    Kind.NODE_SLOW: Role.LINED,
    Kind.NODE_BROKEN: Role.LINED,
    Kind.NODE_FULL: Role.TIGHT,
}
_BY_FIRST_WORD = {
    "NODE": Role.NODE,
    "WITNESS": Role.WITNESS,
    "WITNESSES": Role.WITNESSES,
    "DESK": Role.DESK,
    "DATABASE": Role.DATABASE,
}


class Mode(StrEnum):
    """How a programme is answered."""

    REGIONAL = "regional"
    NATIONAL = "national"
    BOTH = "both"


class Moment(StrEnum):
    """When in a run: as soon as whoever watches it is told so, or of anything later."""

    ASKED = "asked"
    ANSWERS = "first answer"
    KEYS = "keys"
    SHARING = "sharing"
    VECTORS = "vectors"
    SEEN = "seen"
    SHARES = "shares"
    SUMMED = "summed"
    ENDED = "ended"


REGIONAL_MOMENTS = (Moment.ASKED, Moment.ANSWERS, Moment.ENDED)
NATIONAL_MOMENTS = (
    Moment.ASKED, Moment.KEYS, Moment.SHARING, Moment.VECTORS, Moment.SEEN, Moment.SHARES, Moment.SUMMED, Moment.ENDED
)  # fmt: skip
_ORDER = tuple(Where)


def reached(moment: Moment, progress: Progress) -> bool:
    """Whether a run has come as far."""
    match moment:
        case Moment.ASKED:
            return True
        case Moment.ENDED:
            return progress.state is not State.ASKING
        case Moment.ANSWERS:
            return progress.state is not State.ASKING or progress.count(Asked.ANSWERED) > 0
        case _:
            national = progress.national
            return national is not None and _ORDER.index(national.where) >= _ORDER.index(Where(moment.value))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is done to these services, from a moment on, for `lasts_s`; None: until the run has ended.

    `by` is how much, where a kind needs that: seconds of a clock, or milliseconds on a line.
    """

    number: int
    kind: Kind
    targets: tuple[str, ...]
    moment: Moment
    lasts_s: float | None
    by: int = 0

    def __str__(self) -> str:
        much = f" by {self.by}" if self.by else ""
        lasts = "until the end" if self.lasts_s is None else f"{self.lasts_s:.1f} s"
        return f"#{self.number} {self.kind.value}{much}: {', '.join(self.targets)} at {self.moment.value!r}, {lasts}"


@dataclass(frozen=True, slots=True)
class Asking:
    """A programme: how it is answered, how long it may take (`patience_s`, its deadline), what is done meanwhile."""

    name: str
    mode: Mode
    patience_s: int
    faults: tuple[Fault, ...]

    @property
    def hit(self) -> frozenset[str]:
        """The regions whose own node was hit."""
        nodes = (service for fault in self.faults for service in fault.targets)
        return frozenset(node.removeprefix("node-").upper() for node in nodes if node.startswith("node-"))
