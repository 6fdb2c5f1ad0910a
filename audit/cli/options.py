"""Options that the witness's verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The witness's folder; else $RONDGANG_HOME.", file_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
