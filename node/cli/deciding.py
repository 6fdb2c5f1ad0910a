"""`rondgang node pending`, `approve` and `refuse`: the steward's word on one programme.

What is printed of a programme was written by whoever asks: it is shown without the characters that steer a terminal.
"""

from __future__ import annotations

import shutil
import textwrap
import time
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from rondgang.keys import SigningKey

    from node.approving import Heard, Proposal, Question
    from node.home import Home
    from node.status import Amount
    from policies.rules.approval import DeclineReason

_SHOWN = 4
"""Statistics of a programme in the list of all; one by itself is shown whole."""
_SHORT = 12
_WIDEST = 110


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


def pending(
    programme: Annotated[str | None, typer.Argument(metavar="[HASH]", help="One of them in full.")] = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows the questions that wait for your decision: what for, by whom, at what price. Nothing is read from rows.

    Example: rondgang node pending

    Example: rondgang node pending 1a2b3c4d5e6f
    """
    from node.notes import read_notes
    from node.operations import pending

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        if programme is not None:
            one = _find(found, terminal, programme)
            notes = read_notes(found, one.hash)
            terminal.result(one.model_dump(mode="json") | {"notes": notes})
            if not as_json:
                _print_whole(terminal, one, notes)
            return
        waiting = pending(found).pending
    terminal.result({"pending": [one.model_dump(mode="json") for one in waiting]})
    if not as_json:
        _print_list(terminal, waiting)


def approve(
    programme: HashArgument,
    key: KeyOption = None,
    note: NoteOption = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approves a question, once and for all its runs; the node then answers by itself. Signed with the steward's key.

    Example: rondgang node approve 1a2b3c4d5e6f
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        _decide(found, terminal, programme, key, note, None)


def refuse(
    programme: HashArgument,
    reason: Annotated[Why, typer.Option(help="What whoever asked is told.")],
    key: KeyOption = None,
    note: NoteOption = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuses a question, for one of a few reasons; also one that was approved, until it is answered.

    Example: rondgang node refuse 1a2b3c4d5e6f --reason detail --note "per wijk is te klein"
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        _decide(found, terminal, programme, key, note, reason.value)


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
    home: Home, terminal: Terminal, given: str, key: Path | None, note: str | None, reason: DeclineReason | None
) -> None:
    from node.approving import Unheard
    from node.steward import give_word

    one, signer = _find(home, terminal, given), steward_key(home, terminal, key)
    told = give_word(home, signer, one.hash, reason, int(time.time()), note or "")
    outcome, kept = told.outcome, told.note
    if isinstance(outcome, Unheard):
        fields = {"fingerprint": signer.public.fingerprint, "sentence": outcome.sentence}
        fields["because"] = terminal.words(f"node.reason.{outcome.reason}") if outcome.reason else ""
        terminal.stop(REFUSED, outcome.why, f"node.decide.not.{outcome.why}", **fields)
    terminal.result(outcome.model_dump(mode="json") | {"reason": reason, "note": None if kept is None else str(kept)})
    _print_outcome(terminal, one, outcome, reason)
    if kept is not None:
        terminal.say("node.decide.note", path=str(kept))


def _print_outcome(terminal: Terminal, one: Proposal, outcome: Heard, reason: DeclineReason | None) -> None:
    from policies.rules.approval import DECLINED_SENTENCES

    named = {"title": plain(one.title.in_language(terminal.lang)), "hash": one.hash[:_SHORT]}
    if not outcome.new:
        terminal.say("node.decide.same", **named)
    elif reason is None:
        terminal.say("node.decide.approved", **named)
    else:
        terminal.say("node.decide.declined", reason=terminal.words(f"node.decide.reason.{reason}"), **named)
        terminal.say("node.decide.they_read", sentence=DECLINED_SENTENCES[reason])
    if outcome.charged and reason is not None:
        terminal.say("node.decide.charge_stays")


def _find(home: Home, terminal: Terminal, given: str) -> Proposal:
    """The one programme that goes by this hash; ends the verb where there is none, or several."""
    from node.approving import HASH, NotFound
    from node.operations import one_programme

    given = given.strip().lower()
    if not HASH.fullmatch(given):
        terminal.stop(BAD_INPUT, "bad_hash", "node.decide.bad_hash", given=plain(given)[:80])
    found = one_programme(home, given)
    if isinstance(found, NotFound):
        if found.matches:
            terminal.stop(BAD_INPUT, "several", "node.decide.several", given=given, count=len(found.matches))
        terminal.stop(REFUSED, "unknown", "node.decide.unknown", given=given)
    return found


def _print_list(terminal: Terminal, waiting: tuple[Proposal, ...]) -> None:
    if not waiting:
        terminal.say("node.pending.none")
        return
    terminal.say("node.pending.one" if len(waiting) == 1 else "node.pending.many", count=len(waiting))
    for one in waiting:
        print(f"\n{one.hash[:_SHORT]}  {plain(one.title.in_language(terminal.lang))} ({one.id})")
        _print_facts(terminal, one, one.questions[:_SHOWN])
    print()
    terminal.say("node.pending.how")
    terminal.say("node.pending.nothing_from_rows")


def _print_whole(terminal: Terminal, one: Proposal, notes: str) -> None:
    print(f"{plain(one.title.in_language(terminal.lang))} ({one.id})")
    _print_field(terminal, "hash", [one.hash])
    reason = one.refused and terminal.words(f"node.reason.{one.refused}")
    if one.state == "declined":
        reason = terminal.words(f"node.decide.reason.{one.reason}")
    _print_field(
        terminal, "stands", [terminal.words(f"node.pending.state.{one.state}", reason=reason, sentence=one.sentence)]
    )
    _print_facts(terminal, one, one.questions)
    if notes:
        _print_field(terminal, "notes", [plain(line) for line in notes.splitlines()])
    terminal.say("node.pending.nothing_from_rows")


def _print_facts(terminal: Terminal, one: Proposal, questions: tuple[Question, ...]) -> None:
    asks = [_asks(terminal, question) for question in questions]
    if len(questions) < len(one.questions):
        more = len(one.questions) - len(questions)
        asks.append(terminal.words("node.pending.more", count=more, hash=one.hash[:_SHORT]))
    left = {"cohort": amount_words(terminal, one.left_cohort), "lifetime": amount_words(terminal, one.left_lifetime)}
    who = {"requester": plain(one.requester), "researcher": plain(one.researcher)}
    _print_field(terminal, "purpose", [plain(one.purpose)])
    _print_field(terminal, "asked_by", [terminal.words("node.pending.signed_by", **who)])
    cohort = terminal.words("node.pending.of_regions", cohort=one.cohort, count=one.regions)
    _print_field(terminal, "cohort", [cohort])
    _print_field(terminal, "price", [amount_words(terminal, one.price)])
    _print_field(terminal, "left", [terminal.words("node.pending.left_is", **left)])
    _print_field(terminal, "asks", asks)
    _print_field(terminal, "came", [_moment(one.came)])
    _print_field(terminal, "deadline", [_moment(one.deadline)])
    marks = {"synthetic": one.data == "synthetic", "test_only": one.test_only, "paid": one.charged}
    for name in (name for name, marked in marks.items() if marked):
        print(f"  {terminal.words(f'node.pending.{name}')}")


def _print_field(terminal: Terminal, name: str, lines: list[str]) -> None:
    """A name and what belongs to it, wrapped beside it."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    first = f"  {terminal.words(f'node.pending.{name}'):<14} "
    for line in lines:
        print(
            "\n".join(textwrap.wrap(line, width, initial_indent=first, subsequent_indent=" " * len(first)) or [first])
        )
        first = " " * len(first)


def _asks(terminal: Terminal, question: Question) -> str:
    """A statistic in words: what it counts, by which keys, and the labels of the variables in it."""
    from node.pages.phrases import Phrases

    statistic = question.statistic
    by = terminal.words("node.pending.by", keys=", ".join(statistic.by)) if statistic.by else ""
    labelled = [
        f"{name}: {plain(label.in_language(terminal.lang))}" for name, label in question.variables.items() if label
    ]
    names = terminal.words("node.pending.variables", names="; ".join(labelled)) if labelled else ""
    fields = {"counted": Phrases(None, terminal.lang).statistic(statistic), "by": by, "variables": names}
    return terminal.words("node.pending.figure", id=statistic.id, **fields)


def amount_words(terminal: Terminal, one: Amount) -> str:
    """An amount in both currencies; epsilon rounded up."""
    from policies.pages.numbers import at_most, exact

    rho, epsilon = exact(Decimal(one.rho), terminal.lang), at_most(Decimal(one.epsilon), 2, terminal.lang)
    return terminal.words("node.pending.amount", rho=rho, epsilon=epsilon)


def _moment(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%MZ")


def plain(text: str) -> str:
    """A stranger's text on one line, without characters that steer a terminal or turn the reading direction."""
    return "".join(character if character.isprintable() else " " for character in text)
