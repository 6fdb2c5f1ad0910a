"""`rondgang node doctor`: what could keep the node from working, and what to do about it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from node.doctor.lines import Line


def doctor(
    send_safe: Annotated[
        Path | None, typer.Option("--send-safe", help="Also write a file for whoever helps you, free of data.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Dial nobody.")] = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Looks at clock, disk, rights, certificates, documents, data, ledger and the way out; says what to do.

    Ends with 1 where something is broken. Changes nothing, and asks nothing of anybody.

    Example: rondgang node doctor

    Example: rondgang node doctor --send-safe doctor.json
    """
    from node.doctor.examine import examine
    from node.doctor.lines import worst
    from node.doctor.safe import support

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        lines = examine(found, away=not offline)
        if send_safe is not None:
            send_safe.write_bytes(support(found, lines, int(time.time())))
    if not as_json:
        _print(terminal, lines)
        if send_safe is not None:
            terminal.say("getin.doctor.sent", path=str(send_safe))
    told = [line.model_dump() | {"sentence": sentence(terminal, line)} for line in lines]
    terminal.result({"worst": worst(lines), "lines": told})
    if worst(lines) == "broken":
        raise typer.Exit(REFUSED)


def sentence(terminal: Terminal, line: Line) -> str:
    """A line in words: how it is, and what to do."""
    return terminal.words(f"getin.doctor.{line.code}", **line.fields)


def _print(terminal: Terminal, lines: tuple[Line, ...]) -> None:
    from node.doctor.lines import worst

    width = max(len(terminal.words(f"getin.level.{level}")) for level in ("ok", "warning", "broken"))
    for line in lines:
        print(f"{terminal.words(f'getin.level.{line.level}'):<{width}}  {sentence(terminal, line)}")
    print()
    terminal.say(f"getin.doctor.worst.{worst(lines)}")
