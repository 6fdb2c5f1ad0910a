"""Verbs that prepare a question, and ask nobody: starters, rehearse."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from coordinator.cli.following import national_table
from coordinator.cli.options import HomeOption, JsonOption, ProgrammeArgument
from coordinator.cli.output import BAD_INPUT, faults, say, stop, table, told
from coordinator.cli.study import CalendarOption, CodebookOption, documents
from coordinator.files import write
from coordinator.prices import Plain, price_file
from coordinator.rehearsal.noise import NoSampler, sampler
from coordinator.rehearsal.rehearse import Rehearsal
from coordinator.rehearsal.rehearse import rehearse as perform
from coordinator.table import csv_text
from policies.documents import load_yaml
from policies.starters import NoStarter, Starter, starter
from policies.starters import starters as every_starter
from policies.statistics.plan import price_allowance
from policies.statistics.programme import Draft
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho

LABEL = "REHEARSAL: synthetic rows made from the codebook alone. No data was read, nothing was spent, nothing is found."
LABEL_FILE = "SYNTHETIC.txt"


def starters(
    name: Annotated[str | None, typer.Argument(help="The starter to give; all are listed without one.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write it to; a file that exists stays.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The programmes to start from, one per question of the study: lists them, or gives one as YAML.

    Example: rondgang coordinator starters stopping --out stopping.yaml
    """
    with faults(as_json):
        if name is None:
            if out is not None:
                stop(as_json, BAD_INPUT, "bad_input", "Which starter? Give its name before --out.")
            _list(as_json)
            return
        try:
            chosen = starter(name)
        except NoStarter as error:
            stop(as_json, BAD_INPUT, "bad_input", str(error))
        if out is None:
            say(as_json, _facts(chosen) | {"text": chosen.text}, chosen.text.rstrip("\n"))
            return
        if out.exists():
            stop(as_json, BAD_INPUT, "file", f"{out} exists already. Choose another name.")
        write(out, chosen.text.encode("utf-8"))
        say(as_json, _facts(chosen) | {"file": str(out)}, f"Wrote {out}. Change it, then: rehearse, price, submit.")


def rehearse(
    programme: ProgrammeArgument,
    codebook: CodebookOption = None,
    calendar: CalendarOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes the made-up rows. Noise is never seeded.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for the files that a real run gives.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole programme on made-up rows: the columns, files and noise of a real run, so that an analysis can be
    written first.

    The rows are drawn evenly from the codebook, as many as the calendar expects. No data is read, nothing is spent,
    and with both YAML files given nobody is asked. Every row says that it is synthetic, and its run is `rehearsal`.

    Example: rondgang coordinator rehearse stopping.yaml --codebook cohort3.codebook.yaml --calendar rotation.yaml --out
    rehearsal
    """
    with faults(as_json):
        draft = load_yaml(Draft, programme)
        try:
            noisy = sampler()
        except NoSampler as error:
            stop(as_json, BAD_INPUT, "not_installed", str(error))
        book, rotation = documents(draft.programme.codebook, codebook, calendar, home, as_json)
        found = perform(draft, book, rotation, seed, noisy)
        files = [] if out is None else _write(found, programme, out)
        told(LABEL)
        if as_json:
            say(True, _rehearsed(found, seed) | {"files": files})
            return
        national_table(found.rows_json)
        charge = found.programme.charge
        epsilon = epsilon_from_rho(charge.amount, charge.delta)
        typer.echo(f"\nThe real run would charge each region {charge.amount.text()} rho (epsilon {epsilon}).")


def _write(found: Rehearsal, programme: Path, out: Path) -> list[Plain]:
    """What `submit --wait` writes, but for signatures: there is nobody to sign. And a file that says what this is."""
    out.mkdir(parents=True, exist_ok=True)
    made = {
        "estimates.csv": csv_text(found.rows_json).encode("utf-8"),
        "estimates.json": found.rows_json,
        "price.json": price_file(found.prices),
        LABEL_FILE: f"{LABEL}\n".encode(),
    }
    for name, data in made.items():
        write(out / name, data)
    shutil.copyfile(programme, out / "programme.yaml")
    return [str(out / name) for name in (*made, "programme.yaml")]


def _rehearsed(found: Rehearsal, seed: int) -> dict[str, Plain]:
    heading, charge = found.programme.programme, found.programme.charge
    return {
        "run": "rehearsal",
        "synthetic": True,
        "seed": seed,
        "programme": heading.id,
        "cohort": heading.cohort,
        "regions": list(found.programme.regions),
        "rho": float(charge.amount.text()),
        "epsilon": float(epsilon_from_rho(charge.amount, charge.delta)),
        "delta": float(charge.delta),
    }


def _list(as_json: bool) -> None:
    every = every_starter()
    if as_json:
        say(True, {"starters": [_facts(one) for one in every]})
        return
    rows = []
    for one in every:
        rho, epsilon = _price(one)
        count = str(len(one.draft.statistics))
        rows.append([one.name, one.draft.programme.title.en, count, rho.text(), epsilon])
    table(("starter", "question", "statistics", "rho", "epsilon"), rows)
    first, *rest = every
    together = sum((_price(one)[0] for one in rest), NanoRho(0))
    typer.echo(
        f"\nEpsilon at delta 1e-6. All but `{first.name}` cost a region {together.text()} rho together; the shipped"
    )
    typer.echo("policy allows 0.4 on a cohort. Ask what you need, not the whole list.")


def _price(one: Starter) -> tuple[NanoRho, str]:
    """At most what planning charges; epsilon at the starter's own delta."""
    allowed = price_allowance(one.draft.price)
    return allowed, str(epsilon_from_rho(allowed, one.draft.price.delta))


def _facts(one: Starter) -> dict[str, Plain]:
    rho, epsilon = _price(one)
    return {
        "starter": one.name,
        "title": {"nl": one.draft.programme.title.nl, "en": one.draft.programme.title.en},
        "statistics": len(one.draft.statistics),
        "rho": float(rho.text()),
        "epsilon": float(epsilon),
    }
