"""Is it this region's turn? What the calendar alone says of a region, a cohort and a moment. Pure."""

from __future__ import annotations

import datetime

from policies.rules.refusals import Reason, Refused
from policies.study.calendar import Calendar


def not_its_turn(region: str, cohort: str, calendar: Calendar, now: int) -> Refused | None:
    """Why `region` may not answer about `cohort` at `now` (unix seconds), or None. Raises KeyError: unknown cohort.

    It is asked where it was recruited, or came of a region that was, and while it exists. What a region that came of
    others may spend is policies/rules/decide.py's to say.
    """
    if region in calendar.members(cohort, now):
        return None
    return Refused(Reason.OFF_ROTATION, _why(region, cohort, calendar, now))


def _why(region: str, cohort: str, calendar: Calendar, now: int) -> str:
    if region not in calendar.ever_members(cohort):
        return f"Region {region} is not asked in cohort {cohort}. Ask the regions on rotation."
    since, until = calendar.rotation.lives[region]
    if since is not None and now < since:
        return f"Region {region} exists from {_day(since)} on. Ask those that it comes of until then."
    heirs = calendar.rotation.heirs((region,), now)
    instead = f"Ask {' and '.join(heirs)} in its place." if heirs else "Leave it out."
    # A region that was recruited and is not asked now has ended: without an end it would be asked.
    return f"Region {region} existed until {_day(until or now)}. {instead}"


def _day(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).date().isoformat()
