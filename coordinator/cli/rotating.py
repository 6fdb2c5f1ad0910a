"""The verb that looks at the rotation: calendar. It needs no running service."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rondgang.roles import Role

import policies
from coordinator.agenda import agenda_json, agenda_lines, day
from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import BAD_INPUT, faults, say, stop
from coordinator.client import Desk
from coordinator.files import write
from coordinator.home import VARIABLES, Home
from coordinator.icalendar import icalendar
from coordinator.prices import Plain
from coordinator.study import read_calendar
from policies.documents import load_yaml
from policies.study.calendar import Calendar, instant
from policies.study.history import changes

_SHIPPED = Path(policies.__file__).resolve().parent / "shipped" / "rotation.yaml"
_FROM = {
    "shipped": "the example that Rondgang ships, not your consortium's calendar",
    "file": "a file that nobody has signed",
    "adopted": "the signed calendar adopted here",
    "desk": "the signed calendar that the desk works by",
}


def calendar(
    home: HomeOption = None,
    file: Annotated[
        Path | None, typer.Option(help="A calendar as a YAML file, instead of a folder's.", dir_okay=False)
    ] = None,
    at: Annotated[
        str | None, typer.Option(help='The day to look from, such as "2029-01-01"; now when left out.')
    ] = None,
    ics: Annotated[
        Path | None, typer.Option(help="Write an iCalendar file for agenda programs.", dir_okay=False)
    ] = None,
    diff: Annotated[
        Path | None, typer.Option(help="Say what changes since this older calendar, a YAML file.", dir_okay=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The rotation: which cohorts are past, now and next, in which phase, whom they ask, and what regions become.

    Needs no running service: without --file and a folder it shows the example that is shipped, with the desk's own
    folder the calendar adopted there. Only with a researcher's folder is the desk asked.

    Example: rondgang coordinator calendar --at 2029-01-01 --ics rotation.ics
    """
    with faults(as_json):
        moment = int(time.time()) if at is None else _moment(at, as_json)
        source, document = _calendar(home, file)
        older = None if diff is None else load_yaml(Calendar, diff)
        if ics is not None:
            write(ics, icalendar(document))
    facts, name = agenda_json(document, moment, source), document.calendar
    lines = [f"{name.labels.en} ({name.id}@{name.version}), seen from {day(moment)}", f"This is {_FROM[source]}.", ""]
    lines += agenda_lines(document, moment)
    if older is not None:
        found = changes(older, document, moment)
        told: list[Plain] = [{"subject": one.subject, "what": one.what, "rewrites": one.rewrites} for one in found]
        facts["diff"] = told
        lines += ["", "Since the older calendar:" if found else "Nothing changes since the older calendar."]
        lines += [f"      {one.subject} {one.what}{' ALTERS HISTORY' if one.rewrites else ''}" for one in found]
    if ics is not None:
        facts["ics"] = str(ics)
        lines += ["", f"Wrote {ics}."]
    say(as_json, facts, *lines)


def _calendar(home: Path | None, file: Path | None) -> tuple[str, Calendar]:
    """The calendar to show, and where it comes from."""
    if file is not None:
        return "file", load_yaml(Calendar, file)
    folder = home or next((Path(found) for name in _VARIABLES if (found := os.environ.get(name))), None)
    if folder is None:
        return "shipped", load_yaml(Calendar, _SHIPPED)
    place = Home(folder)
    if place.role() is Role.COORDINATOR:
        return "adopted", read_calendar(place).document
    with Desk.open(folder) as desk:
        return "desk", desk.calendar()


_VARIABLES = (*VARIABLES[Role.RESEARCHER], *VARIABLES[Role.COORDINATOR])


def _moment(text: str, as_json: bool) -> int:
    try:
        return instant(text)
    except ValueError:
        stop(as_json, BAD_INPUT, "bad_input", f'--at is {text!r}; expected a day such as "2029-01-01".')
