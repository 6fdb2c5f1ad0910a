"""Verbs that plan before anything is spent: plan, compare."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from coordinator.cli.looking import open_desk
from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import BAD_INPUT, REFUSED, faults, say, stop, table
from coordinator.cli.study import CalendarOption, CodebookOption, documents
from coordinator.files import write
from coordinator.planning.advice import Advice, out_of_reach, over_limit, what_helps
from coordinator.planning.checked import load_targets
from coordinator.planning.comparing import Comparison, Side, read_price
from coordinator.planning.comparing import compare as match
from coordinator.planning.found import Found, cheapest_programme
from coordinator.planning.noise import Unreached
from coordinator.planning.problem import Study
from coordinator.planning.render import (
    COMPARED,
    HEADINGS,
    compared,
    compared_rows,
    document,
    draft_yaml,
    rows,
    sentences,
    told,
    unreached,
)
from coordinator.planning.targets import Targets
from coordinator.prices import price_json, price_list, price_unasked
from policies.documents import load_yaml
from policies.statistics.programme import Draft


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


def compare(
    first: Annotated[Path, typer.Argument(help="A draft in YAML, or a price.json.", dir_okay=False)],
    second: Annotated[Path, typer.Argument(help="The other one.", dir_okay=False)],
    codebook: CodebookOption = None,
    calendar: CalendarOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two programmes side by side: price, margins of each statistic by its id, and which regions could still pay.

    A draft is priced by the desk, which asks every region what it has left; with both YAML files given nobody is asked.
    Spends nothing.

    Example: rondgang coordinator compare today.yaml planned.yaml --home researcher
    """
    with faults(as_json):
        found = match(*(_side(path, codebook, calendar, home, as_json) for path in (first, second)))
        if as_json:
            say(True, compared(found))
            return
        for letter, side in (("A", found.first), ("B", found.second)):
            most = f", {side.most.normalize():f} with every attempt" if side.most > side.rho else ""
            typer.echo(f"{letter}  {side.programme}: {side.rho.normalize():f} rho{most}, epsilon {side.epsilon:g}")
        typer.echo("")
        table(COMPARED, compared_rows(found))
        _payers(found)


def _side(path: Path, codebook: Path | None, calendar: Path | None, home: Path | None, as_json: bool) -> Side:
    if path.suffix == ".json":
        return read_price(path)
    draft = load_yaml(Draft, path)
    if codebook is None and calendar is None:
        with open_desk(home) as desk:
            planned = desk.plan(draft)
            return Side.of(price_json(price_list(planned, desk.price(planned))), str(path))
    study = Study(*documents(draft.programme.codebook, codebook, calendar, home, as_json), int(time.time()))
    prices = price_unasked(study.plan(draft), study.codebook, study.calendar, draft)
    return Side.of(price_json(prices), str(path))


def _payers(found: Comparison) -> None:
    known = [one for one in found.regions if one.left is not None]
    if not known:
        typer.echo("\nWhat regions have left is not known: no desk was asked.")
        return
    typer.echo("\nWho has enough left, with every attempt at the national sums:")
    yes = {True: "yes", False: "no", None: ""}
    rows = [[one.region, f"{one.left:f}", yes[one.first], yes[one.second], yes[one.both]] for one in known]
    table(("region", "left", "A", "B", "both"), rows)


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
