"""What each statistic costs the others of its programme: the price that dropping it saves, or the margins it buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt

from coordinator.estimates.margins import Margin, expected_margins
from coordinator.planning.problem import with_variance
from policies.statistics.compile import Compilation
from policies.statistics.plan import MODES
from policies.statistics.programme import PlannedBlock, Programme
from policies.statistics.verify import charge_of
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.money import NanoRho

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Bought:
    """The margins of another statistic if the price is kept: of the country (by the programme's weights), and of the
    median region."""

    national: float
    regional: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """A programme without one statistic. `saves`: the price, at the others' margins; `others`: at the same price."""

    statistic: str
    saves: NanoRho
    others: Mapping[str, Bought]


def dropping(
    programme: Programme,
    compilation: Compilation,
    codebook: Codebook,
    calendar: Calendar,
    margins: Sequence[Margin],
) -> tuple[Dropped, ...]:
    """One for each statistic, the dearest first; none where there is only one. `margins` are those of the programme.

    With the same price the others' blocks keep their parts of it relative to each other, so all their noise variances
    shrink alike.

    Privacy: nothing is charged by these numbers; prices are exact zCDP, D^2/(2 sigma^2) of the blocks left, rounded up
    in each mode as the charge is.
    """
    if len(compilation.statistics) < 2:
        return ()
    halved = programme.model_copy(update={"blocks": tuple(_halved(block) for block in programme.blocks)})
    less = expected_margins(halved, compilation, codebook, calendar)
    found = []
    for one in compilation.statistics:
        left = [block for block in programme.blocks if _used(block.id, compilation, one.statistic.id)]
        price = sum((charge_of(block for block in left if block.mode == mode) for mode in MODES), NanoRho(0))
        part = float(sum(block.rho for block in left) / sum(block.rho for block in programme.blocks))
        others = {
            now.statistic: Bought(_at(part, now.weighted, then.weighted), _at(part, now.regional, then.regional))
            for now, then in zip(margins, less, strict=True)
            if now.statistic != one.statistic.id
        }
        found.append(Dropped(one.statistic.id, programme.charge.amount.left_after(price), others))
    return tuple(sorted(found, key=lambda dropped: (-dropped.saves.nano, dropped.statistic)))


def _used(block: str, compilation: Compilation, dropped: str) -> bool:
    return any(user.id != dropped for user in compilation.users(block))


def _halved(block: PlannedBlock) -> PlannedBlock:
    return with_variance(block, _HALF * float(block.scale.fraction / block.multiplier) ** 2)


def _at(part: float, now: float, halved: float) -> float:
    """The margin with this part of the noise variance: its square is sampling plus noise, and noise was halved.

    Of a kind whose square is not straight in the noise that is near enough, or NaN where it is not."""
    square = now**2 - (1 - part) * (now**2 - halved**2) / (1 - _HALF)
    return sqrt(square) if square >= 0 else nan
