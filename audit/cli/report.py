"""The verb `report`: one page of what the evidence says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.cli import given
from audit.cli.given import BundlesArgument, KeyOption
from audit.cli.options import JsonOption

if TYPE_CHECKING:  # each verb loads what it needs when it runs
    from rondgang.canonical import Json


class Lang(StrEnum):
    """The languages of the page."""

    nl = "nl"
    en = "en"


def report(
    bundles: BundlesArgument,
    out: Annotated[Path, typer.Option(help="The page to write (HTML); one that is there is replaced.", dir_okay=False)],
    lang: Annotated[Lang, typer.Option(help="Language of the page.")] = Lang.en,
    consortium_key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verifies evidence and writes one page to print: spent against caps, who asked what and why, findings.

    The page needs no network and no script. It is written whether the evidence holds or not, and ends as `verify`
    does: 0 where it holds, 1 where it does not, 2 where a file is no evidence at all.

    Example: rondgang audit report evidence/*.bundle --out report.html --lang nl
    """
    from audit.cli.output import BAD_INPUT, REFUSED, faults, say
    from audit.files import write
    from audit.report.page import page
    from audit.verify import verify

    with faults(as_json):
        verdict = verify(given.read_files(bundles), given.consortium_key(consortium_key))
        write(out, page(verdict, lang.value).encode("utf-8"))
    facts: dict[str, Json] = {
        "file": str(out),
        "lang": lang.value,
        "sound": verdict.sound,
        "sentence": verdict.sentence,
        "fingerprint": verdict.fingerprint,
        "no_bundles": [*verdict.no_bundles],
        "findings": len(verdict.findings),
    }
    say(as_json, facts, verdict.sentence, f"Quote this evidence as {verdict.fingerprint}.", f"Wrote {out}.")
    if verdict.no_bundles:
        raise typer.Exit(BAD_INPUT)
    if not verdict.sound:
        raise typer.Exit(REFUSED)
