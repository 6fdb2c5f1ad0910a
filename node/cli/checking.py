"""`rondgang node check-attempt`: for an auditor who visits the region."""

from __future__ import annotations

from typing import Annotated

import typer

from node.cli.terminal import REFUSED, HomeOption, JsonOption, LangOption, faults, open_home


def check_attempt(
    run: Annotated[str, typer.Argument(help="The run whose national sums this region took part in.")],
    attempt: Annotated[int | None, typer.Option(min=1, help="One attempt; without it all of the run.")] = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Checks that what this node put into a national sum is what its data give; shows no number.

    Sums the data once more, and compares that with what is kept in the home and with the commitment in the ledger. The
    node may be serving meanwhile. Exit code 1 where anything does not hold.

    Example: rondgang node check-attempt run-0123456789abcdef
    """
    from node.secure.checking import check_attempts

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        checked = check_attempts(found, run, attempt)
    if not checked:
        terminal.stop(REFUSED, "no_attempt", "node.attempt.none", run=run)
    for one in checked:
        terminal.say(f"node.attempt.{one.outcome}", run=run, attempt=one.attempt, commitment=one.commitment[:16])
    holds = all(one.outcome == "holds" for one in checked)
    told = [
        {
            "attempt": one.attempt,
            "programme": one.programme,
            "commitment": one.commitment,
            "holds": one.outcome == "holds",
            "outcome": one.outcome,
        }
        for one in checked
    ]
    terminal.result({"run": run, "holds": holds, "attempts": told})
    if not holds:
        raise typer.Exit(REFUSED)
