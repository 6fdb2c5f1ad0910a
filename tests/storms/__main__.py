"""`python -m tests.storms`: the whole run, and its table."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from compose.chaos.ending import end
from compose.containers.__main__ import regions_of
from compose.containers.engine import EngineFailed, start_engine, stop_engine
from compose.demo.federation import NotStarted
from compose.demo.verbs import VerbFailed
from tests.storms.federation import CannotStorm
from tests.storms.run import Storms
from tests.storms.table import page


def storms(
    faults: Annotated[int, typer.Option(min=1, help="How many faults.")] = 220,
    seed: Annotated[int, typer.Option(min=0, help="Fixes which, to whom, and when.")] = 1,
    regions: Annotated[int, typer.Option(min=7, max=13, help="How many regions take part.")] = 13,
    out: Annotated[Path | None, typer.Option(help="File for the table; else it is printed.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Disturbs a federation in containers while it is asked: kills, pauses, cuts, slows, fills, sets clocks wrong.

    Takes root. Starts a container engine where none answers, and stops it again. Ends with 0 if every run ended right
    or said why not, nothing was answered twice differently, and the auditor found nothing; else with 1, and the folder
    is left for a look.

    Example: python -m tests.storms --faults 40
    """
    folder, began, started = Path(tempfile.mkdtemp(prefix="rondgang-storms-")), time.monotonic(), False

    def say(line: str) -> None:
        typer.echo(f"{time.monotonic() - began:5.0f} s  {line}", err=True)

    say(f"seed {seed}, {faults} faults; the homes are in {folder}")
    try:
        started = start_engine()
        report = Storms(folder, regions_of(regions)[0], seed, faults, "rondgang-storms", say).run()
    except (EngineFailed, NotStarted, VerbFailed, CannotStorm) as error:
        typer.echo(f"{error}\nLook at {folder}", err=True)
        sys.exit(1)
    finally:
        if started:
            stop_engine()
    end(report, page(report, f"python -m tests.storms --faults {faults}"), folder, out, as_json=as_json)


if __name__ == "__main__":
    typer.run(storms)
