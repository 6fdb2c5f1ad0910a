"""The verbs of `rondgang node`. Each loads what it needs when it runs: a serving node holds no more than that."""

from __future__ import annotations

import typer

from node.cli.adopting import adopt
from node.cli.backup import backup, restore
from node.cli.checking import check_attempt
from node.cli.codebook import codebook
from node.cli.console import console
from node.cli.deciding import approve, decisions, refuse
from node.cli.doctor import doctor
from node.cli.evidence import export_ledger, recover
from node.cli.forgetting import forget
from node.cli.guarantees import guarantees
from node.cli.health import health
from node.cli.import_data import import_command
from node.cli.pausing import pause, resume
from node.cli.policy import policy
from node.cli.questions import pending
from node.cli.results import results
from node.cli.running import serve, status
from node.cli.setting_up import enrol, init
from node.cli.starting import service

app = typer.Typer(
    help="One region's node: it keeps the microdata at home and answers with noisy sums only.\n\n"
    "Example: rondgang node status --home fr",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _verb in (
    init,
    enrol,
    adopt,
    serve,
    status,
    health,
    pending,
    approve,
    refuse,
    decisions,
    results,
    guarantees,
    backup,
    restore,
    doctor,
    service,
    pause,
    resume,
    forget,
    codebook,
    console,
):
    app.command()(_verb)
app.command("import")(import_command)
app.command("export-ledger")(export_ledger)
app.command("check-attempt")(check_attempt)
app.command()(recover)
app.add_typer(policy, name="policy")
