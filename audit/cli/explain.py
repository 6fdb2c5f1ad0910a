"""The verb `explain`: one entry, worked out step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from audit.cli import given
from audit.cli.given import BundlesArgument, KeyOption
from audit.cli.options import JsonOption


def explain(
    entry: Annotated[str, typer.Argument(help="The entry, such as FR/1#17: region, epoch and number.")],
    bundles: BundlesArgument,
    consortium_key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explains one entry of a region's log. A debit is worked out: bounds, noise, price, totals, caps, witnesses.

    Ends with 1 where a check fails at this entry.

    Example: rondgang audit explain FR/1#17 evidence/FR.bundle
    """
    from audit.cli.output import BAD_INPUT, REFUSED, faults, say, stop
    from audit.explain import NotFound
    from audit.explain import explain as work_out
    from audit.findings import Severity

    with faults(as_json):
        found = work_out(entry, given.read_files(bundles), given.consortium_key(consortium_key))
    if isinstance(found, NotFound):
        stop(as_json, BAD_INPUT, "not_found", found.sentence)
    told = ["", *given.findings_lines(found.findings)] if found.findings else ["", "No check fails at this entry."]
    facts = {"entry": found.entry.place, **found.facts, "findings": given.findings_facts(found.findings)}
    say(as_json, facts, *found.lines, *told)
    if any(finding.severity is Severity.ERROR for finding in found.findings):
        raise typer.Exit(REFUSED)
