"""Setting a federation up with the very commands its users type, without starting a process for each."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import typer

_INTERRUPTED = 130
"""What a command ends with after Ctrl-C."""


class VerbFailed(Exception):
    """A command ended with another exit code than 0; carries what it printed."""

    def __init__(self, command: str, code: int, printed: str) -> None:
        self.command, self.code, self.printed = command, code, printed
        super().__init__(f"`rondgang {command}` ended with exit code {code}:\n{printed}")


def run(app: typer.Typer, name: str, *arguments: str | Path) -> str:
    """What `rondgang NAME ARGUMENTS...` prints on standard output. Raises VerbFailed unless it ends with 0.

    Ctrl-C ends the caller as well: raises KeyboardInterrupt.
    """
    printed, told = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(told):
        try:
            command = typer.main.get_command(app)
            code = command.main([str(a) for a in arguments], prog_name=f"rondgang {name}", standalone_mode=False) or 0
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 1
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    if code != 0:
        words = " ".join([name, *(str(a) for a in arguments)])
        raise VerbFailed(words, code, printed.getvalue() + told.getvalue())
    return printed.getvalue()
