"""`rondgang node backup` and `restore`: an encrypted copy of the home, that gives no budget back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from node.cli.terminal import (
    BAD_INPUT,
    REFUSED,
    HomeOption,
    JsonOption,
    Lang,
    LangOption,
    Terminal,
    faults,
    open_home,
    read_file,
)

if TYPE_CHECKING:
    from node.backup import BadBackup

PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file whose first line is the passphrase; asked for when left out."),
]


def backup(
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is replaced.", dir_okay=False)],
    passphrase: PassphraseOption = None,
    keys: Annotated[bool, typer.Option("--keys/--without-keys", help="Whether private keys go into it.")] = True,
    data: Annotated[bool, typer.Option("--data/--without-data", help="Whether the rows go into it.")] = True,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the whole home into one encrypted file; the node may be serving meanwhile.

    A backup never gives budget back: what was charged since then is known to the witnesses.

    Example: rondgang node backup --out FR-2027-03-01.backup
    """
    from node.backup import BadBackup, back_up

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        try:
            secret = _passphrase(terminal, passphrase, again=True)
            made = back_up(found, out, secret, int(time.time()), keys=keys, data=data)
        except BadBackup as error:
            _refuse(terminal, error)
    terminal.say("run.backup.done", path=str(out), entries=made.entries)
    for left_out, key in ((not keys, "run.backup.without_keys"), (not data, "run.backup.without_data")):
        if left_out:
            terminal.say(key)
    terminal.result({"file": str(out), "region": made.region, "entries": made.entries, "keys": keys, "data": data})


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.", dir_okay=False)],
    home: Annotated[Path, typer.Option("--home", help="The folder to make; it must not exist, or be empty.")],
    passphrase: PassphraseOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes a node's home again from a backup.

    If the node did anything after the backup was made, the witnesses know, and the restored one repeats earlier answers
    only: `rondgang node recover` then starts a new ledger that counts all that was left as spent.

    Example: rondgang node restore FR-2027-03-01.backup --home /srv/rondgang
    """
    from node.backup import BadBackup
    from node.backup import restore as restored

    terminal = Terminal("nl" if lang is None else Lang(lang).value, as_json)
    with faults(terminal):
        try:
            made = restored(file, home, _passphrase(terminal, passphrase, again=False))
        except BadBackup as error:
            _refuse(terminal, error)
    day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(made.made))
    terminal.say("run.restore.done", region=made.region, home=str(home), made=day, entries=made.entries)
    terminal.say("run.restore.no_budget")
    terminal.say("run.restore.forgotten")
    for there, key in ((made.keys, "run.restore.no_keys"), (made.data, "run.restore.no_data")):
        if not there:
            terminal.say(key)
    terminal.result({"home": str(home), "region": made.region, "made": made.made, "entries": made.entries})


def _passphrase(terminal: Terminal, file: Path | None, *, again: bool) -> str:
    if file is not None:
        return read_file(file).decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
    return str(
        typer.prompt(
            terminal.words("run.passphrase"),
            hide_input=True,
            err=True,
            confirmation_prompt=terminal.words("run.passphrase_again") if again else False,
        )
    )


def _refuse(terminal: Terminal, error: BadBackup) -> NoReturn:
    code = BAD_INPUT if error.reason in ("unreadable", "not_a_backup", "short_passphrase") else REFUSED
    terminal.stop(code, error.reason, f"run.bad.{error.reason}", **error.fields)
