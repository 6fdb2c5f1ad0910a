"""The rotation seen from a day: which cohorts are past, now and next, whom they ask, and what regions become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from coordinator.prices import Plain
from policies.study.calendar import Calendar, Cohort
from policies.study.cycles import PHASES, Turn
from policies.study.text import some

When = Literal["past", "now", "next", "later"]


@dataclass(frozen=True, slots=True)
class Round:
    """One cohort on a day. `asked` answer for it then, or did last; before it begins they are those it will recruit."""

    name: str
    cohort: Cohort
    when: When
    turn: Turn
    recruited: tuple[str, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegionChange:
    """A region that begins or ends on a day (unix seconds). `others` are those it comes of, or that come of it."""

    at: int
    region: str
    kind: Literal["formed", "begins", "ends"]
    others: tuple[str, ...]


def rounds(calendar: Calendar, at: int) -> tuple[Round, ...]:
    """Every cohort at `at` (unix seconds), the earliest first."""
    ordered = sorted(calendar.cohorts, key=lambda name: (calendar.cohorts[name].begin, name))
    turns = {name: calendar.cohorts[name].turn(at) for name in ordered}
    planned = [name for name in ordered if turns[name] == "planned"]
    found = []
    for name in ordered:
        cohort, recruited = calendar.cohorts[name], calendar.members(name)
        last = cohort.windows["release"][1]
        asked = recruited if name in planned else calendar.members(name, min(at, last))
        found.append(Round(name, cohort, _when(name, turns[name], planned), turns[name], recruited, asked))
    return tuple(found)


def _when(name: str, turn: Turn, planned: list[str]) -> When:
    if turn == "closed":
        return "past"
    if turn != "planned":
        return "now"
    return "next" if name == planned[0] else "later"


def region_changes(calendar: Calendar) -> tuple[RegionChange, ...]:
    """Every region that came about or ended, by day. An end with successors is told by them."""
    return tuple(sorted(_changes(calendar), key=lambda change: (change.at, change.region)))


def _changes(calendar: Calendar) -> Iterator[RegionChange]:
    for code, region in calendar.regions.items():
        if region.since is not None:
            yield RegionChange(region.since, code, "formed" if region.formed_of else "begins", region.formed_of)
        if region.until is not None and not calendar.rotation.successors[code]:
            yield RegionChange(region.until, code, "ends", ())


def agenda_json(calendar: Calendar, at: int, source: str) -> dict[str, Plain]:
    """The same for programs; days are UTC, `asked` holds at the day of `at`."""
    cohorts: list[Plain] = [_cohort_json(one) for one in rounds(calendar, at)]
    regions: list[Plain] = [_region_json(calendar, code, at) for code in calendar.regions]
    changes: list[Plain] = [
        {"day": day(one.at), "region": one.region, "change": one.kind, "regions": list(one.others)}
        for one in region_changes(calendar)
    ]
    head: dict[str, Plain] = {"calendar": calendar.calendar.id, "version": calendar.calendar.version}
    head |= {"purpose": calendar.calendar.purpose, "source": source, "at": day(at)}
    return {**head, "cohorts": cohorts, "regions": regions, "changes": changes}


def _cohort_json(one: Round) -> dict[str, Plain]:
    cohort, cycle = one.cohort, one.cohort.cycle
    windows: dict[str, Plain] = {
        phase: [day(moment) for moment in cohort.windows[phase]] for phase in PHASES if phase in cohort.windows
    }
    return {
        "cohort": one.name,
        "turn": one.when,
        "phase": one.turn,
        "label": cohort.labels.en,
        "group": cohort.group,
        "historical": cohort.historical,
        "cycle": None if cycle is None else [day(moment) for moment in cycle],
        "windows": windows,
        "regions": list(one.recruited),
        "asked": list(one.asked),
        "expected_households": sum(expected.household for expected in cohort.expected.values()),
    }


def _region_json(calendar: Calendar, code: str, at: int) -> dict[str, Plain]:
    region = calendar.regions[code]
    return {
        "region": code,
        "name": region.name.en,
        "group": calendar.group_of(code),
        "exists": calendar.rotation.valid(code, at),
        "since": None if region.since is None else day(region.since),
        "until": None if region.until is None else day(region.until),
        "formed_of": list(region.formed_of),
        "became": list(calendar.rotation.successors[code]),
        "spent_known": calendar.inheritance(code) != "unknown",
    }


def agenda_lines(calendar: Calendar, at: int) -> list[str]:
    """The same for people: every cohort with its phases and whom it asks, then what regions become."""
    lines: list[str] = []
    for one in rounds(calendar, at):
        kind = "historical, " if one.cohort.historical else ""
        lines.append(f"{one.when:<6}{one.name}: {one.cohort.labels.en}, group {one.cohort.group}, {kind}{one.turn}")
        windows = [(phase, one.cohort.windows[phase]) for phase in PHASES if phase in one.cohort.windows]
        lines += [f"      {phase:<8}{day(first)} to {day(last)}" for phase, (first, last) in windows]
        verb = "will ask" if one.turn == "planned" else "asked" if one.turn == "closed" else "asks"
        lines.append(f"      {verb} {some(len(one.asked), 'region')}: {', '.join(_standing(calendar, one))}")
    if changes := region_changes(calendar):
        lines += ["", "Regions that change:"]
    lines += [f"      {day(one.at)} {change_words(calendar, one)}" for one in changes]
    return lines


def _standing(calendar: Calendar, one: Round) -> Iterator[str]:
    """Each region asked, and for whom it stands where it was not recruited itself."""
    for region in one.asked:
        before = sorted(calendar.rotation.line(region) & set(one.recruited) - {region})
        yield f"{region} (for {' and '.join(before)})" if before else region


def change_words(calendar: Calendar, change: RegionChange) -> str:
    """A change as a sentence."""
    named = f"{calendar.regions[change.region].name.en} ({change.region})"
    if change.kind == "ends":
        return f"{named} ends; nobody stands for it afterwards."
    if change.kind == "begins":
        return f"{named} begins, in group {calendar.group_of(change.region)}."
    before = " and ".join(f"{calendar.regions[one].name.en} ({one})" for one in change.others)
    unknown = calendar.inheritance(change.region) == "unknown"
    spent = " It may spend nothing until this calendar says what they had spent." if unknown else ""
    return f"{named} comes of {before}, in group {calendar.group_of(change.region)}.{spent}"


def day(moment: int) -> str:
    """The day (UTC) of a moment in unix seconds, such as 2027-01-31."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d")
