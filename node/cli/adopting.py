"""`rondgang node adopt`: documents that the consortium signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home, read_file

if TYPE_CHECKING:
    from node.home import Home
    from node.operations import Declined, Done


def adopt(
    files: Annotated[list[Path], typer.Argument(help="Signed rosters, calendars and codebooks.")],
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Puts documents into force that the consortium signed; the ledger notes their hashes.

    Example: rondgang node adopt roster.json
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        adopted = adopt_files(found, terminal, files)
    terminal.result({"adopted": [one.model_dump() for one in adopted]})


def adopt_files(home: Home, terminal: Terminal, files: list[Path]) -> list[Done]:
    """Adopts each file in turn and says so; stops with exit code 1 at the first that is declined."""
    from node.operations import adopt_document

    return [tell_adopted(terminal, adopt_document(home, read_file(path))) for path in files]


def tell_adopted(terminal: Terminal, outcome: Done | Declined) -> Done:
    """Says what came of an adoption; stops with exit code 1 where it was declined."""
    from node.operations import Declined

    if isinstance(outcome, Declined):
        terminal.stop(REFUSED, "declined", "node.adopt.declined", detail=outcome.sentence)
    kind = terminal.words(f"node.kind.{outcome.kind}")
    terminal.say("node.adopt.done" if outcome.new else "node.adopt.same", kind=kind, name=outcome.name)
    return outcome
