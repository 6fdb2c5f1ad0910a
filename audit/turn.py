"""Whose turn it was, worked out from the calendar's own words: groups, first and last days, who was formed of whom.

The rules reckon with it too (policies/study/regions.py); this is the auditor's own way, and a test holds both together.
"""

from __future__ import annotations

from policies.study.calendar import Calendar, Cohort

NEVER = -(2**63)


def exists(calendar: Calendar, region: str, now: int) -> bool:
    """Whether a region of the calendar exists at `now` (unix seconds)."""
    known = calendar.regions[region]
    return (known.since or NEVER) <= now and (known.until is None or now <= known.until)


def asked_in(calendar: Calendar, cohort: str, region: str) -> bool:
    """Whether a cohort asks a region, or one that it came of: one of its group that existed when it began."""
    known = calendar.cohorts[cohort]
    first = beginning(known)
    return any(
        _group(calendar, one) == known.group and exists(calendar, one, first) for one in _ancestry(calendar, region)
    )


def beginning(cohort: Cohort) -> int:
    """The first second of a cohort: of its cycle, or of the earliest of its windows."""
    firsts = [window[0] for window in cohort.windows.values()]
    return min(firsts if cohort.cycle is None else [*firsts, cohort.cycle[0]])


def _ancestry(calendar: Calendar, region: str) -> list[str]:
    """The region, those it was formed of, those that they were formed of, and so on."""
    found = [region]
    for one in found:  # grows while it is read
        found += [before for before in calendar.regions[one].formed_of if before not in found]
    return found


def _group(calendar: Calendar, region: str) -> str:
    """As written; else that of the region it was formed of whose group was asked longest before it began."""
    known = calendar.regions[region]
    if known.group is not None:
        return known.group
    before = [_group(calendar, one) for one in sorted(known.formed_of)]
    return min(before, key=lambda group: _last_asked(calendar, group, known.since or NEVER))


def _last_asked(calendar: Calendar, group: str, before: int) -> int:
    begun = [beginning(cohort) for cohort in calendar.cohorts.values() if cohort.group == group]
    return max((first for first in begun if first < before), default=NEVER)
