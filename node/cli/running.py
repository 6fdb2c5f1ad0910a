"""`rondgang node serve` and `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.cli.terminal import HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from node.status import Amount, Status, Trouble


_SHOWN_ATTEMPTS = 10


def serve(home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Attends to the desk and answers what the policy allows, until Ctrl-C or SIGTERM. Dials out only.

    Example: rondgang node serve
    """
    from rondgang.versions import SPOKEN

    from node.serving import Served
    from node.serving import serve as serve_home

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        config = found.config()
        region, desk = config.region, config.coordinator.address

        def attending() -> None:
            terminal.say("node.serve.attending", region=region, coordinator=desk)
            terminal.result({"event": "attending", "region": region, "coordinator": desk})

        def troubled(trouble: Trouble | None) -> None:
            if trouble is None:
                terminal.say("node.trouble.over")
                terminal.result({"event": "trouble_over", "region": region})
            else:
                _trouble(terminal, trouble)
                terminal.result({"event": "trouble", "region": region, **trouble.model_dump()})

        serve_home(found, Served(attending, troubled, f"rondgang node, contract {max(SPOKEN)}"))
    terminal.say("node.serve.stopped", region=region)
    terminal.result({"event": "stopped", "region": region})


def status(home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Tells how the node is doing: in one sentence, then budget and newest decisions.

    Example: rondgang node status
    """
    from node.operations import facts, pending
    from node.operations import status as status_of_home
    from node.sentence import state_of

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        shown = status_of_home(found)
        waiting = 0 if shown.missing or as_json else len(pending(found).pending)
        sentence = "" if as_json else state_of(shown, facts(found), waiting, terminal.lang).sentence
    terminal.result(shown)
    if not as_json:
        _print(terminal, shown, sentence)


def _print(terminal: Terminal, status: Status, sentence: str) -> None:
    from rich.console import Console

    print(sentence)
    if status.connected:
        desk, answered = status.coordinator, status.answered
        terminal.say("node.status.attending", region=status.region, coordinator=desk, answered=answered)
    if status.test_only:
        terminal.say("node.status.test_only")
    if status.trouble is not None:
        _trouble(terminal, status.trouble)
    terminal.say("node.status.log", entries=status.entries, epoch=status.epoch, cosigned=status.cosigned)
    if status.dead_debits:
        terminal.say("node.status.dead", count=status.dead_debits)
    console = Console()
    if status.awaits_inheritance:
        terminal.say("node.status.awaits_inheritance")
    if status.budgets:
        console.print(_budgets(terminal, status))
        terminal.say(f"node.status.most.{_cohorts(status.most_cohorts)}", most=status.most_cohorts or 0)
    if status.attempts:
        console.print(_attempts(terminal, status))
    if status.witnesses:
        console.print(_witnesses(terminal, status))
    console.print(_decisions(terminal, status))


def _trouble(terminal: Terminal, trouble: Trouble) -> None:
    terminal.say(f"node.trouble.{trouble.kind}", **trouble.model_dump(exclude={"kind"}))


def _budgets(terminal: Terminal, status: Status) -> object:
    from rich.table import Table

    table = Table(title=terminal.words("node.status.budget"), title_justify="left")
    for column in ("cohort", "cap", "spent", "left", "data"):
        table.add_column(terminal.words(f"node.status.{column}"), justify="left" if column == "cohort" else "right")
    for budget in status.budgets:
        name = budget.cohort or terminal.words("node.status.together")
        data = terminal.words("node.status.present" if budget.snapshot else "node.status.absent")
        table.add_row(name, *(_both(one) for one in (budget.cap, budget.spent, budget.left)), data)
    return table


def _cohorts(most: int | None) -> str:
    return "all" if most is None else "one" if most == 1 else "some"


def _both(amount: Amount) -> str:
    return f"{amount.rho} ({amount.epsilon})"


def _attempts(terminal: Terminal, status: Status) -> object:
    from rich.table import Table

    table = Table(title=terminal.words("node.status.attempts"), title_justify="left")
    for column in ("run", "programme", "attempt", "state"):
        table.add_column(terminal.words(f"node.attempt.{column}"), no_wrap=column == "run")
    for one in status.attempts[-_SHOWN_ATTEMPTS:]:
        table.add_row(one.run, one.programme[:24], str(one.attempt), terminal.words(f"node.attempt.state.{one.state}"))
    return table


def _witnesses(terminal: Terminal, status: Status) -> object:
    from rich.table import Table

    table = Table(title=terminal.words("node.status.witnesses"), title_justify="left")
    for column in ("witness", "address", "heard", "size", "problem"):
        table.add_column(terminal.words(f"node.status.{column}"), justify="right" if column == "size" else "left")
    for one in status.witnesses:
        heard = "-" if one.heard is None else _moment(one.heard)
        size = "-" if one.cosigned is None else str(one.cosigned)
        problem = terminal.words(f"node.witness.{one.problem}") if one.problem else ""
        table.add_row(one.name or "-", one.address, heard, size, f"{problem} ({one.detail})" if one.detail else problem)
    return table


def _moment(instant: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _decisions(terminal: Terminal, status: Status) -> object:
    from rich.table import Table

    table = Table(title=terminal.words("node.status.last"), title_justify="left", show_header=False)
    for entry in status.last:
        told = terminal.words(f"node.reason.{entry.reason}") if entry.reason else entry.charge
        table.add_row(
            str(entry.seq), _moment(entry.time), terminal.words(f"node.event.{entry.event}"), entry.about[:24], told
        )
    return table
