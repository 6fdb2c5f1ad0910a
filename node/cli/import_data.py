"""`rondgang node import`: delivered files become the cohort's current snapshot, or are added to it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import (
    BAD_INPUT,
    REFUSED,
    HomeOption,
    JsonOption,
    LangOption,
    Terminal,
    faults,
    open_home,
)

if TYPE_CHECKING:  # importing loads numpy and pyarrow, which no other verb needs
    from node.home import Home
    from node.importing.request import ImportRequest
    from node.importing.run import ImportResult
    from node.terms import Terms


def import_command(
    sources: Annotated[list[Path], typer.Argument(metavar="FOLDER_OR_FILES", help="household, adult and child files.")],
    cohort: Annotated[str, typer.Option(help="The cohort in the calendar, such as c3.")],
    codebook: Annotated[str | None, typer.Option(help="id@version; needed where several are adopted.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="What their columns and codes mean (YAML).")] = None,
    delimiter: Annotated[str, typer.Option(help="Of CSV files: auto, semicolon, comma or tab.")] = "auto",
    encoding: Annotated[
        str | None, typer.Option(help="Of CSV files: utf-8 (the default), latin-1, windows-1252 or utf-16.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Add new waves to the data in force.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the data in force, also where that loses a wave.")
    ] = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reads microdata into this region's snapshot and counts what was wrong with it. Nothing leaves this machine.

    Files are named household, adult and child, with one row per unit and wave: CSV (decimal comma or point), SPSS
    (.sav), Excel or Parquet. Other names, columns and codes, and files with a column per wave or person, are told by a
    mapping; a mapping.yaml in the folder is used by itself. Only counts are shown, and kept beside the snapshot; they
    are for the steward alone.

    With --add the files hold only waves that are new: they join the households and persons that are in force, known
    again by id, and nothing else changes. Without it the files replace what is in force, but lose no wave of it unless
    --replace says so. Either way it is a new snapshot: a question that was answered before is priced and charged anew.

    Example: rondgang node import delivery/ --cohort c3 --codebook cohort3@1

    Example: rondgang node import delivery-t1/ --cohort c3 --add

    Example: rondgang node import gezinnen.sav --mapping mapping.yaml --cohort c3
    """
    from node.operations import import_terms

    found, terminal = open_home(home, lang, as_json)
    try:
        from node.importing.request import Wishes, prepare
    except ModuleNotFoundError as absent:
        # An image that serves does without what reads files.
        terminal.stop(BAD_INPUT, "not_installed", "import.bad.not_installed", module=absent.name or "")
    if add and replace:
        terminal.stop(BAD_INPUT, "both_ways", "import.bad.both_ways")
    wishes = Wishes(delimiter, encoding, mapping, "add" if add else "replace" if replace else "keep")

    def request() -> ImportRequest:
        prepared = prepare(found, tuple(sources), cohort, codebook, wishes)
        return dataclasses.replace(prepared, terms=import_terms(found, cohort))

    with faults(terminal):
        result, terms = _imported(terminal, request)
        _record(found, terminal, result, terms)
    _tell(terminal, result)


def _imported(terminal: Terminal, request: Callable[[], ImportRequest]) -> tuple[ImportResult, Terms]:
    from node.errors import NodeError
    from node.importing.problems import BadImport
    from node.importing.run import import_files
    from node.journal import place_of

    try:
        prepared = request()
        with _busy(terminal):
            return import_files(prepared), prepared.terms
    except BadImport as error:
        terminal.stop(BAD_INPUT, error.reason, f"import.bad.{error.reason}", **error.fields)
    except NodeError:
        raise
    except OSError as error:
        terminal.stop(REFUSED, "writing", "import.bad.writing", detail=error.strerror or type(error).__name__)
    except Exception as error:
        # The message of an unforeseen fault may quote a value; its place in the program does not.
        terminal.stop(REFUSED, "fault", "import.fault", place=place_of(error))


def _record(home: Home, terminal: Terminal, result: ImportResult, terms: Terms) -> None:
    """The ledger makes the snapshot current. One that it declines is removed; after a fault it stays: nobody knows."""
    from node.importing.write import discard
    from node.operations import Declined, record_import

    snapshot = result.snapshot
    facts = (snapshot.id, snapshot.cohort, snapshot.codebook_hash)
    outcome = record_import(home, *facts, terms.snapshot, terms.most_cohorts)
    if isinstance(outcome, Declined):
        discard(snapshot)
        terminal.stop(REFUSED, "declined", "import.not_recorded", detail=outcome.sentence)


def _tell(terminal: Terminal, result: ImportResult) -> None:
    report, snapshot = result.report, result.snapshot
    if terminal.as_json:
        print(report.to_json())
        return
    print("\n".join(report.lines(terminal.lang)))
    terminal.say("import.report_at", path=str(snapshot.folder / "report.json"))
    terminal.say("import.done", snapshot=snapshot.id, cohort=snapshot.cohort, codebook=report.codebook)


def _busy(terminal: Terminal) -> AbstractContextManager[object]:
    """Shows on a terminal that work goes on, and says it once elsewhere. Standard output is the report's."""
    from rich.console import Console

    console, sentence = Console(stderr=True), terminal.words("import.busy")
    if console.is_terminal:
        return console.status(sentence)
    print(f"{sentence} ...", file=sys.stderr)
    return nullcontext()
