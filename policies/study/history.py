"""What a new version of the calendar changes, and what of that was history already. Pure.

Plans may change; what happened may not: which regions there were and in which group, whom a cohort recruited and when,
what a predecessor had spent. Rotation, budgets and audits of earlier years rest on it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from policies.documents import Document, to_canonical
from policies.study.calendar import Calendar, Cohort, Region
from policies.study.cycles import PHASES

Span = tuple[int | None, int | None]
"""First and last unix second; None where there is none."""
_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `rewrites`: it alters what had happened by then. `what` is a sentence in English."""

    subject: str
    what: str
    rewrites: bool


def changes(old: Calendar, new: Calendar, now: int) -> tuple[Change, ...]:
    """Everything that `new` changes, regions first; `now` (unix seconds) parts history from plans."""
    found = [*_regions(old, new, now), *_cohorts(old, new, now)]
    if old.limits != new.limits:
        found.append(Change("limits", f"were {_short(old.limits)}, are {_short(new.limits)}", rewrites=False))
    if old.planning != new.planning:
        found.append(Change("planning", f"was {_short(old.planning)}, is {_short(new.planning)}", rewrites=False))
    return tuple(found)


def _regions(old: Calendar, new: Calendar, now: int) -> Iterator[Change]:
    for code in sorted(old.regions.keys() | new.regions.keys()):
        before, after = old.regions.get(code), new.regions.get(code)
        if before is None:
            lived = _span(new, code)[0]
            yield Change(code, "is a new region", rewrites=lived is not None and lived < now)
        elif after is None:
            yield Change(code, "is gone; codes are never taken out, a region that ends has `until`", rewrites=True)
        else:
            yield from _region(code, before, after, old, new, now)
    yield from _names(old, new)


def _region(code: str, before: Region, after: Region, old: Calendar, new: Calendar, now: int) -> Iterator[Change]:
    was, now_is = _span(old, code), _span(new, code)
    existed = was[0] is None or was[0] <= now
    if not set(before.spellings(code)) & set(after.spellings(code)) - {code.casefold()}:
        said = f"stood for {before.name.nl}, stands for {after.name.nl}; a code is never used for another region"
        yield Change(code, said, rewrites=True)
    elif before.name != after.name or before.aliases != after.aliases:
        yield Change(code, f"is written {after.name.nl} / {after.name.en}, with aliases {list(after.aliases)}", False)
    if was != now_is:
        yield Change(code, f"existed {_words(was)}, exists {_words(now_is)}", _moved(was, now_is) < now)
    if before.formed_of != after.formed_of:
        yield Change(code, f"was formed of {list(before.formed_of)}, is of {list(after.formed_of)}", existed)
    if old.group_of(code) != new.group_of(code):
        yield Change(code, f"was in group {old.group_of(code)}, is in {new.group_of(code)}", existed)
    for one in sorted(before.spent.keys() | after.spent.keys()):
        if before.spent.get(one) != after.spent.get(one):
            stated = one in before.spent
            said = f"what {one} had spent {'was stated otherwise before' if stated else 'is stated now'}"
            yield Change(code, said, rewrites=stated)


def _names(old: Calendar, new: Calendar) -> Iterator[Change]:
    owners = {text: code for code, region in old.regions.items() for text in region.spellings(code)}
    for code, region in new.regions.items():
        for text in region.spellings(code):
            if owners.get(text, code) != code and text != owners[text].casefold():
                yield Change(code, f"is called {text!r}, which stood for {owners[text]} before", rewrites=True)


def _cohorts(old: Calendar, new: Calendar, now: int) -> Iterator[Change]:
    for name in sorted(old.cohorts.keys() | new.cohorts.keys()):
        before, after = old.cohorts.get(name), new.cohorts.get(name)
        if before is None:
            begun = new.cohorts[name].begin < now
            yield Change(name, "is a new cohort", rewrites=begun and not new.cohorts[name].historical)
        elif after is None:
            yield Change(name, "is gone", rewrites=before.begin < now)
        else:
            begun = min(before.begin, after.begin) < now
            yield from _cohort(name, before, after, begun)
            yield from _windows(name, before, after, now)
            if old.members(name) != new.members(name):
                said = f"was recruited in {', '.join(old.members(name))}; is in {', '.join(new.members(name))}"
                yield Change(name, said, begun)


def _cohort(name: str, before: Cohort, after: Cohort, begun: bool) -> Iterator[Change]:
    if before.group != after.group:
        yield Change(name, f"asked group {before.group}, asks {after.group}", begun)
    if (before.historical, before.cycle) != (after.historical, after.cycle):
        yield Change(name, f"was {_kind(before)}, is {_kind(after)}", begun and not _only_marked(before, after))
    if before.labels != after.labels:
        yield Change(name, f"is called {after.labels.en}", rewrites=False)
    if before.expected != after.expected and before.expected.keys() == after.expected.keys():
        yield Change(name, "has other planning figures", rewrites=False)


def _only_marked(before: Cohort, after: Cohort) -> bool:
    """Calendars from before there were cycles did not mark the historical ones."""
    return before.cycle is None and after.cycle is None and after.historical


def _windows(name: str, before: Cohort, after: Cohort, now: int) -> Iterator[Change]:
    for phase in PHASES:
        was, is_now = before.windows.get(phase), after.windows.get(phase)
        if was == is_now:
            continue
        moved = _moved(was, is_now) if was and is_now else min(one[0] for one in (was, is_now) if one)
        said = f"{phase} was {_words(was) if was else 'absent'}, is {_words(is_now) if is_now else 'absent'}"
        yield Change(name, said, moved < now)


def _moved(one: Span, other: Span) -> int:
    """The first moment at which two spans differ; no first second means always, no last one for ever."""
    firsts = [-_EVER if span[0] is None else span[0] for span in (one, other)]
    lasts = [_EVER if span[1] is None else span[1] for span in (one, other)]
    return min(firsts) if firsts[0] != firsts[1] else min(lasts)


def _span(calendar: Calendar, code: str) -> Span:
    return calendar.rotation.lives[code]


def _kind(cohort: Cohort) -> str:
    return "historical" if cohort.historical else f"a cycle {_words(cohort.cycle)}" if cohort.cycle else "no cycle"


def _words(span: Span) -> str:
    first, last = ("" if one is None else _day(one) for one in span)
    return " ".join(part for part in (first and f"from {first}", last and f"until {last}") if part) or "always"


def _day(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).date().isoformat()


def _short(document: Document) -> str:
    return to_canonical(document).decode("utf-8")
