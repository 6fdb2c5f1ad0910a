"""Pages that look after the node: the doctor, the data that are here, and pausing."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from node.console.pages import SPANS
from node.console.screen import Visit, work
from node.doctor.examine import examine
from node.doctor.lines import Line, worst
from node.home import Home
from node.importing.report import Report
from node.operations import facts, rest, snapshots, wake
from node.pausing import until_of
from policies.pages.dates import moment


async def doctor(visit: Visit) -> Response:
    """What could keep the node from working. Nobody is dialled until that is asked for: it may take a while."""
    away = visit.request.query_params.get("way") == "1"
    lines = await work(_examined, visit.home, away)
    told = [
        {"level": line.level, "sentence": visit.words(f"getin.doctor.{line.code}", **line.fields)} for line in lines
    ]
    return visit.page("doctor.html", lines=told, worst=worst(lines), away=away)


async def data(visit: Visit) -> Response:
    """Which data are here, and what the last import found about them: counts for the steward alone."""
    held = await work(_held, visit.home)
    shown = [
        {
            "cohort": cohort,
            "snapshot": snapshot,
            "when": moment(when, visit.lang),
            "lines": [] if report is None else report.lines(visit.lang),
        }
        for cohort, snapshot, when, report in held
    ]
    known = await work(facts, visit.home)
    cohort = next(iter((*known.due, *known.held)), "COHORT")
    return visit.page("data.html", held=shown, cohort=cohort)


async def pause(visit: Visit) -> Response:
    """Has the node rest for a while."""
    span, now = visit.text("span"), visit.screen.wall()
    if span not in SPANS:
        return visit.problem(400, "console.pause.which")
    await work(rest, visit.home, until_of(span, now) if span else None)
    return RedirectResponse("/", 303)


async def resume(visit: Visit) -> Response:
    """Ends a pause."""
    await work(wake, visit.home)
    return RedirectResponse("/", 303)


def _examined(home: Home, away: bool) -> tuple[Line, ...]:
    return examine(home, away=away)


def _held(home: Home) -> list[tuple[str, str, int, Report | None]]:
    """Every cohort with its snapshot in force, when that was made, and its report where it can be read."""
    return [(one.cohort, one.snapshot, *_report(home, one.snapshot)) for one in snapshots(home).held]


def _report(home: Home, snapshot: str) -> tuple[int, Report | None]:
    path = home.snapshots / snapshot / "report.json"
    try:
        return int(path.stat().st_mtime), Report.from_json(path.read_bytes())
    except (OSError, ValueError, TypeError, KeyError):
        return 0, None
