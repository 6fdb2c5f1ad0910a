"""The verbs of `rondgang audit`. Each loads what it needs when it runs."""

from __future__ import annotations

import typer

from audit.cli import diff, explain, joining, practise, report, verify, witness

app = typer.Typer(
    help="The auditor: witness what nodes log, and check what privacy was spent. Trusts nobody.\n\n"
    "Example: rondgang audit verify evidence/*.bundle",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (
    joining.init,
    joining.enrol,
    joining.adopt,
    witness.witness,
    witness.health,
    witness.forks,
    witness.export,
    practise.practise,
    verify.verify,
    explain.explain,
    diff.diff,
    report.report,
):
    app.command()(verb)
