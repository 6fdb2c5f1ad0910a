"""`rondgang node forget`: households whose consent is withdrawn are left out from the next import on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from node.home import Home

_MOST_BYTES = 64 << 20


def forget(
    households: Annotated[list[str] | None, typer.Argument(help="Ids as they stand in the files.")] = None,
    cohort: Annotated[str | None, typer.Option(help="The cohort in the calendar, such as c3.")] = None,
    file: Annotated[Path | None, typer.Option(help="A text file with an id on each line.", dir_okay=False)] = None,
    show: Annotated[bool, typer.Option("--list", help="Say how many are listed and since when, never which.")] = False,
    back: Annotated[bool, typer.Option("--take-back", help="Take households off the list, listed by mistake.")] = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Has households forgotten whose consent is withdrawn. It takes effect with the next ordinary import.

    Ids are kept as keyed pseudonyms in a private file of this node, and stand in no log. The next import of the cohort
    leaves these households out and then removes the older data. Answers that were given before stay given.

    `--take-back` undoes a mistake: the household counts again once an import of the cohort delivers it.

    An id on the command line may stay in the history of your shell: for more than one use --file, and remove that file.

    Example: rondgang node forget --file ingetrokken.txt --cohort c3 --home fr
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        if show:
            _show(found, terminal)
            return
        if cohort is None or not (households or file):
            terminal.stop(BAD_INPUT, "usage", "data.forget.usage")
        change = _take_back if back else _forget
        _checked(found, terminal, cohort, _ids(terminal, households or [], file), change)


def _checked(
    home: Home,
    terminal: Terminal,
    cohort: str,
    ids: list[str],
    change: Callable[[Home, Terminal, str, list[str]], None],
) -> None:
    from node.importing.problems import BadImport
    from node.importing.request import check_cohort

    if not ids:
        terminal.stop(BAD_INPUT, "no_ids", "data.forget.none")
    try:
        check_cohort(home, cohort)
    except BadImport as error:
        terminal.stop(BAD_INPUT, error.reason, f"import.bad.{error.reason}", **error.fields)
    try:
        change(home, terminal, cohort, ids)
    except OSError as error:
        terminal.stop(REFUSED, "writing", "data.forget.writing", detail=error.strerror or type(error).__name__)


def _forget(home: Home, terminal: Terminal, cohort: str, ids: list[str]) -> None:
    from node.forgetting import forget as forget_households

    done = forget_households(home.root, cohort, ids, int(time.time()))
    terminal.result({"cohort": cohort, "new": done.new, "known": done.known})
    terminal.say("data.forget.done", new=done.new, known=done.known, cohort=cohort)
    terminal.say("data.forget.next", cohort=cohort)


def _take_back(home: Home, terminal: Terminal, cohort: str, ids: list[str]) -> None:
    from node.forgetting import take_back

    done = take_back(home.root, cohort, ids)
    terminal.result({"cohort": cohort, "taken": done.taken, "unknown": done.unknown})
    terminal.say("data.forget.taken", taken=done.taken, unknown=done.unknown, cohort=cohort)
    if done.taken:
        terminal.say("data.forget.again", cohort=cohort)


def _ids(terminal: Terminal, given: list[str], file: Path | None) -> list[str]:
    """The ids as import compares them. One that no file can hold is refused, without repeating it."""
    from node.importing.values import name_of

    text = ""
    if file is not None:
        try:
            with file.open("rb") as opened:
                text = opened.read(_MOST_BYTES + 1).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            terminal.stop(BAD_INPUT, "file", "data.forget.file", file=str(file))
        if len(text) > _MOST_BYTES:
            terminal.stop(BAD_INPUT, "file", "data.forget.file", file=str(file))
    names = [name_of(one.strip()) for one in (*given, *text.splitlines())]
    return [name for name in names if name]


def _show(home: Home, terminal: Terminal) -> None:
    from node.forgetting import listed
    from policies.pages.dates import date

    found = listed(home.root)
    terminal.result({
        "cohorts": [
            {"cohort": one.cohort, "households": one.households, "first": one.first, "last": one.last} for one in found
        ]
    })  # fmt: skip
    if not found:
        terminal.say("data.forget.nobody")
    for one in found:
        since, last = (date(at, terminal.lang) for at in (one.first, one.last))
        terminal.say("data.forget.listed", cohort=one.cohort, count=one.households, since=since, last=last)
