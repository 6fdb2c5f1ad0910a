"""The verb `verify`: does the evidence hold?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from audit.cli import given
from audit.cli.given import BundlesArgument, KeyOption
from audit.cli.options import JsonOption

if TYPE_CHECKING:  # each verb loads what it needs when it runs
    from rondgang.canonical import Json

    from audit.verdict import RegionHistory, Verdict

NO_BUNDLE = 2


def verify(bundles: BundlesArgument, consortium_key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Checks evidence and believes nobody: every root, signature, bound, price, total, date and approval.

    Give the bundles of as many parties as you can: they are checked against each other. Each finding names the entry,
    says what it means, and what to ask. Ends with 0 where the evidence holds, 1 where it does not, 2 where a file is
    no evidence at all.

    Example: rondgang audit verify evidence/*.bundle --consortium-key consortium.pub
    """
    from audit.cli.output import REFUSED, faults, say
    from audit.verify import verify as check

    with faults(as_json):
        verdict = check(given.read_files(bundles), given.consortium_key(consortium_key))
    say(as_json, _facts(verdict), *_lines(verdict))
    if verdict.no_bundles:
        raise typer.Exit(NO_BUNDLE)
    if not verdict.sound:
        raise typer.Exit(REFUSED)


def _facts(verdict: Verdict) -> dict[str, Json]:
    from audit.checks.files import fingerprint

    others: list[Json] = [{"file": one.file, "of": one.maker, "name": one.name} for one in verdict.others]
    return {
        "sound": verdict.sound,
        "sentence": verdict.sentence,
        "fingerprint": verdict.fingerprint,
        "consortium": verdict.consortium,
        "consortium_fingerprint": fingerprint(verdict.consortium),
        "no_bundles": [*verdict.no_bundles],
        "regions": [_region_facts(one) for one in verdict.regions],
        "others": others,
        "findings": given.findings_facts(verdict.findings),
    }


def _region_facts(region: RegionHistory) -> Json:
    spent: dict[str, int] = {}
    for spend in region.spends:
        spent[spend.cohort] = spent.get(spend.cohort, 0) + spend.charge
    return {
        "region": region.code,
        "file": region.bundle.file,
        "made": region.bundle.made,
        "entries": len(region.entries),
        "debits": len(region.spends),
        "answers": sum(spend.answered is not None for spend in region.spends),
        "attempts": sum(spend.attempted is not None for spend in region.spends),
        "charged": {cohort: str(nano) for cohort, nano in sorted(spent.items())},
    }


def _lines(verdict: Verdict) -> Iterator[str]:
    from audit.checks.files import fingerprint
    from audit.exact import rho_text
    from policies.study.text import some

    for region in verdict.regions:
        charged = rho_text(sum(spend.charge for spend in region.spends))
        counts = f"{some(len(region.entries), 'entry', 'entries')}, {some(len(region.spends), 'debit')}"
        yield f"{region.bundle.file}: region {region.code}, {counts}, {charged} rho charged"
    for other in verdict.others:
        held = f"{some(len(other.checkpoints), 'checkpoint')}, {some(len(other.answers), 'answer')}"
        yield f"{other.file}: {other.maker} {other.name}, {held}"
    if verdict.findings:
        yield ""
        yield from given.findings_lines(verdict.findings)
    yield ""
    yield verdict.sentence
    if verdict.consortium:
        yield f"Judged by the consortium key with fingerprint {fingerprint(verdict.consortium)}."
    yield f"Quote this evidence as {verdict.fingerprint}."
