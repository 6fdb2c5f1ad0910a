"""`rondgang node approve`, `refuse` and `decisions`: the steward's word on one question, and the pages to file."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.questions import SHORT, find_question, plain
from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from rondgang.keys import SigningKey

    from node.approving import Heard, Proposal
    from node.home import Home
    from node.steward import Given
    from policies.rules.approval import DeclineReason


class Why(StrEnum):
    """Why not; the reason that whoever asked is told."""

    purpose = "purpose"
    price = "price"
    detail = "detail"
    timing = "timing"
    other = "other"


HashArgument = Annotated[
    str, typer.Argument(metavar="HASH", help="The programme's hash, or its first 8 digits or more.")
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key", help="The steward's key (PEM) where it is kept elsewhere, such as on a stick.", dir_okay=False
    ),
]
NoteOption = Annotated[str | None, typer.Option(help="For yourself: stays in this home, is sent and logged nowhere.")]
WithNoteOption = Annotated[bool, typer.Option("--with-note", help="Put the note on the page to file, too.")]


def approve(
    programme: HashArgument,
    key: KeyOption = None,
    note: NoteOption = None,
    with_note: WithNoteOption = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approves a question, once and for all its runs; the node then answers by itself. Signed with the steward's key.

    A page of the decision, to print and file, is written in the home's folder `decisions`.

    Example: rondgang node approve 1a2b3c4d5e6f
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        _decide(found, terminal, programme, key, None, note or "", with_note)


def refuse(
    programme: HashArgument,
    reason: Annotated[Why, typer.Option(help="What whoever asked is told.")],
    key: KeyOption = None,
    note: NoteOption = None,
    with_note: WithNoteOption = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuses a question, for one of a few reasons; also one that was approved, until it is answered.

    Example: rondgang node refuse 1a2b3c4d5e6f --reason detail --note "per wijk is te klein"
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        _decide(found, terminal, programme, key, reason.value, note or "", with_note)


def decisions(home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Lists the pages of your decisions, to print and file. They are copies: what counts is the ledger.

    Example: rondgang node decisions
    """
    from node.filing import filed

    found, terminal = open_home(home, lang, as_json)
    pages = filed(found)
    if not pages:
        terminal.say("decide.file.none")
    for one in pages:
        word, path = terminal.words(f"decide.file.word.{one.word}"), str(found.decisions / one.name)
        terminal.say("decide.file.line", date=one.day, decision=word, hash=one.digits, path=path)
    told = [
        {"day": one.day, "programme": one.digits, "word": one.word, "file": str(found.decisions / one.name)}
        for one in pages
    ]
    terminal.result({"decisions": told})


def steward_key(home: Home | None, terminal: Terminal, given: Path | None) -> SigningKey:
    """The steward's key from a file, or that of the home. Ends the verb with 2 where it cannot be read."""
    from node.steward import NoKey, key_file, read_key

    path = given if given is not None or home is None else key_file(home)
    if path is None:
        terminal.stop(BAD_INPUT, "no_key", "node.decide.bad_key", file="--key", detail="?")
    found = read_key(path)
    if isinstance(found, NoKey):
        terminal.stop(BAD_INPUT, "bad_key", "node.decide.bad_key", file=found.file, detail=found.detail)
    return found


def _decide(
    home: Home,
    terminal: Terminal,
    given: str,
    key: Path | None,
    reason: DeclineReason | None,
    note: str,
    with_note: bool,
) -> None:
    from node.approving import Unheard
    from node.steward import give_word

    one, signer = find_question(home, terminal, given), steward_key(home, terminal, key)
    told = give_word(home, signer, one, reason, int(time.time()), note, with_note)
    outcome = told.outcome
    if isinstance(outcome, Unheard):
        fields = {"fingerprint": signer.public.fingerprint, "sentence": outcome.sentence}
        fields["because"] = terminal.words(f"node.reason.{outcome.reason}") if outcome.reason else ""
        terminal.stop(REFUSED, outcome.why, f"node.decide.not.{outcome.why}", **fields)
    files = {"note": told.note, "page": told.page}
    paths = {name: None if path is None else str(path) for name, path in files.items()}
    terminal.result(outcome.model_dump(mode="json") | {"reason": reason} | paths)
    _print_outcome(terminal, one, outcome, reason)
    _print_files(terminal, told)


def _print_outcome(terminal: Terminal, one: Proposal, outcome: Heard, reason: DeclineReason | None) -> None:
    from policies.rules.approval import DECLINED_SENTENCES

    named = {"title": plain(one.title.in_language(terminal.lang)), "hash": one.hash[:SHORT]}
    if not outcome.new:
        terminal.say("node.decide.same", **named)
    elif reason is None:
        terminal.say("node.decide.approved", **named)
    else:
        terminal.say("node.decide.declined", reason=terminal.words(f"node.decide.reason.{reason}"), **named)
        terminal.say("node.decide.they_read", sentence=DECLINED_SENTENCES[reason])
    if outcome.charged and reason is not None:
        terminal.say("node.decide.charge_stays")


def _print_files(terminal: Terminal, told: Given) -> None:
    if told.note is not None:
        terminal.say("node.decide.note", path=str(told.note))
    if told.page is not None:
        terminal.say("decide.file.written", path=str(told.page))
    if told.not_filed:
        terminal.say("decide.file.not_written", detail=told.not_filed)
