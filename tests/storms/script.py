"""Which faults, in which order, against whom: it follows from a seed and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compose.chaos.chance import Chance
from tests.storms.kinds import (
    DATABASE,
    DESK,
    NATIONAL_MOMENTS,
    REGIONAL_MOMENTS,
    WITNESSES,
    Asking,
    Fault,
    Kind,
    Mode,
    Moment,
    Role,
)

SHARES: Mapping[Kind, int] = {
    Kind.NODE_KILLED: 26,
    Kind.NODE_CRASHED: 24,
    Kind.NODE_PAUSED: 18,
    Kind.NODE_CUT_OFF: 18,
    Kind.NODE_SLOW: 14,
    Kind.NODE_BROKEN: 14,
    Kind.NODE_FULL: 14,
    Kind.NODE_CLOCK_ON: 8,
    Kind.NODE_CLOCK_BACK: 8,
    Kind.WITNESS_DOWN: 10,
    Kind.WITNESS_PAUSED: 4,
    Kind.WITNESS_CLOCK: 4,
    Kind.WITNESSES_DOWN: 8,
    Kind.DESK_KILLED: 16,
    Kind.DESK_CRASHED: 8,
    Kind.DESK_PAUSED: 4,
    Kind.DESK_CLOCK: 4,
    Kind.DATABASE_KILLED: 8,
    Kind.DATABASE_RESTARTED: 6,
    Kind.DATABASE_CUT_OFF: 4,
}
"""How often each kind is done, in proportion; in a run of fewer faults than kinds the first ones."""
NODE_CLOCK_S = 200
SERVER_CLOCK_S = 80
"""So far do clocks jump: two of them together by less than the five minutes that an auditor grants to honest clocks."""
SLOW_MS = (600, 1500, 2500)
MOST_AT_ONCE = 4
PATIENCE_S = 75
IMPATIENCE_S = 25
"""The deadline of a programme, after its order: the short one where somebody stays away until the run has ended."""
_LASTS_S = {
    Kind.NODE_FULL: (3.0, 3.0),
    Kind.WITNESSES_DOWN: (3.0, 4.0),
    Kind.NODE_PAUSED: (1.0, 5.0),
    Kind.NODE_SLOW: (4.0, 4.0),
    Kind.NODE_BROKEN: (2.0, 3.0),
}
_AWAY = frozenset({Kind.NODE_KILLED, Kind.NODE_PAUSED, Kind.NODE_CUT_OFF})
"""After these a node may stay away for as long as a run lasts."""
_AWAY_SHARE = 0.12
_SERVERS = (Role.DESK, Role.DATABASE)


@dataclass(frozen=True, slots=True)
class Cast:
    """The nodes' services: all of them, those behind lines of ours, and those on small disks."""

    nodes: tuple[str, ...]
    lined: tuple[str, ...]
    tight: tuple[str, ...]

    def who(self, role: Role) -> tuple[tuple[str, ...], ...]:
        """Whom a fault in this role can be done to: each choice one or more services."""
        match role:
            case Role.NODE:
                return tuple((node,) for node in self.nodes)
            case Role.LINED:
                return tuple((node,) for node in self.lined)
            case Role.TIGHT:
                return tuple((node,) for node in self.tight)
            case Role.WITNESS:
                return tuple((witness,) for witness in WITNESSES)
            case Role.WITNESSES:
                return (WITNESSES,)
            case Role.DESK:
                return ((DESK,),)
            case Role.DATABASE:
                return ((DATABASE,),)


def counts(faults: int) -> dict[Kind, int]:
    """How often each kind comes in a run of so many faults: in proportion, and each at least once if there is room."""
    whole = sum(SHARES.values())
    found = {kind: max(1, faults * share // whole) for kind, share in SHARES.items()}
    kinds = list(SHARES)
    place = 0
    while (total := sum(found.values())) != faults:
        kind = kinds[place % len(kinds)] if total < faults else kinds[-1 - place % len(kinds)]
        place += 1
        if total < faults:
            found[kind] += 1
        elif found[kind] > (1 if faults >= len(kinds) else 0):
            found[kind] -= 1
    return found


def script(seed: int, faults: int, cast: Cast) -> tuple[Asking, ...]:
    """So many faults, a few to a programme, in an order that looks like none; no two at once to the same service."""
    chance = Chance(seed, "storms")
    left = shuffled([kind for kind, count in counts(faults).items() for _ in range(count)], chance)
    askings: list[Asking] = []
    turns: dict[Kind, int] = {}
    number = 0
    while left:
        together = _together(left, 1 + chance.below(MOST_AT_ONCE))
        mode = _mode(together, len(askings), chance)
        busy: set[str] = set()
        done: list[Fault] = []
        for kind in together:
            free = [who for who in cast.who(kind.role) if not busy & set(who)]
            if not free:
                left.append(kind)
                continue
            number += 1
            turns[kind] = turns.get(kind, -1) + 1
            done.append(_fault(number, kind, chance.of(free), mode, turns[kind], chance))
            busy |= set(done[-1].targets)
        patience_s = IMPATIENCE_S if any(fault.lasts_s is None for fault in done) else PATIENCE_S
        askings.append(Asking(f"storm_{seed}_{len(askings) + 1}", mode, patience_s, tuple(done)))
    return tuple(askings)


def shuffled(kinds: Sequence[Kind], chance: Chance) -> list[Kind]:
    """The same kinds in another order."""
    left = list(kinds)
    return [left.pop(chance.below(len(left))) for _ in kinds]


def _together(left: list[Kind], most: int) -> list[Kind]:
    """Takes the next few off the list: at most one of the desk or its store, whose loss hides everybody else's."""
    taken = [left.pop(0)]
    while left and len(taken) < most:
        servers = sum(kind.role in _SERVERS for kind in taken)
        place = next((i for i, kind in enumerate(left) if not (servers and kind.role in _SERVERS)), None)
        if place is None:
            break
        taken.append(left.pop(place))
    return taken


def _mode(kinds: Sequence[Kind], place: int, chance: Chance) -> Mode:
    """National rounds are where most can go wrong; the desk is always killed in one of them."""
    if any(kind in (Kind.DESK_KILLED, Kind.DESK_CRASHED) for kind in kinds):
        return Mode.BOTH if place % 2 else Mode.NATIONAL
    return chance.of((Mode.REGIONAL, Mode.NATIONAL, Mode.BOTH))


def _fault(number: int, kind: Kind, who: tuple[str, ...], mode: Mode, turn: int, chance: Chance) -> Fault:
    moments = REGIONAL_MOMENTS if mode is Mode.REGIONAL else NATIONAL_MOMENTS
    # The desk dies in each phase in turn; the others at any.
    moment = moments[turn % len(moments)] if kind.role in _SERVERS else chance.of(moments[:-1])
    least, most = _LASTS_S.get(kind, (0.5, 3.0))
    lasts_s: float | None = round(least + (most - least) * chance.fraction(), 1)
    if kind in _AWAY and chance.happens(_AWAY_SHARE) and moment is not Moment.ENDED:
        lasts_s = None
    return Fault(number, kind, who, moment, lasts_s, _by(kind, turn, chance))


def _by(kind: Kind, turn: int, chance: Chance) -> int:
    sign = -1 if turn % 2 else 1
    match kind:
        case Kind.NODE_CLOCK_ON:
            return NODE_CLOCK_S
        case Kind.NODE_CLOCK_BACK:
            return -NODE_CLOCK_S
        case Kind.WITNESS_CLOCK | Kind.DESK_CLOCK:
            return sign * SERVER_CLOCK_S
        case Kind.NODE_SLOW:
            return chance.of(SLOW_MS)
        case _:
            return 0
