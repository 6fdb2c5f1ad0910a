"""Verbs that plan before anything is spent: plan, compare."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import BAD_INPUT, REFUSED, faults, say, stop, table
from coordinator.cli.study import CalendarOption, CodebookOption, documents
from coordinator.files import write
from coordinator.planning.advice import Advice, out_of_reach, over_limit, what_helps
from coordinator.planning.checked import load_targets
from coordinator.planning.found import Found, cheapest_programme
from coordinator.planning.noise import Unreached
from coordinator.planning.problem import Study
from coordinator.planning.render import HEADINGS, document, draft_yaml, rows, sentences, told, unreached
from coordinator.planning.targets import Targets
from policies.documents import load_yaml


def plan(
    targets: Annotated[Path, typer.Argument(help="What is to be known and how sharply, a YAML file.", dir_okay=False)],
    out: Annotated[Path | None, typer.Option(help="File to write the programme to; one that exists stays.")] = None,
    codebook: CodebookOption = None,
    calendar: CalendarOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """The cheapest programme that meets target margins, ready to submit, or what is out of reach and what would help.

    A file of targets is a draft without a price: each statistic has `target: {national: "0.04", regional: "0.10"}`,
    half its 95% interval. Nobody is asked what they would answer, no data is read, and nothing is spent. Where a target
    is out of reach or the price above `limit`, nothing is written and the exit code is 1.

    Example: rondgang coordinator plan targets.yaml --out programme.yaml --home researcher
    """
    with faults(as_json):
        if out is not None and out.exists():
            stop(as_json, BAD_INPUT, "file", f"{out} exists already. Choose another name.")
        label = load_yaml(Targets, targets).programme.codebook
        book, rotation = documents(label, codebook, calendar, home, as_json)
        study = Study(book, rotation, int(time.time()))
        wanted = load_targets(targets, study)
        found = cheapest_programme(wanted, study)
        if isinstance(found, tuple):
            _missed(found, out_of_reach(found, wanted, study), as_json)
        over = over_limit(found)
        advice = [*over, *what_helps(found, wanted, study)]
        if out is not None and not over:
            write(out, draft_yaml(found.draft))
        facts = document(found, advice, None if out is None or over else str(out))
        say(as_json, facts | ({"refused": "over_limit"} if over else {}))
        if not as_json:
            _show(found, advice, out if not over else None)
        if over:
            raise typer.Exit(REFUSED)


def _missed(missed: tuple[Unreached, ...], advice: list[Advice], as_json: bool) -> NoReturn:
    texts = [one.text for one in advice]
    stop(as_json, REFUSED, "out_of_reach", *texts, facts={"out_of_reach": unreached(missed), "advice": told(advice)})


def _show(found: Found, advice: list[Advice], out: Path | None) -> None:
    for sentence in sentences(found):
        typer.echo(sentence)
    typer.echo("")
    table(HEADINGS, rows(found))
    if advice:
        typer.echo("\nWhat would help:")
        for one in advice:
            typer.echo(f"- {one.text}")
    if out is not None:
        typer.echo(f"\nWrote {out}. Then: rondgang coordinator price {out}, and submit.")
