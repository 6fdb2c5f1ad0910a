"""`rondgang node service`: what makes an operating system start the node by itself."""

from __future__ import annotations

import getpass
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from node.cli.terminal import BAD_INPUT, HomeOption, JsonOption, LangOption, open_home


class System(StrEnum):
    """The operating systems of `--for`."""

    systemd = "systemd"
    windows = "windows"


def service(
    system: Annotated[
        System | None, typer.Option("--for", help="systemd or windows; this machine's when left out.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The user that runs the node (systemd); you when left out.")] = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prints what makes this machine start the node by itself: a systemd unit, or PowerShell for Windows.

    Example: rondgang node service --user rondgang | sudo tee /etc/systemd/system/rondgang-node.service

    Example: rondgang node service --for windows > rondgang.ps1
    """
    from node.starting import NotAPath, Start, systemd_unit, windows_script

    found, terminal = open_home(home, lang, as_json)
    wanted = system or (System.windows if os.name == "nt" else System.systemd)
    command = Path(sys.executable).with_name("rondgang.exe" if wanted is System.windows else "rondgang")
    start = Start(command, found.root, user or getpass.getuser())
    try:
        text = systemd_unit(start) if wanted is System.systemd else windows_script(start)
    except NotAPath as error:
        terminal.stop(BAD_INPUT, "path", "run.service.path", path=str(error))
    if as_json:
        terminal.result({"for": wanted.value, "text": text})
        return
    print(text, end="")
    print(terminal.words(f"run.service.{wanted.value}"), file=sys.stderr)
