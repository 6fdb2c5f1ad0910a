"""Cycles of the study: two years each, one after another, taking turns between the two groups. Pure.

A cycle recruits, measures T0 and, twelve months later, T1 (a third wave at will); figures are released after T0.
What is wrong with a written cycle is said with the path of its key, so that the loader can name the line.
"""

from __future__ import annotations

import calendar as _calendar
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

from policies.study.regions import Group, Regions

Wave = Literal["T0", "T1", "T2"]
Phase = Literal["recruit", "T0", "T1", "T2", "release"]
WAVES: tuple[Wave, ...] = ("T0", "T1", "T2")
PHASES: tuple[Phase, ...] = ("recruit", *WAVES, "release")
Turn = Literal["planned", "recruit", "T0", "T1", "T2", "release", "waiting", "closed"]
"""Where a cohort stands: `waiting` lies between two phases, `closed` after the release window."""

Problem = tuple[tuple[str, ...], str]
"""A key's path below the document, and what was expected there."""

CYCLE_MONTHS, WAVES_APART_MONTHS = 24, 12


class Known(Protocol):
    """What is read of a cohort here; see policies/study/calendar.py. Windows are first and last unix seconds."""

    @property
    def group(self) -> Group: ...
    @property
    def windows(self) -> Mapping[Phase, tuple[int, int]]: ...
    @property
    def historical(self) -> bool: ...
    @property
    def cycle(self) -> tuple[int, int] | None: ...
    @property
    def begin(self) -> int: ...


def turn(cohort: Known, now: int) -> Turn:
    """Where a cohort stands at `now` (unix seconds): the phase that began last of those that run, or between them."""
    if now < cohort.begin:
        return "planned"
    if now > cohort.windows["release"][1]:
        return "closed"
    running = [(first, PHASES.index(phase)) for phase, (first, last) in cohort.windows.items() if first <= now <= last]
    return PHASES[max(running)[1]] if running else "waiting"


def cycle_problem(cohort: Known) -> Problem | None:
    """The first thing wrong with a cohort's cycle: two years, waves inside it, T1 twelve months after T0."""
    if cohort.cycle is None:
        return None
    first, last = cohort.cycle
    windows = cohort.windows
    if last + 1 != later(first, CYCLE_MONTHS):
        return ("cycle",), "expected two whole years, such as [2027-01-01, 2028-12-31]"
    for phase in PHASES[:-1]:
        if phase in windows and not first <= windows[phase][0] <= windows[phase][1] <= last:
            return ("windows", phase), "this window lies outside the cycle"
    if missing := [phase for phase in ("recruit", "T0", "T1") if phase not in windows]:
        return ("windows",), f"expected the windows recruit, T0 and T1 in a cycle; {missing[0]} is missing"
    return _order_problem(windows)


def _order_problem(windows: Mapping[Phase, tuple[int, int]]) -> Problem | None:
    if windows["T0"][0] < windows["recruit"][0]:
        return ("windows", "T0"), "expected T0 to begin with the recruiting, or after it"
    if windows["T1"][0] < later(windows["T0"][0], WAVES_APART_MONTHS):
        return ("windows", "T1"), "expected T1 to begin at least twelve months after T0"
    if "T2" in windows and windows["T2"][0] <= windows["T1"][0]:
        return ("windows", "T2"), "expected the third wave to begin after T1"
    if windows["release"][0] <= windows["T0"][1]:
        return ("windows", "release"), "expected figures to be released after T0 has ended"
    return None


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cohort's two years: first and last unix second."""

    cohort: str
    group: Group
    first: int
    last: int


def cycles(cohorts: Mapping[str, Known]) -> tuple[Cycle, ...]:
    """Every cycle, the earliest first."""
    found = [Cycle(name, one.group, *one.cycle) for name, one in cohorts.items() if one.cycle is not None]
    return tuple(sorted(found, key=lambda cycle: (cycle.first, cycle.cohort)))


def rotation_problem(cohorts: Mapping[str, Known], regions: Regions) -> Problem | None:
    """The first thing wrong between cycles: they follow each other, and ask every region once in two of them."""
    going = cycles(cohorts)
    if not going:
        return None
    for name, cohort in cohorts.items():
        if cohort.cycle is None and not cohort.historical:
            return ("cohorts", name), "expected a `cycle`, or `historical: true`"
        if cohort.historical and cohort.begin >= going[0].first:
            return ("cohorts", name, "historical"), f"this began after the first cycle ({going[0].cohort})"
    for one, other in pairwise(going):
        where = ("cohorts", other.cohort)
        if other.first <= one.last:
            return (*where, "cycle"), f"this cycle overlaps that of {one.cohort}"
        if other.first != one.last + 1:
            return (*where, "cycle"), f"expected the cycle to follow that of {one.cohort} without a gap"
        if other.group == one.group:
            said = f"group {other.group} was asked in the cycle before ({one.cohort}); the groups take turns"
            return (*where, "group"), said
    return turns_problem(going, regions)


def turns_problem(going: Sequence[Cycle], regions: Regions) -> Problem | None:
    """The first region that is not asked exactly once in two cycles, which are four years.

    Where it merges or is split in between, those that come of it are asked if it was not; never one region twice.
    """
    for one, other in pairwise(going):
        before, after = (set(regions.recruited(cycle.group, cycle.first)) for cycle in (one, other))
        for region in regions.existing(one.first):
            if region in before & after:
                return ("regions", region), f"it would be asked twice in four years, in {one.cohort} and {other.cohort}"
            if region not in before and not after.issuperset(regions.heirs((region,), other.first)):
                return ("regions", region), f"nobody would ask it in four years, in {one.cohort} and {other.cohort}"
    return None


def later(moment: int, months: int) -> int:
    """The same day and time so many months later (the last day of a shorter month), in unix seconds."""
    then = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    year, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    day = min(then.day, _calendar.monthrange(year, month + 1)[1])
    return int(then.replace(year=year, month=month + 1, day=day).timestamp())
