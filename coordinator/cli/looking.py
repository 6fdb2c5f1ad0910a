"""The verb that looks at who takes part: regions."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from rondgang.roles import Role

from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import faults, say, table
from coordinator.client import Desk
from coordinator.desk.views import RegionView
from coordinator.home import Home
from coordinator.prices import Plain
from policies.study.calendar import Calendar


def open_desk(home: Path | None) -> Desk:
    """The desk by a researcher's folder. Raises `BadHome` and `BadDocument`."""
    return Desk.open(Home.find(home, Role.RESEARCHER).folder)


def regions(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Which regions take part, who attends now, and who works by older documents.

    Example: rondgang coordinator regions --home researcher
    """
    with faults(as_json), open_desk(home) as desk:
        calendar, views = desk.calendar(), desk.regions()
    if as_json:
        say(True, {"regions": [_region(view, calendar) for view in views]})
        return
    rows = [
        [
            view.region,
            calendar.regions[view.region].name.en if view.region in calendar.regions else "",
            calendar.group_of(view.region) if view.region in calendar.regions else "",
            "attends" if view.attending else "away",
            _moment(view.last_seen),
            view.software,
            _documents(view),
        ]
        for view in views
    ]
    table(("region", "name", "group", "now", "last seen", "software", "documents"), rows)


def _region(view: RegionView, calendar: Calendar) -> dict[str, Plain]:
    known = calendar.regions.get(view.region)
    return {
        "region": view.region,
        "name": known.name.en if known else None,
        "group": calendar.group_of(view.region) if known else None,
        "attending": view.attending,
        "last_seen": view.last_seen,
        "software": view.software,
        "roster_current": view.roster_current,
        "calendar_current": view.calendar_current,
    }


def _documents(view: RegionView) -> str:
    if view.last_seen is None:
        return ""
    behind = [name for name, fine in (("roster", view.roster_current), ("calendar", view.calendar_current)) if not fine]
    return f"other {' and '.join(behind)}" if behind else "current"


def _moment(second: int | None) -> str:
    return "never" if second is None else dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
