"""How a run of faults ends: its table is written or printed, and what was violated leaves the folder for a look."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sized
from pathlib import Path
from typing import Any, Protocol

import typer


class Judged(Protocol):
    """What a run of faults came to."""

    @property
    def violations(self) -> Sized: ...

    def to_json(self) -> Any: ...


def end(report: Judged, text: str, folder: Path, out: Path | None, *, as_json: bool) -> None:
    """Writes the table to `out`, or prints it; with `as_json` prints the report as one JSON object.

    Removes `folder`; where anything was violated it stays, and the process ends with 1.
    """
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    elif out is None:
        typer.echo(text)
    if report.violations:
        typer.echo(f"Look at {folder}", err=True)
        sys.exit(1)
    shutil.rmtree(folder)
