"""`rondgang node results`: what came back of the runs that this region answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from node.feedback import OneReturned, Returned

FILES = ("estimates.csv", "estimates.json", "results.html")


def results(
    run: Annotated[str | None, typer.Argument(help="The run; without it all are listed.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write in; without it one named after the run.", file_okay=False)
    ] = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lists what came back, or writes one run's figures: estimates.csv, estimates.json and a page to print.

    The figures are the national ones and this region's own, as the desk signed them. With --out and no run the newest
    one is written.

    Example: rondgang node results run-0123456789abcdef --out results
    """
    from node.operations import result, results

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        returned = results(found).returned if run is None else ()
        if run is None and (out is None or not returned):
            _list(terminal, returned)
            return
        wanted = run if run is not None else returned[-1].run
        one = result(found, wanted)
        if one is None:
            terminal.stop(REFUSED, "no_run", "node.results.no_run", run=wanted)
        _write(terminal, one, out or Path(wanted))


def _list(terminal: Terminal, returned: tuple[Returned, ...]) -> None:
    from rich.console import Console

    terminal.result({"results": [one.model_dump(mode="json") for one in returned]})
    if terminal.as_json:
        return
    if not returned:
        terminal.say("node.results.none")
        return
    Console().print(_table(terminal, returned))


def _table(terminal: Terminal, returned: tuple[Returned, ...]) -> object:
    from datetime import UTC, datetime

    from rich.table import Table

    table = Table(title=terminal.words("node.results.title"), title_justify="left")
    for column in ("run", "about", "cohort", "regions", "received"):
        table.add_column(terminal.words(f"node.results.{column}"), no_wrap=column == "run")
    for one in returned:
        about = terminal.words("node.results.unreadable") if one.title is None else one.title.in_language(terminal.lang)
        when = datetime.fromtimestamp(one.received, UTC).strftime("%Y-%m-%d %H:%MZ")
        regions = f"{one.included}/{one.expected}" if one.readable else ""
        table.add_row(one.run, about, one.cohort, regions, when)
    return table


def _write(terminal: Terminal, one: OneReturned, out: Path) -> None:
    from node.pages.result import Facts, page
    from policies.documents import from_canonical
    from policies.rules.result import Result, csv_text, json_text
    from policies.study.codebook import Codebook

    result = from_canonical(Result, one.result.encode("utf-8"))
    facts = Facts(
        digest=one.hash,
        region_name=one.region_name.in_language(terminal.lang),
        received=one.received,
        left_cohort=one.left_cohort,
        left_lifetime=one.left_lifetime,
        test_only=one.test_only,
        codebook=from_canonical(Codebook, one.codebook.encode("utf-8")) if one.codebook else None,
    )
    texts = (csv_text(result), json_text(result), page(result, facts, terminal.lang))
    paths = [out / name for name in FILES]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(BAD_INPUT, "not_written", "node.results.not_written", path=str(out), detail=detail)
    for path in paths:
        terminal.say("node.results.written", path=str(path))
    told = {"run": result.run, "revision": result.revision, "test_only": one.test_only}
    terminal.result(told | {"data": result.asked.programme.data, "files": [str(path) for path in paths]})
