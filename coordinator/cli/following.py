"""Verbs that follow a run: watch, results. And the waiting of `submit --wait`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rondgang.signed import Signed

from coordinator.cli.covering import FILES as COVERAGE
from coordinator.cli.covering import coverage_of, show_coverage, write_coverage
from coordinator.cli.looking import open_desk
from coordinator.cli.options import HomeOption, JsonOption, RunArgument
from coordinator.cli.output import LATER, REFUSED, faults, say, table, told
from coordinator.client import Desk
from coordinator.desk.views import NationalProgress, RegionProgress, Results
from coordinator.desk.views import Progress as RunProgress
from coordinator.files import write
from coordinator.gather import Asked, State
from coordinator.prices import Plain
from coordinator.secure.national import Where
from coordinator.table import Value, csv_text, read_rows
from policies.documents import from_canonical
from policies.rules.refusals import Reason
from policies.secure.rounds import NationalSum
from policies.statistics.programme import Programme
from policies.study.text import some

_IN_ORDER = (Asked.ANSWERED, Asked.REFUSED, Asked.SENT, Asked.WAITING, Asked.PENDING)

_STILL = frozenset({Where.WAITING, Where.SUMMED, Where.FAILED})
_ROUNDS = {
    Where.KEYS: "asks for keys",
    Where.SHARING: "regions share their secrets",
    Where.VECTORS: "regions charge, read and send masked sums",
    Where.SEEN: "regions sign the list of those who sent",
    Where.SHARES: "the masks come off",
}

WaitOption = Annotated[
    bool,
    typer.Option("--wait", help="Stay until every region has replied or awaits its steward, then give the results."),
]


def watch(
    run: RunArgument,
    stay: Annotated[bool, typer.Option("--stay", help="Stay also while only stewards are awaited.")] = False,
    timeout: Annotated[int | None, typer.Option(min=1, help="Seconds to stay at most; then exit code 75.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follows a run until every region has replied or its deadline has passed. With --json one object a change.

    A steward may take days. Once nobody else is awaited it says so and ends with exit code 75; --stay waits on. A
    region that is away is waited for until the deadline; Ctrl-C, or --timeout, changes nothing about the run.

    Example: rondgang coordinator watch run-0123456789abcdef --home researcher
    """
    with faults(as_json), open_desk(home) as desk:
        if as_json:
            for last in _until_stewards(desk.watch(run, timeout), stay):
                say(True, progress_facts(last))
        else:
            last = follow(desk, run, timeout, stay=stay, tell_end=False)
            typer.echo(_line(last))
            for one in last.regions:
                if one.refused is not None:
                    typer.echo(f"{one.region} {one.state.value}: {one.refused.sentence} ({one.refused.reason.value})")
        if last.state is State.ASKING:
            told(come_back(last))
            raise typer.Exit(LATER)


def results(
    run: RunArgument,
    out: Annotated[
        Path | None, typer.Option(help="Folder for estimates.csv, estimates.json, coverage.json and coverage.csv.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the estimates of a run and prints its national table. Exit code 75 while regions are still to answer.

    Example: rondgang coordinator results run-0123456789abcdef --out results --home researcher
    """
    with faults(as_json), open_desk(home) as desk:
        finish(desk, run, out, as_json, None, {"run": run})


def follow(desk: Desk, run: str, timeout_s: float | None, *, stay: bool = False, tell_end: bool = True) -> RunProgress:
    """Shows progress on stderr until the run is complete or closed, and gives the last of it.

    Unless it is to `stay`, it also ends once only stewards are awaited: the run is still asking then. Where it is not
    to `tell_end`, the caller says where the run stands at the end.
    """
    last: RunProgress | None = None
    changes = _until_stewards(desk.watch(run, timeout_s), stay)
    if not sys.stderr.isatty():
        for last in changes:
            if tell_end or not _ends(last, stay):
                told(_line(last))
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(run, total=None)
            for last in changes:
                done = last.count(Asked.ANSWERED) + last.count(Asked.REFUSED)
                bar.update(task, description=_line(last), completed=done, total=len(last.regions))
    # A desk always tells where a run stands before it ends the stream.
    assert last is not None
    return last


def finish(
    desk: Desk, run: str, out: Path | None, as_json: bool, progress: RunProgress | None, facts: dict[str, Plain]
) -> None:
    """Fetches, writes and shows the results; exit code 1 where nobody answered, 75 while some are still to come."""
    found = desk.fetch(run)
    programme = from_canonical(Programme, Signed.from_bytes(found.signed_programme).document)
    answered, expected = len(found.signed_answers), len(programme.regions)
    summed = None if found.signed_sum is None else _sum(found.signed_sum)
    facts = {**facts, "state": found.state.value, "answered": answered, "regions": expected}
    if programme.of_mode("national"):
        facts["summed"] = 0 if summed is None else len(summed.regions)
    if progress is not None:
        facts |= progress_facts(progress)
    coverage = coverage_of(desk, found, programme, summed, progress)
    facts["provisional"] = coverage.provisional
    names = ("estimates.csv", "estimates.json", *COVERAGE)
    files: list[Plain] = [] if out is None else [str(out / name) for name in names]
    if out is not None:
        _write(found, out)
        write_coverage(coverage, out)
    if as_json:
        say(True, {**facts, "files": files})
    else:
        _show(found, programme, answered, summed)
        show_coverage(coverage)
    if not (answered or summed) or found.state is State.ASKING:
        raise typer.Exit(LATER if found.state is State.ASKING else REFUSED)


def come_back(progress: RunProgress) -> str:
    """What a run that goes on without us waits for, and how to see it again."""
    awaited = ", ".join(one.region for one in progress.regions if _awaits_steward(one))
    until = datetime.fromtimestamp(progress.deadline, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"Awaiting the steward of {awaited}, until {until}. Come back with "
        f"`rondgang coordinator watch {progress.run}`, or `results {progress.run}` for what is there."
    )


def _until_stewards(changes: Iterator[RunProgress], stay: bool) -> Iterator[RunProgress]:
    """The changes of a run, up to the one after which nobody but stewards is awaited."""
    for progress in changes:
        yield progress
        if not stay and _stewards_only(progress):
            return


def _ends(progress: RunProgress, stay: bool) -> bool:
    """Whether this is where we leave the run: it is complete or closed, or left to its stewards."""
    return progress.state is not State.ASKING or (not stay and _stewards_only(progress))


def _stewards_only(progress: RunProgress) -> bool:
    """Whether somebody is awaited, and nobody but stewards."""
    awaited = sum(_awaits_steward(one) for one in progress.regions)
    done = progress.count(Asked.ANSWERED) + progress.count(Asked.REFUSED)
    if (national := progress.national) is not None:
        if national.where not in _STILL:
            return False
        # Whoever gave its keys waits for the others.
        done += progress.count(Asked.SENT) if national.alone else 0
    return awaited > 0 and awaited + done == len(progress.regions)


def _awaits_steward(one: RegionProgress) -> bool:
    return one.state is Asked.PENDING and one.refused is not None and one.refused.reason is Reason.AWAITING_APPROVAL


def progress_facts(progress: RunProgress) -> dict[str, Plain]:
    """Progress as programs read it."""
    regions: list[Plain] = [
        {
            "region": one.region,
            "state": one.state.value,
            "reason": None if one.refused is None else one.refused.reason.value,
            "repeats": one.same,
            "conflicts": one.other,
        }
        for one in progress.regions
    ]
    facts: dict[str, Plain] = {"run": progress.run, "state": progress.state.value, "deadline": progress.deadline}
    if (national := progress.national) is not None:
        facts["national"] = {
            "state": national.where.value,
            "attempt": national.attempt,
            "attempts": national.attempts,
            "replied": national.replied,
            "need": national.need,
            "sentence": national.sentence,
        }
    return {**facts, "progress": regions}


def _write(found: Results, out: Path) -> None:
    """The results, and what an auditor checks them by: the signed programme, the signed answers and sums."""
    write(out / "estimates.csv", csv_text(found.rows_json).encode("utf-8"))
    write(out / "estimates.json", found.rows_json)
    write(out / "programme.signed.json", found.signed_programme)
    if found.signed_sum is not None:
        write(out / "national_sum.signed.json", found.signed_sum)
    for answer in found.signed_answers:
        region = str(json.loads(answer)["document"]["region"])
        if region.isalnum():
            write(out / "answers" / f"{region}.signed.json", answer)


def national_table(rows_json: bytes) -> None:
    """Prints the national rows of a result: the direct ones first, then those that other estimators made of them."""
    rows = [
        [
            str(row["statistic"]),
            str(row["estimator"]),
            str(row["mode"]),
            str(row["measure"]),
            ", ".join(f"{key}={code}" for key, code in row["cell"].items()) if isinstance(row["cell"], dict) else "",
            _number(row["estimate"]),
            "" if row["ci_low"] is None else f"{_number(row['ci_low'])} to {_number(row['ci_high'])}",
            str(row["status"]),
            str(row["note"]),
        ]
        for row in read_rows(rows_json)
        if row["scope"] == "national"
    ]
    table(("statistic", "estimator", "mode", "measure", "cell", "estimate", "95% interval", "status", "note"), rows)


def _show(found: Results, programme: Programme, answered: int, summed: NationalSum | None) -> None:
    national_table(found.rows_json)
    charge, regions = programme.charge, len(programme.regions)
    typer.echo("")
    if programme.of_mode("regional"):
        typer.echo(f"{answered} of {some(regions, 'region')} answered; each was charged {charge.of_answer.text()} rho.")
    if summed is not None:
        which = f"{len(summed.regions)} of {regions} regions are in the national sums, of attempt {summed.attempt}"
        typer.echo(f"{which}; each attempt costs {charge.of_attempt.text()} rho.")
    elif programme.of_mode("national"):
        typer.echo("There are no national sums.")
    if found.state is State.ASKING:
        typer.echo("The others are asked until the deadline: ask for the results again later.")


def _sum(data: bytes) -> NationalSum:
    return from_canonical(NationalSum, Signed.from_bytes(data).document)


def _number(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _line(progress: RunProgress) -> str:
    awaited = sum(_awaits_steward(one) for one in progress.regions)
    counts = {state.value: progress.count(state) for state in _IN_ORDER}
    counts |= {Asked.PENDING.value: progress.count(Asked.PENDING) - awaited, "awaiting approval": awaited}
    told_counts = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    repeats = sum(one.same for one in progress.regions)
    conflicts = sum(one.other for one in progress.regions)
    more = f", {repeats} came again unchanged" if repeats else ""
    more += f", {conflicts} CAME AGAIN CHANGED AND WERE KEPT OUT" if conflicts else ""
    if progress.national is not None:
        more += f"; {_national(progress.national)}"
    return f"{progress.run} {progress.state.value}: {told_counts}{more}"


def _national(national: NationalProgress) -> str:
    """Where the national sums stand, in a few words; what an attempt costs is in the programme's price."""
    which = f"national sums, attempt {national.attempt} of {national.attempts}"
    match national.where:
        case Where.SUMMED:
            return f"national sums of {national.replied} regions are there"
        case Where.FAILED:
            return f"NO NATIONAL SUMS: {national.sentence}"
        case Where.WAITING:
            before = f" ({national.sentence})" if national.sentence else ""
            return f"{which} waits for regions, {national.replied} of {national.need}{before}"
        case _:
            return f"{which}: {_ROUNDS[national.where]}, {national.replied} did, it takes {national.need}"
