"""The verb `practise`: forged evidence to learn on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.cli.options import JsonOption


def practise(
    out: Annotated[Path | None, typer.Option(help="New folder to write.", file_okay=False)] = None,
    seed: Annotated[
        str | None, typer.Option(help="Any word: the same word makes the same files again, for a class.")
    ] = None,
    catalogue: Annotated[bool, typer.Option("--list", help="Print what is planted, and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Makes bundles of a made-up federation, honest ones and one folder for each fraud, with the answers beside them.

    Everything in it is made up, and says so.

    Example: rondgang audit practise --out practise
    """
    import secrets

    from audit.cli.output import BAD_INPUT, faults, say, stop
    from audit.practise.catalogue import CATALOGUE
    from audit.practise.folder import counted, described, write

    if catalogue:
        listed = [described(number, fraud) for number, fraud in enumerate(CATALOGUE, start=1)]
        say(as_json, {"frauds": [*listed]}, *(f"{one['folder']}: {one['fraud']}" for one in listed))
        return
    if out is None:
        stop(as_json, BAD_INPUT, "bad_input", "Name a new folder with --out, or see what there is with --list.")
    entropy = counted(seed) if seed is not None else (lambda: secrets.token_bytes(32))
    with faults(as_json):
        folders = write(out, entropy, lambda number: _progress(as_json, number, len(CATALOGUE)))
    say(
        as_json,
        {"out": str(out), "folders": folders, "made_up": True},
        f"Wrote {folders} folders of made-up evidence to {out}. Begin with {out / 'README.txt'}.",
    )


def _progress(as_json: bool, number: int, total: int) -> None:
    """A line every so often, for whoever waits."""
    if not as_json and number % 25 == 0:
        typer.echo(f"{number} of {total} frauds planted", err=True)
