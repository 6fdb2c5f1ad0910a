"""`python -m compose.chaos`: the whole run, and its table."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from compose.chaos.ending import end
from compose.chaos.run import Chaos, Scale
from compose.chaos.table import page

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def chaos(
    kills: Annotated[int, typer.Option(min=40, help="How many nodes and processes of nodes are killed.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Fixes who dies, and when.")] = 1,
    out: Annotated[Path | None, typer.Option(help="File for the table; else it is printed.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Kills nodes, witnesses and the coordinator of a small federation on this machine, fails their disks, and audits.

    Ends with 0 if no debit was lost, no answer left without one, no ledger became unreadable and the auditor found
    nothing; else with 1, and the folder is left for a look.

    Example: python -m compose.chaos --kills 2000 --out docs/measurements/chaos.md
    """
    folder, began = Path(tempfile.mkdtemp(prefix="rondgang-chaos-")), time.monotonic()

    def say(line: str) -> None:
        typer.echo(f"{time.monotonic() - began:5.0f} s  {line}", err=True)

    report = Chaos(folder, seed, say).run(Scale.of(kills))
    end(report, page(report, f"python -m compose.chaos --kills {kills}"), folder, out, as_json=as_json)


if __name__ == "__main__":
    app()
