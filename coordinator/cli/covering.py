"""What the figures of a run cover, as the verbs that give results write and show it."""

from __future__ import annotations

import time
from pathlib import Path

import typer

from coordinator.cli.output import table
from coordinator.client import Desk
from coordinator.desk.views import Progress, Results
from coordinator.estimates.covers import Coverage, Covered, covers, to_csv, to_json, until, yes_no
from coordinator.files import write
from coordinator.table import read_rows
from policies.secure.rounds import NationalSum
from policies.statistics.programme import Programme

FILES = ("coverage.json", "coverage.csv")
_MOST_UNREAD = 20


def coverage_of(
    desk: Desk, found: Results, programme: Programme, summed: NationalSum | None, progress: Progress | None
) -> Coverage:
    """Of a result and where its run stands; the desk is asked for that where it is not given."""
    # A desk tells where a run stands before anything else.
    progress = next(desk.watch(found.run)) if progress is None else progress
    regions = None if summed is None else summed.regions
    return covers(programme, desk.calendar(), progress, read_rows(found.rows_json), regions, int(time.time()))


def write_coverage(coverage: Coverage, out: Path) -> None:
    for name, text in zip(FILES, (to_json(coverage), to_csv(coverage)), strict=True):
        write(out / name, text.encode("utf-8"))


def show_coverage(coverage: Coverage) -> None:
    """The regions, what to do about those that are missing, and what may not be read."""
    typer.echo("")
    heads = ("region", "part", "reason", "in answers", "in sum", "share", "stands for")
    table(heads, [_line(one) for one in coverage.regions])
    typer.echo("")
    if not coverage.missing:
        typer.echo("Every region that was asked is in the figures.")
    else:
        share, missing = f"{coverage.answered_share:.0%}", ", ".join(one.region for one in coverage.missing)
        mark = f"provisional until {until(coverage.final_after)}" if coverage.provisional else "final"
        typer.echo(f"The figures are {mark}: they are without {missing}, and cover {share} of the expected households.")
    for one in coverage.missing:
        why = f" {one.sentence}" if one.sentence else ""
        typer.echo(f"{one.region}: {one.part}.{why} To do: {one.todo}.")
    _show_unread(coverage)


def _show_unread(coverage: Coverage) -> None:
    for one in coverage.unread[:_MOST_UNREAD]:
        what = f"{one.rows} of {one.of} {one.scope} rows of {one.statistic} ({one.measure}, {one.estimator})"
        typer.echo(f"{one.status}: {what}: {one.why}.")
    if (more := len(coverage.unread) - _MOST_UNREAD) > 0:
        typer.echo(f"{more} more such lines stand in coverage.json (--out).")


def _line(one: Covered) -> list[str]:
    names = " ".join(one.stands_for)
    return [one.region, one.part, one.reason, yes_no(one.in_answers), yes_no(one.in_sum), f"{one.share:.1%}", names]
