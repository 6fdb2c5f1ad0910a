"""The verbs of `rondgang coordinator`."""

from __future__ import annotations

import typer

from coordinator.cli import (
    asking,
    comparing,
    copying,
    evidence,
    following,
    joining,
    looking,
    planning,
    preparing,
    rotating,
    serving,
)

app = typer.Typer(
    help="The national desk and the researchers who use it.\n\n"
    "Example: rondgang coordinator submit programme.yaml --wait --out results --home researcher\n\n"
    "Exit codes: 0 done, 1 refused, 2 bad input or usage, 75 try again later.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (
    joining.init,
    joining.enrol,
    joining.adopt,
    serving.serve,
    serving.health,
    looking.regions,
    rotating.calendar,
    preparing.starters,
    preparing.rehearse,
    planning.plan,
    planning.compare,
    asking.price,
    asking.submit,
    following.watch,
    following.results,
    comparing.trends,
    evidence.export_evidence,
    copying.backup,
    copying.restore,
):
    app.command()(verb)
