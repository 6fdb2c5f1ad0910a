"""`rondgang node pending`: the questions that wait, each in words, with its price, what it tells and an example.

What is printed of a programme was written by whoever asks: it is shown without the characters that steer a terminal.
"""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home
from policies.pages.words import one_or_many

if TYPE_CHECKING:
    from node.approving import Proposal
    from node.home import Home
    from node.pages.examples import Line
    from node.pages.explained import Explained
    from node.status import Amount
    from node.understanding import Understood

_SHOWN = 4
"""Statistics of a programme in the list of all; one by itself is shown whole."""
SHORT = 12
_WIDEST = 110


def pending(
    programme: Annotated[str | None, typer.Argument(metavar="[HASH]", help="One of them in full.")] = None,
    example: Annotated[
        bool, typer.Option("--example", help="With HASH: what would leave, shown on invented households.")
    ] = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows the questions that wait for your decision: what for, by whom, at what price. Nothing is read from rows.

    One in full also says how sharp its figures are expected to be here and nationally.

    Example: rondgang node pending

    Example: rondgang node pending 1a2b3c4d5e6f --example
    """
    from node.operations import pending

    found, terminal = open_home(home, lang, as_json)
    if example and programme is None:
        terminal.stop(BAD_INPUT, "no_hash", "decide.example.which")
    with faults(terminal):
        if programme is not None:
            _one(found, terminal, find_question(found, terminal, programme), example)
            return
        waiting = pending(found).pending
        terminal.result({"pending": [one.model_dump(mode="json") for one in waiting]})
        if not as_json:
            _print_list(found, terminal, waiting)


def find_question(home: Home, terminal: Terminal, given: str) -> Proposal:
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


def amount_words(terminal: Terminal, one: Amount) -> str:
    """An amount in both currencies; epsilon rounded up."""
    from node.pages.decision import amount_words

    return amount_words(one, terminal.lang)


def plain(text: str) -> str:
    """A stranger's text on one line, without characters that steer a terminal or turn the reading direction."""
    return "".join(character if character.isprintable() else " " for character in text)


def _one(home: Home, terminal: Terminal, one: Proposal, wanted: bool) -> None:
    """One question in full, for a person or a program; with an example where that is wanted."""
    from node.notes import read_notes
    from node.pages.explained import explain
    from node.understanding import understand

    notes, understood = read_notes(home, one.hash), understand(home, one.hash)
    gains = [] if understood is None else [asdict(gain) for gain in understood.gains()]
    told = one.model_dump(mode="json") | {"notes": notes, "gains": gains}
    if not terminal.as_json:
        _print_whole(terminal, one, notes, explain(one, understood, terminal.lang))
    if wanted:
        told["example"] = _example(home, terminal, understood)
    terminal.result(told)


def _example(home: Home, terminal: Terminal, understood: Understood | None) -> object:
    """Makes an example and prints it; what a program is told of it. Ends the verb where there is none."""
    if understood is None:
        terminal.stop(REFUSED, "no_codebook", "decide.example.none")
    from node.example.release import example, figures_of
    from node.pages.examples import tell
    from node.vectors.sums import SumsFailed

    try:
        made = example(home, understood)
    except (OSError, SumsFailed) as error:
        terminal.stop(REFUSED, "no_example", "decide.example.failed", detail=type(error).__name__)
    if not terminal.as_json:
        told = tell(made, understood.codebook, terminal.lang)
        print(f"\n{terminal.words('decide.example.heading')}")
        for sentence in (told.banner, told.noisy):
            print(textwrap.fill(sentence, _width(), initial_indent="  ", subsequent_indent="  "))
        for line in told.lines:
            _print_example(terminal, line)
    return [
        {
            "statistic": shown.statistic.id,
            "invented": True,
            "leaves": {one.block: list(one.numbers) for one in shown.vectors},
            "figures": [
                {"cell": dict(cell), "noisy": noisy, "without_noise": exact}
                for cell, (noisy, exact) in figures_of(shown).items()
            ],
        }
        for shown in made.statistics
    ]


def _print_example(terminal: Terminal, line: Line) -> None:
    told = f"{line.id}: {plain(line.counted)}"
    print(f"\n{textwrap.fill(told, _width(), initial_indent='  ', subsequent_indent='    ')}")
    print(f"    {terminal.words('decide.example.masked' if line.national else 'decide.example.leaves')}:")
    for numbers in line.leaves:
        print(textwrap.fill(numbers, _width(), initial_indent="      ", subsequent_indent="        "))
    if line.later:
        terminal.say("decide.example.later")
        return
    heads = terminal.words("decide.example.reads"), terminal.words("decide.example.without")
    wide = max(len(row.cell) for row in line.rows)
    print(f"    {'':<{wide}}  {heads[0]:>14}  {heads[1]:>14}")
    for row in line.rows:
        print(f"    {row.cell:<{wide}}  {row.noisy:>14}  {row.plain:>14}")
    if line.more:
        print(f"    {terminal.words('decide.example.more', count=line.more)}")


def _print_list(home: Home, terminal: Terminal, waiting: tuple[Proposal, ...]) -> None:
    from node.pages.explained import explain
    from node.understanding import understand

    if not waiting:
        terminal.say("node.pending.none")
        return
    terminal.say(one_or_many("node.pending", len(waiting)), count=len(waiting))
    for one in waiting:
        print(f"\n{one.hash[:SHORT]}  {plain(one.title.in_language(terminal.lang))} ({one.id})")
        _print_facts(terminal, one, explain(one, understand(home, one.hash), terminal.lang), short=True)
    print()
    terminal.say("node.pending.how")
    terminal.say("node.pending.nothing_from_rows")


def _print_whole(terminal: Terminal, one: Proposal, notes: str, asked: tuple[Explained, ...]) -> None:
    print(f"{plain(one.title.in_language(terminal.lang))} ({one.id})")
    _print_field(terminal, "hash", [one.hash])
    reason = one.refused and terminal.words(f"node.reason.{one.refused}")
    if one.state == "declined":
        reason = terminal.words(f"node.decide.reason.{one.reason}")
    _print_field(
        terminal, "stands", [terminal.words(f"node.pending.state.{one.state}", reason=reason, sentence=one.sentence)]
    )
    _print_facts(terminal, one, asked, short=False)
    if notes:
        _print_field(terminal, "notes", [plain(line) for line in notes.splitlines()])
    _print_variables(terminal, asked)
    terminal.say("node.pending.nothing_from_rows")


def _print_facts(terminal: Terminal, one: Proposal, asked: tuple[Explained, ...], *, short: bool) -> None:
    from node.pages.explained import cohort_words

    shown = asked[:_SHOWN] if short else asked
    lines = [_asks(terminal, figure) for figure in shown]
    if len(shown) < len(asked):
        lines.append(terminal.words("node.pending.more", count=len(asked) - len(shown), hash=one.hash[:SHORT]))
    left = {"cohort": amount_words(terminal, one.left_cohort), "lifetime": amount_words(terminal, one.left_lifetime)}
    who = {"requester": plain(one.requester), "researcher": plain(one.researcher)}
    _print_field(terminal, "purpose", [plain(one.purpose)])
    _print_field(terminal, "asked_by", [terminal.words("node.pending.signed_by", **who)])
    _print_field(terminal, "cohort", [cohort_words(one, terminal.lang)])
    _print_field(terminal, "price", [amount_words(terminal, one.price)])
    _print_field(terminal, "left", [terminal.words("node.pending.left_is", **left)])
    _print_field(terminal, "asks", lines)
    _print_field(terminal, "came", [_moment(one.came)])
    _print_field(terminal, "deadline", [_moment(one.deadline)])
    marks = {"synthetic": one.data == "synthetic", "test_only": one.test_only, "paid": one.charged}
    for name in (name for name, marked in marks.items() if marked):
        print(f"  {terminal.words(f'node.pending.{name}')}")


def _asks(terminal: Terminal, one: Explained) -> str:
    """A statistic in words: what it counts, by which keys, and how sharp it is expected to be."""
    by = terminal.words("node.pending.by", keys=", ".join(map(plain, one.by))) if one.by else ""
    told = f"{one.id}: {plain(one.counted)}{by}"
    if not one.together:
        return told
    return f"{told} [{terminal.words('decide.gain.line', here=one.here, together=one.together)}]"


def _print_variables(terminal: Terminal, asked: tuple[Explained, ...]) -> None:
    """Every variable that is touched, once, with what the codebook calls it and its categories."""
    known = {variable.name: variable for one in asked for variable in one.variables}
    lines = []
    for name, one in sorted(known.items()):
        label = f": {plain(one.label)}" if one.label else ""
        lines.append(f"{name}{label}" + (f" ({', '.join(map(plain, one.categories))})" if one.categories else ""))
    if lines:
        _print_field(terminal, "touches", lines)


def _print_field(terminal: Terminal, name: str, lines: list[str]) -> None:
    """A name and what belongs to it, wrapped beside it."""
    key = "decide.variables" if name == "touches" else f"node.pending.{name}"
    first = f"  {terminal.words(key):<14} "
    for line in lines:
        print(
            "\n".join(
                textwrap.wrap(line, _width(), initial_indent=first, subsequent_indent=" " * len(first)) or [first]
            )
        )
        first = " " * len(first)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, _WIDEST)


def _moment(second: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%MZ")
