"""The verb `diff`: what happened between two visits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit.cli import given
from audit.cli.options import JsonOption


def diff(
    old: Annotated[Path, typer.Argument(help="The bundle of the earlier visit.", dir_okay=False)],
    new: Annotated[Path, typer.Argument(help="A bundle of the same maker now.", dir_okay=False)],
    as_json: JsonOption = False,
) -> None:
    """Says what is new between two bundles of one maker, and whether the newer one begins with the older.

    Ends with 0 where it does, 1 where something that was shown has changed or gone (with the first entry that differs),
    2 where the files cannot be compared. It checks no signatures: `rondgang audit verify` does.

    Example: rondgang audit diff last-year/FR.bundle FR.bundle
    """
    from audit.cli.output import BAD_INPUT, REFUSED, faults, say, stop
    from audit.diff import NotComparable
    from audit.diff import diff as compare

    with faults(as_json):
        (first, second) = given.read_files([old, new])
    found = compare(first, second)
    if isinstance(found, NotComparable):
        stop(as_json, BAD_INPUT, "not_comparable", found.sentence, *given.findings_lines(found.findings))
    told = ["", *given.findings_lines(found.findings)] if found.findings else []
    say(as_json, {**found.facts, "findings": given.findings_facts(found.findings)}, *found.lines, *told)
    if not found.sound:
        raise typer.Exit(REFUSED)
