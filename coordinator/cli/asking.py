"""Verbs that ask: price, submit."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from coordinator.cli.following import WaitOption, come_back, finish, follow
from coordinator.cli.looking import open_desk
from coordinator.cli.options import HomeOption, JsonOption, ProgrammeArgument
from coordinator.cli.output import REFUSED, faults, say, table, told
from coordinator.client import Desk, Planned
from coordinator.desk.views import Prices, RegionPrice
from coordinator.errors import DeskRefused
from coordinator.files import write
from coordinator.gather import State
from coordinator.prices import DEAREST, Plain, PriceList, price_file, price_json, price_list, too_few_regions
from policies.rules.refusals import Refused
from policies.statistics.programme import WEIGHT_GRID
from policies.units.privacy import epsilon_from_rho


def price(
    programme: ProgrammeArgument,
    out: Annotated[Path | None, typer.Option(help="File to write: price.json.", dir_okay=False)] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a programme costs, how sharp its figures will be, and what each region would say. Spends nothing.

    Example: rondgang coordinator price programme.yaml --out price.json --home researcher
    """
    with faults(as_json), open_desk(home) as desk:
        planned = desk.plan(programme)
        prices = desk.price(planned)
        listed = price_list(planned, prices)
        document = price_json(listed)
        if out is not None:
            write(out, price_file(listed))
        if as_json:
            say(True, document)
        else:
            show(listed)
        if prices.hopeless:
            raise typer.Exit(REFUSED)


def submit(
    programme: ProgrammeArgument,
    wait: WaitOption = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the programme, price and results.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Let regions that answered send their kept answers once more.")
    ] = False,
    timeout: Annotated[int | None, typer.Option(help="Longest to wait, in seconds.", min=1)] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Asks the regions a programme, and with --wait writes the results.

    Prices it first: where every region that attends refuses, no run is opened and the exit code is 1. The same
    programme has one run: submitting it again costs nothing and asks only the regions that have not answered.

    A region may put it before its steward: once only stewards are awaited, --wait gives what is there and ends with
    exit code 75.

    Example: rondgang coordinator submit programme.yaml --wait --out results --home researcher
    """
    with faults(as_json), open_desk(home) as desk:
        planned = desk.plan(programme)
        prices = desk.price(planned)
        _check(prices)
        submitted = desk.submit(planned, again=again)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            write(out / "price.json", price_file(price_list(planned, prices)))
            shutil.copyfile(programme, out / "programme.yaml")
        facts: dict[str, Plain] = {
            "run": submitted.run,
            "existed": submitted.existed,
            "programme": planned.hash,
            "refused": {region: why.reason.value for region, why in prices.said("refused").items()},
            "pending": {region: why.reason.value for region, why in prices.said("pending").items()},
            "away": [one.region for one in prices.regions if one.decision == "away"],
        }
        if not wait:
            say(as_json, facts, _opened(planned, submitted.run, submitted.existed))
            return
        told(_opened(planned, submitted.run, submitted.existed))
        _wait(desk, submitted.run, out, timeout, as_json, facts)


def _wait(desk: Desk, run: str, out: Path | None, timeout: int | None, as_json: bool, facts: dict[str, Plain]) -> None:
    progress = follow(desk, run, timeout)
    if progress.state is State.ASKING:
        told(come_back(progress))
    finish(desk, run, out, as_json, progress, facts)


def _check(prices: Prices) -> None:
    """Stops where nobody who attends would answer; says who would not. A run that exists is only asked for the rest."""
    refusals = prices.said("refused")
    if prices.run is None and prices.hopeless:
        reason = next(iter(refusals.values())).reason
        sentence = "Every region that attends refuses. No run was opened and nothing was spent."
        raise DeskRefused(Refused(reason, sentence), refusals)
    for region, why in refusals.items():
        told(f"{region} will refuse: {why.sentence} ({why.reason.value})")
    for region, why in prices.said("pending").items():
        told(f"{region} will not answer yet: {why.sentence} ({why.reason.value})")
    _mark_tests(prices.regions)
    away = [one.region for one in prices.regions if one.decision == "away"]
    if away:
        told(f"Away now, asked when they come back: {', '.join(away)}")


def _opened(planned: Planned, run: str, existed: bool) -> str:
    charge = planned.programme.charge.amount.text()
    if existed:
        return f"{run}: this programme was submitted before. Regions that have not answered are asked again."
    return f"{run}: opened. Each region that answers is charged {charge} rho."


def show(listed: PriceList) -> None:
    """Prints a price for people."""
    typer.echo(f"Programme {listed.programme} ({listed.hash[:16]})")
    typer.echo(f"Costs each region {listed.rho.text()} rho: epsilon {listed.epsilon} at delta {listed.delta:f}.")
    for sentence in (*_of_attempts(listed), *_of_trimming(listed), too_few_regions(listed)):
        if sentence:
            typer.echo(sentence)
    typer.echo("Margins are half an expected 95% interval, at the public expected numbers, p = .5 and equal weights.\n")
    table(*_statistics(listed))
    if drowned := [one.statistic for one in listed.statistics if one.margin.drowned]:
        typer.echo(f"\nSo much noise that the national figure is expected to be withheld: {', '.join(drowned)}.")
    typer.echo("\nDenominators; statistics with the same mode, unit, wave, filter and missing rule share one:")
    shared = [[one.block, one.rho.text(), ", ".join(one.statistics)] for one in listed.denominators]
    table(("block", "rho", "for"), shared)
    _blocks(listed)
    _dropping(listed)
    typer.echo("")
    regions = [
        [
            one.region,
            one.decision,
            "" if one.charge is None else one.charge.text(),
            "" if one.left_cohort is None else one.left_cohort.text(),
            "" if one.left_lifetime is None else one.left_lifetime.text(),
            "" if one.refused is None else f"{one.refused.sentence} ({one.refused.reason.value})",
        ]
        for one in listed.regions
    ]
    table(("region", "decision", "rho", "left cohort", "left lifetime", "why"), regions)
    _mark_tests(listed.regions)
    _ahead(listed)


def _blocks(listed: PriceList) -> None:
    """The other blocks, where one is not named as its statistic: a written `split` has a part for each."""
    named = {one.statistic for one in listed.statistics}
    if any(block not in named for block, _ in listed.sums):
        typer.echo("\nSums of their own:")
        table(("block", "rho"), [[block, rho.text()] for block, rho in listed.sums])


def _dropping(listed: PriceList) -> None:
    """The dearest statistics: what leaving each out would buy."""
    if not listed.dropping:
        return
    now = {one.statistic: one.margin.weighted for one in listed.statistics}
    rows = []
    for one in listed.dropping[:DEAREST]:
        found = {name: bought.national / now[name] - 1 for name, bought in one.others.items()}
        most = min(found, key=lambda name: found[name])
        rows.append([one.statistic, one.saves.text(), f"{most} {found[most]:+.0%}"])
    typer.echo("\nThe dearest statistics; without one, either the price is less, or the margins of the others are:")
    table(("without", "saves rho", "or at the same price, most of all"), rows)


def _ahead(listed: PriceList) -> None:
    """What the waves still to come would need, and who would have too little."""
    ahead = listed.ahead
    if not ahead.waves:
        return
    later = " and ".join(ahead.waves)
    typer.echo(
        f"\nStill to come in this cohort: {later}. Once such a wave is added, this same programme is a new question, "
        "priced and charged anew."
    )
    if ahead.starved:
        few = ", ".join(f"{one.region} ({one.left.text()})" for one in ahead.starved)
        typer.echo(
            f"WARNING: too little would be left for {later}. For each wave still to come there should be as much left "
            f"as this programme costs, {ahead.need.text()} rho in all; there would be less in: {few}."
        )


def _statistics(listed: PriceList) -> tuple[tuple[str, ...], list[list[str]]]:
    """Of a national statistic no region has a figure: its column for the median region stays empty."""
    heads = ["statistic", "mode", "rho", "margin national", "margin regional"]
    heads += ["national if asked regionally"] if listed.national else []
    heads += ["national weighted"] if listed.unequal else []
    rows = []
    for one in listed.statistics:
        national, margin = one.mode == "national", one.margin
        row = [one.statistic, one.mode, one.rho.text(), _short(margin.national)]
        row.append("" if national else _short(margin.regional))
        row += [_short(margin.if_regional) if national else ""] if listed.national else []
        row += [_short(margin.weighted)] if listed.unequal else []
        rows.append(row)
    return tuple(heads), rows


def _of_attempts(listed: PriceList) -> Iterable[str]:
    national = listed.national
    if national is None:
        return
    group = national.group
    yield (
        f"Of it {national.attempt.text()} is for one attempt at the national sums; with all {national.attempts} it may "
        f"make, at most {national.most.text()} rho (epsilon {epsilon_from_rho(national.most, listed.delta)})."
        if national.attempts > 1
        else f"Of it {national.attempt.text()} is for the one attempt at the national sums."
    )
    yield (
        f"They hold against the coordinator with up to {group.colluders} of the {group.regions} regions, with up to "
        f"{group.dropouts} lost. If all others told on one region, its own noise would be worth "
        f"{national.own_noise.text()} rho (epsilon {epsilon_from_rho(national.own_noise, listed.delta)})."
    )


def _of_trimming(listed: PriceList) -> Iterable[str]:
    trimmed = listed.trimmed
    if trimmed is None:
        return
    cut = ", ".join(
        f"{region} {written / WEIGHT_GRID:g} to {asked / WEIGHT_GRID:g}"
        for region, (written, asked) in trimmed.weights.items()
    )
    moved = ", ".join(f"{unit} {100 * part:.1f}%" for unit, part in trimmed.bias.items())
    yield f"Weights cut at {trimmed.factor} times their median: {cut or 'none is above it'}."
    yield (
        f"Of the weight that moves to other regions ({moved}) a national share or mean changes by at most that part of "
        "the difference between its highest and lowest region."
    )


def _mark_tests(regions: Iterable[RegionPrice]) -> None:
    marked = [one.region for one in regions if one.test_only]
    if marked:
        told(f"FOR TESTS ALONE (test_only), no study: {', '.join(marked)}")


def _short(number: float) -> str:
    return f"{number:.3g}"
