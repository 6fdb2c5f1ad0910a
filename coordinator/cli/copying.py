"""The verbs that copy the desk's store and put a copy back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rondgang.roles import Role

from coordinator.backup import Copied, back_up
from coordinator.backup import restore as put_back
from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import faults, say
from coordinator.home import Home
from coordinator.prices import Plain
from policies.study.text import some

_MEANING = """\
Runs that were opened since are not in it: submit their programmes again. Every region sends the answer that it stored,
and nothing is charged a second time. National sums that were finished since are with the regions; a new run of such a
programme costs anew. As a witness the desk has forgotten what it cosigned since: restore no other witness before every
region attends."""


def backup(
    out: Annotated[Path, typer.Option(help="File to write; replaced if it is there.", dir_okay=False)],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes a copy of the desk's store into one file; the desk may be running.

    Of a store in a database server it says how that is copied. Keys and certificates are not in it.

    Example: rondgang coordinator backup --out desk-2027-03-01.sqlite --home desk
    """
    with faults(as_json):
        copied = back_up(Home.find(home, Role.COORDINATOR), out)
    say(as_json, {"out": str(out), **_facts(copied)}, f"{_told(copied)} are in {out}.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.", dir_okay=False)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Where a store stands: keep it beside, under a name.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Puts a copy of the store in its place, while the desk is stopped, and says what an older store may not do.

    Example: rondgang coordinator restore desk-2027-03-01.sqlite --replace --home desk
    """
    with faults(as_json):
        copied, former = put_back(Home.find(home, Role.COORDINATOR), file, replace=replace)
    kept = [] if former is None else [f"The former store is kept: {former}."]
    facts: dict[str, Plain] = {"restored": str(file), "former": None if former is None else str(former)}
    say(as_json, {**facts, **_facts(copied)}, f"{_told(copied)} are back.", *kept, _MEANING)


def _facts(copied: Copied) -> dict[str, Plain]:
    return {"runs": copied.runs, "answers": copied.answers, "sums": copied.sums, "newest": copied.newest}


def _told(copied: Copied) -> str:
    newest = (
        ""
        if copied.newest is None
        else f", the newest of {time.strftime('%Y-%m-%d %H:%MZ', time.gmtime(copied.newest))}"
    )
    return (
        f"{some(copied.runs, 'run')}{newest}, {some(copied.answers, 'answer')} and {some(copied.sums, 'national sum')}"
    )
