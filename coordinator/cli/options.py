"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Our folder; else $RONDGANG_COORDINATOR_HOME (the desk's own verbs) or $RONDGANG_HOME.",
        file_okay=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
ProgrammeArgument = Annotated[Path, typer.Argument(help="The programme, a YAML file.", dir_okay=False)]
RunArgument = Annotated[str, typer.Argument(help="The run, as `submit` printed it.")]
