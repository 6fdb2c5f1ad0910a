"""The report as one file of HTML with its style and pictures in it: no script, nothing from outside, made to print.

Pure: what it shows is the verdict. The same verdict gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audit.checks.files import fingerprint
from audit.findings import Finding, Severity
from audit.model import Bundle
from audit.report.asked import questions, refusals
from audit.report.budgets import LIFETIME, Shown, accounts, shown
from audit.report.dutch import in_dutch
from audit.report.kept import changes, documents, files, watches
from audit.report.naming import SHORT, Names, inside, names, words_at
from audit.report.sums import sums
from audit.verdict import RegionHistory, Verdict
from policies.pages.dates import moment
from policies.pages.templates import environment
from policies.pages.timeline import span_text
from policies.pages.words import one_or_many, say
from policies.study.text import Language

_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True, slots=True)
class Said:
    """A finding as printed. `lang` is the language of what comes from the check; it may differ from the page's."""

    severity: Severity
    label: str
    code: str
    where: str
    what: str
    meaning: str
    ask: str
    meaning_lang: Language


@dataclass(frozen=True, slots=True)
class Region:
    """A region's line of the overview and its own section. `budgets` by cohort, the lifetime one last."""

    code: str
    name: str
    budgets: dict[str, Shown]
    answers: int
    attempts: int
    dead: int
    refused: int
    findings: tuple[str, ...]
    worst: str
    facts: tuple[tuple[str, str], ...]
    imports: tuple[tuple[str, str, str, str], ...]


def page(verdict: Verdict, lang: Language) -> str:
    """The report of a verification, in Dutch or English."""
    told = partial(say, lang=lang)
    histories = tuple(sorted(verdict.regions, key=lambda history: history.code))
    bundles = (*(history.bundle for history in histories), *verdict.others)
    called = names(bundles, lang)
    banners = _banners(bundles, lang)
    regions = tuple(_region(history, verdict.findings, called) for history in histories)
    return (
        environment(Path(__file__).parent)
        .get_template("report.html")
        .render(
            lang=lang,
            title=told("report.title"),
            banners=banners,
            every_page=" ".join(banners),
            words=lambda key, **fields: told(f"report.{key}", **fields),
            sound=verdict.sound,
            conclusion=_conclusion(verdict, lang),
            fingerprint=verdict.fingerprint,
            facts=_facts(verdict, histories, lang),
            regions=regions,
            cohorts=_cohorts(regions, called),
            lifetime=LIFETIME,
            findings=_by_severity(verdict.findings, lang),
            questions=questions(histories, called),
            refusals=refusals(histories, called),
            changes=changes(histories, called),
            watches=watches(histories, called),
            documents=documents(histories, called),
            files=files(bundles, called),
            sums=sums(bundles, histories, called),
            reading=[told(f"report.reading.{key}") for key in ("rho", "epsilon", "sums", "dead", "time")],
            limits=[told(f"report.limits.{key}") for key in ("data", "outside", "people", "absent", "noise")],
        )
    )


def _banners(bundles: tuple[Bundle, ...], lang: Language) -> list[str]:
    headings = [
        inside(paper.body, "programme")
        for bundle in bundles
        for paper in bundle.papers.values()
        if paper.kind == "programme"
    ]
    policies = [paper for bundle in bundles for paper in bundle.papers.values() if paper.kind == "policy"]
    found = []
    if any(words_at(heading, "data") == "synthetic" for heading in headings):
        found.append(say("report.synthetic", lang))
    tests = [inside(heading, "test_only") for heading in headings]
    if True in [*tests, *(inside(paper.body, "test_only") for paper in policies)]:
        found.append(say("report.test_only", lang))
    return found


def _conclusion(verdict: Verdict, lang: Language) -> str:
    count = Counter(finding.severity for finding in verdict.findings)
    regions = _some("report.regions", len(verdict.regions), lang)
    if not verdict.sound:
        return say("report.unsound", lang, errors=count[Severity.ERROR], regions=regions)
    answered = sum(spend.answered is not None for history in verdict.regions for spend in history.spends)
    answers, warnings = _some("report.answers", answered, lang), count[Severity.WARNING]
    if not warnings:
        return say("report.sound", lang, regions=regions, answers=answers)
    return say("report.sound_but", lang, regions=regions, answers=answers, ask=_some("report.ask", warnings, lang))


def _some(key: str, count: int, lang: Language) -> str:
    return say(one_or_many(key, count), lang, count=count)


def _facts(verdict: Verdict, histories: tuple[RegionHistory, ...], lang: Language) -> list[tuple[str, str]]:
    times = [entry.time for history in histories for entry in (*history.entries[:1], *history.entries[-1:])]
    count = Counter(finding.severity for finding in verdict.findings)
    values = {
        "period": span_text(min(times), max(times), lang) if times else "",
        "regions": ", ".join(history.code for history in histories),
        "findings": say("report.count", lang, **{severity.value: count[severity] for severity in _SEVERITIES}),
        "consortium": fingerprint(verdict.consortium) if verdict.consortium else "",
        "no_bundles": ", ".join(verdict.no_bundles),
    }
    return [(say(f"report.fact.{key}", lang), value) for key, value in values.items() if value]


def _region(history: RegionHistory, findings: tuple[Finding, ...], called: Names) -> Region:
    lang, name = called.lang, called.region(history.code)
    of_region = Counter(finding.severity for finding in findings if finding.region == history.code)
    worst = next((severity.value for severity in _SEVERITIES if of_region[severity]), "")
    counted = [
        say(f"report.some_{severity.value}", lang, count=of_region[severity])
        for severity in _SEVERITIES
        if of_region[severity]
    ]
    return Region(
        code=history.code,
        name=name,
        budgets={account.cohort: shown(account, name, called) for account in accounts(history, called)},
        answers=sum(spend.answered is not None for spend in history.spends),
        attempts=sum(spend.attempted is not None for spend in history.spends),
        dead=sum(spend.dead for spend in history.spends),
        refused=sum(entry.event in ("refused", "declined") for entry in history.entries),
        findings=tuple(counted),
        worst=worst,
        facts=_region_facts(history, lang),
        imports=tuple(
            (
                moment(entry.time, lang),
                entry.place,
                called.cohort(words_at(entry.body, "cohort")),
                words_at(entry.body, "snapshot")[:SHORT],
            )
            for entry in history.entries
            if entry.event == "imported"
        ),
    )


def _region_facts(history: RegionHistory, lang: Language) -> tuple[tuple[str, str], ...]:
    resets = [entry for entry in history.entries if entry.event == "reset"]
    last = history.seen[-1] if history.seen else None
    values = {
        "log": ", ".join(sorted({f"{entry.region}/{entry.epoch}" for entry in history.entries})),
        "entries": str(len(history.entries)),
        "witnessed": "" if last is None else say("report.witnessed_to", lang, size=last.size, origin=last.origin),
        "resets": "; ".join(f"{entry.place}, {moment(entry.time, lang)}" for entry in resets),
        "file": history.bundle.file,
        "sealed": history.bundle.sealed_by,
    }
    return tuple((say(f"report.region.{key}", lang), value) for key, value in values.items() if value)


def _cohorts(regions: tuple[Region, ...], called: Names) -> list[tuple[str, str]]:
    """The columns of the overview: every cohort that any region has an account for, and the lifetime."""
    found = sorted({cohort for region in regions for cohort in region.budgets if cohort != LIFETIME})
    return [*((cohort, called.cohort(cohort)) for cohort in found), (LIFETIME, say("report.lifetime", called.lang))]


def _by_severity(findings: tuple[Finding, ...], lang: Language) -> list[tuple[str, Severity, list[Said]]]:
    """Headed groups, the gravest first; within one in the order of the check."""
    found = []
    for severity in _SEVERITIES:
        some = [_said(finding, lang) for finding in findings if finding.severity is severity]
        if some:
            found.append((say(f"report.some_{severity.value}", lang, count=len(some)), severity, some))
    return found


def _said(finding: Finding, lang: Language) -> Said:
    ours = in_dutch().get(finding.code) if lang == "nl" else None
    place = finding.entry or finding.region
    where = " · ".join(part for part in (place, finding.bundle) if part)
    return Said(
        severity=finding.severity,
        label=say(f"report.severity.{finding.severity.value}", lang),
        code=finding.code,
        where=where,
        what=finding.what,
        meaning=finding.meaning if ours is None else ours.meaning,
        ask=finding.ask if ours is None else ours.ask,
        meaning_lang="en" if ours is None else "nl",
    )
