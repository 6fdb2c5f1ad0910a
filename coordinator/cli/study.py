"""The documents that a verb plans by: from files, or from the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coordinator.cli.looking import open_desk
from coordinator.cli.output import BAD_INPUT, stop
from policies.documents import load_yaml
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

CodebookOption = Annotated[
    Path | None, typer.Option(help="The codebook, a YAML file; the desk's when left out.", dir_okay=False)
]
CalendarOption = Annotated[
    Path | None, typer.Option(help="The calendar, a YAML file; the desk's when left out.", dir_okay=False)
]


def documents(
    label: str, codebook: Path | None, calendar: Path | None, home: Path | None, as_json: bool
) -> tuple[Codebook, Calendar]:
    """Both from files, or both from the desk, with the codebook of this name."""
    if codebook is not None and calendar is not None:
        return load_yaml(Codebook, codebook), load_yaml(Calendar, calendar)
    if codebook is not None or calendar is not None:
        stop(as_json, BAD_INPUT, "bad_input", "Give both --codebook and --calendar, or neither to ask the desk.")
    with open_desk(home) as desk:
        return desk.codebook(label), desk.calendar()
