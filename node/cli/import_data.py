"""`rondgang node import`: delivered files become the cohort's current snapshot. Printing and exit codes only."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from node.errors import BadHome, HomeBusy, NodeError, Unreachable
from node.home import find_home
from node.importing.problems import BadImport
from node.journal import place_of
from node.operations import Declined, record_import
from policies.pages.words import say
from policies.study.text import Language

if TYPE_CHECKING:  # the reading side loads numpy and pyarrow, which no other verb needs
    from node.home import Home
    from node.importing.run import ImportResult

REFUSED, BAD_INPUT, TRY_LATER = 1, 2, 75


def import_command(
    sources: Annotated[
        list[Path], typer.Argument(metavar="FOLDER_OR_FILES", help="household, adult, child: CSV, Parquet")
    ],
    cohort: Annotated[str, typer.Option(help="The cohort in the calendar, such as c3.")],
    codebook: Annotated[str | None, typer.Option(help="id@version; needed where several are adopted.")] = None,
    delimiter: Annotated[str, typer.Option(help="auto, semicolon, comma or tab.")] = "auto",
    home: Annotated[Path | None, typer.Option(help="The node's folder; else $RONDGANG_HOME.")] = None,
    lang: Annotated[str | None, typer.Option(help="nl or en; else as in config.yaml.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report for programs.")] = False,
) -> None:
    """Reads microdata into the region's own snapshot. The data stays here; the report counts problems for you alone.

    A folder or files named household, adult and child: CSV (UTF-8, long: one row per unit and wave) or Parquet.

    Example: rondgang node import delivery/ --cohort c3 --codebook cohort3@1
    """
    words: Language = "en" if lang == "en" else "nl"
    if lang not in (None, "nl", "en"):
        _stop(BAD_INPUT, say("import.bad.lang", words))
    try:
        node = find_home(home)
        words = words if lang else node.config().lang
        with _busy(words):
            result = _imported(node, tuple(sources), cohort, codebook, delimiter)
    except BadHome as error:
        _stop(BAD_INPUT, str(error))
    except BadImport as error:
        _stop(BAD_INPUT, error.sentence(words))
    except OSError as error:
        _stop(REFUSED, say("import.bad.writing", words, reason=error.strerror or type(error).__name__))
    except Exception as error:
        # The message of an unforeseen fault may quote a value; its place in the program may not.
        _stop(REFUSED, say("import.fault", words, place=place_of(error)))
    _record(node, result, words)
    _print(result, words, as_json)


def _imported(home: Home, sources: tuple[Path, ...], cohort: str, codebook: str | None, delimiter: str) -> ImportResult:
    from node.importing.request import prepare
    from node.importing.run import import_files

    return import_files(prepare(home, sources, cohort, codebook, delimiter))


def _record(home: Home, result: ImportResult, lang: Language) -> None:
    """The ledger makes the snapshot current. One that it declines is removed; after a fault it stays: nobody knows."""
    from node.importing.write import discard

    snapshot = result.snapshot
    try:
        outcome = record_import(home, snapshot.id, snapshot.cohort, snapshot.codebook_hash)
    except (HomeBusy, Unreachable) as error:
        _stop(TRY_LATER, say("import.not_recorded", lang, reason=str(error)))
    except NodeError as error:
        _stop(REFUSED, say("import.not_recorded", lang, reason=str(error)))
    if isinstance(outcome, Declined):
        discard(snapshot)
        _stop(REFUSED, say("import.not_recorded", lang, reason=outcome.sentence))


def _print(result: ImportResult, lang: Language, as_json: bool) -> None:
    report, snapshot = result.report, result.snapshot
    if as_json:
        typer.echo(report.to_json())
        return
    for line in report.lines(lang):
        typer.echo(line)
    typer.echo(say("import.report_at", lang, path=str(snapshot.folder / "report.json")))
    typer.echo(say("import.done", lang, snapshot=snapshot.id, cohort=snapshot.cohort, codebook=report.codebook))


def _busy(lang: Language) -> AbstractContextManager[object]:
    """Shows on a terminal that work goes on; one plain line elsewhere. Standard output is the report's."""
    from rich.console import Console  # every verb's start would pay for it

    console, sentence = Console(stderr=True), say("import.busy", lang)
    if console.is_terminal:
        return console.status(sentence)
    typer.echo(f"{sentence} ...", err=True)
    return nullcontext()


def _stop(code: int, sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)
