"""`rondgang node import`: delivered files become the cohort's current snapshot, or are added to it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

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
    from node.importing.report import Report
    from node.importing.request import ImportRequest, Manner
    from node.importing.run import ImportResult
    from node.snapshots import Snapshot
    from node.terms import Terms

T = TypeVar("T")
Request = Callable[[], "ImportRequest"]

Sources = Annotated[list[Path], typer.Argument(metavar="FOLDER_OR_FILES", help="household, adult and child files.")]
Cohort = Annotated[str | None, typer.Option(help="The cohort in the calendar, such as c3.")]
Book = Annotated[
    str | None, typer.Option("--codebook", help="id@version, where several are adopted; with --suggest also a file.")
]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="What their columns and codes mean (YAML).")]
Delimiter = Annotated[str, typer.Option(help="Of CSV files: auto, semicolon, comma or tab.")]
Encoding = Annotated[
    str | None, typer.Option(help="Of CSV files: utf-8 (the default), latin-1, windows-1252 or utf-16.")
]
UrlFile = Annotated[
    Path | None, typer.Option("--database-url-file", help="For .sql files: a private file with postgresql://...")
]
Add = Annotated[bool, typer.Option("--add", help="Add new waves to the data in force.")]
Replace = Annotated[bool, typer.Option("--replace", help="Replace the data in force, also where that loses a wave.")]
Suggest = Annotated[bool, typer.Option("--suggest", help="Only draft a mapping and a codebook; needs no node.")]
Drafts = Annotated[Path | None, typer.Option("--out", help="With --suggest: the folder for the drafts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what an import would find; write nothing.")]
Page = Annotated[Path | None, typer.Option("--report", help="Also write the report as a page to print (HTML).")]


def import_command(
    sources: Sources,
    cohort: Cohort = None,
    codebook: Book = None,
    mapping: MappingFile = None,
    delimiter: Delimiter = "auto",
    encoding: Encoding = None,
    database: UrlFile = None,
    add: Add = False,
    replace: Replace = False,
    suggest: Suggest = False,
    out: Drafts = None,
    dry_run: DryRun = False,
    report: Page = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reads microdata into this region's snapshot and counts what was wrong with it. Nothing leaves this machine.

    Files are named household, adult and child, with one row per unit and wave: CSV (decimal comma or point), SPSS
    (.sav), Excel or Parquet, or a query on PostgreSQL (.sql, which can only read). Other names, columns and codes, and
    files with a column per wave or person, are told by a mapping; a mapping.yaml in the folder is used by itself, and
    --suggest drafts one. Counts and the numbers of the first rows are shown, and kept beside the snapshot, never a
    value; they are for the steward alone.

    With --add the files hold only waves that are new: they join the households and persons that are in force, known
    again by id, and nothing else changes. Without it the files replace what is in force, but lose no wave of it unless
    --replace says so. Either way it is a new snapshot: a question that was answered before is priced and charged anew.
    Superseded data are removed, and households that are to be forgotten are left out (`rondgang node forget`).

    Example: rondgang node import gezinnen.sav --suggest --out concept

    Example: rondgang node import delivery/ --cohort c3 --dry-run --report verslag.html

    Example: rondgang node import delivery/ --cohort c3 --codebook cohort3@1

    Example: rondgang node import delivery-t1/ --cohort c3 --add

    Example: rondgang node import gezinnen.sav --mapping mapping.yaml --cohort c3
    """
    if suggest:
        from node.cli.suggesting import Wanted, suggest_drafts

        suggest_drafts(Wanted(tuple(sources), codebook, delimiter, encoding, out), home, lang, as_json)
        return
    found, terminal = open_home(home, lang, as_json)
    if find_spec("pyarrow") is None:
        # An image that serves does without what reads files.
        terminal.stop(BAD_INPUT, "not_installed", "import.bad.not_installed", module="pyarrow")
    if add and replace:
        terminal.stop(BAD_INPUT, "both_ways", "import.bad.both_ways")
    if cohort is None:
        terminal.stop(BAD_INPUT, "no_cohort", "import.bad.no_cohort")
    manner: Manner = "add" if add else "replace" if replace else "keep"
    request = _request(found, tuple(sources), cohort, codebook, (delimiter, encoding, mapping, manner, database))
    with faults(terminal):
        if dry_run:
            _tell(terminal, _tried(terminal, request), report)
        else:
            _import(found, terminal, request, report)


def _request(
    home: Home, sources: tuple[Path, ...], cohort: str, codebook: str | None,
    wishes: tuple[str, str | None, Path | None, Manner, Path | None],
) -> Request:  # fmt: skip
    def prepared() -> ImportRequest:
        from node.importing.request import Wishes, prepare
        from node.operations import import_terms

        request = prepare(home, sources, cohort, codebook, Wishes(*wishes))
        return dataclasses.replace(request, terms=import_terms(home, cohort))

    return prepared


def _tried(terminal: Terminal, request: Request) -> Report:
    def work() -> Report:
        from node.importing.run import try_files

        prepared = request()
        with _busy(terminal):
            return try_files(prepared)

    return _guarded(terminal, work)


def _import(home: Home, terminal: Terminal, request: Request, page: Path | None) -> None:
    from node.importing.lock import importing

    with importing(home.root):
        result, terms = _imported(terminal, request)
        _record(home, terminal, result, terms)
        removed = _purged(home, terminal)
    _tell(terminal, result.report, page, result.snapshot, removed)


def _imported(terminal: Terminal, request: Request) -> tuple[ImportResult, Terms]:
    def work() -> tuple[ImportResult, Terms]:
        from node.importing.run import import_files

        prepared = request()
        with _busy(terminal):
            return import_files(prepared), prepared.terms

    return _guarded(terminal, work)


def _guarded(terminal: Terminal, work: Callable[[], T]) -> T:
    from node.errors import NodeError
    from node.importing.problems import BadImport
    from node.journal import place_of

    try:
        return work()
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


def _purged(home: Home, terminal: Terminal) -> int:
    """How many superseded and unfinished snapshots are gone. The ledger says which are in force."""
    from node.importing.purge import purge
    from node.operations import snapshots

    in_force = frozenset(one.snapshot for one in snapshots(home).held)
    try:
        return purge(home.root, in_force)
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(REFUSED, "not_removed", "data.not_removed", detail=detail)


def _tell(
    terminal: Terminal, report: Report, page: Path | None, snapshot: Snapshot | None = None, removed: int = 0
) -> None:
    """The report; `snapshot` None: of a trial, of which nothing is kept."""
    trial = snapshot is None
    if page is not None:
        _write_page(terminal, report, page, trial)
    if terminal.as_json:
        print(report.to_json())
        return
    if trial:
        terminal.say("data.trial")
    print("\n".join(report.lines(terminal.lang)))
    if page is not None:
        terminal.say("data.page_at", path=str(page))
    if removed:
        terminal.say("data.removed", count=removed)
    if snapshot is None:
        terminal.say("data.trial_done")
        return
    terminal.say("import.report_at", path=str(snapshot.folder / "report.json"))
    terminal.say("import.done", snapshot=snapshot.id, cohort=snapshot.cohort, codebook=report.codebook)


def _write_page(terminal: Terminal, report: Report, path: Path, trial: bool) -> None:
    import time

    from node.files import write_private
    from node.pages.import_report import page

    try:
        write_private(path, page(report, int(time.time()), terminal.lang, trial=trial).encode("utf-8"))
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(REFUSED, "page", "data.page_not_written", path=str(path), detail=detail)


def _busy(terminal: Terminal) -> AbstractContextManager[object]:
    """Shows on a terminal that work goes on, and says it once elsewhere. Standard output is the report's."""
    from rich.console import Console

    console, sentence = Console(stderr=True), terminal.words("import.busy")
    if console.is_terminal:
        return console.status(sentence)
    print(f"{sentence} ...", file=sys.stderr)
    return nullcontext()
