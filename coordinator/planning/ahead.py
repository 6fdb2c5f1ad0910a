"""What a programme leaves for the waves of its cohort that are still to come.

The rule is public, and about amounts alone: after this programme a region should have as much left, for each later wave
of the cohort, as this programme costs with every attempt. It is a warning, not a refusal: a later wave may need less.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coordinator.desk.views import RegionPrice
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.cycles import WAVES
from policies.units.money import NanoRho


@dataclass(frozen=True, slots=True)
class Starved:
    """A region that would have too little left."""

    region: str
    left: NanoRho


@dataclass(frozen=True, slots=True)
class Ahead:
    """The later `waves` of the cohort, what they `need` together by the rule, and the regions that would have less."""

    waves: tuple[str, ...]
    need: NanoRho
    starved: tuple[Starved, ...]


NOTHING = Ahead((), NanoRho(0), ())
"""No wave is still to come."""


def ahead(programme: Programme, calendar: Calendar, regions: Iterable[RegionPrice]) -> Ahead:
    """What is still to come after the last wave that the programme asks, and who could not pay as much again for it.

    Of a region that is away nothing is known. What is left is the smaller of cohort and lifetime, less the charge; a
    region that has answered already is charged nothing more.
    """
    asked = max(wave for one in programme.statistics for wave in one.waves)
    windows = calendar.cohorts[programme.programme.cohort].windows
    waves = tuple(wave for wave in WAVES if wave in windows and wave > asked)
    need = NanoRho(len(waves) * programme.most_charge.nano)
    starved = []
    for one in regions:
        if one.charge is None or one.left_cohort is None or one.left_lifetime is None:
            continue
        charge = programme.most_charge if one.charge.nano else NanoRho(0)
        left = min(one.left_cohort, one.left_lifetime).left_after(charge)
        if left < need:
            starved.append(Starved(one.region, left))
    return Ahead(waves, need, tuple(starved))
