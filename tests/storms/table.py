"""Faults and outcomes, as a Markdown page."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coordinator.desk.views import Progress
from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from tests.storms.kinds import Fault, Kind
from tests.storms.programme import Hit, Ran


@dataclass(frozen=True, slots=True)
class Audit:
    """What an auditor counted in everybody's evidence: `findings` are errors and warnings, `notes` are by code."""

    entries: int
    debits: int
    answers: int
    findings: int
    notes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: what was asked of how many regions, what was wrong beside it, and what the audits counted."""

    seed: int
    regions: int
    engine: str
    ran: tuple[Ran, ...]
    audits: tuple[Audit, ...]
    wrong: tuple[str, ...]
    seconds: float

    @property
    def hits(self) -> tuple[Hit, ...]:
        return tuple(hit for one in self.ran for hit in one.hits)

    @property
    def violations(self) -> tuple[str, ...]:
        return (*(what for one in self.ran for what in one.wrong), *self.wrong)

    def outcomes(self) -> dict[Kind, Counter[str]]:
        """How often what came of a fault, by kind."""
        found: dict[Kind, Counter[str]] = {}
        for one in self.ran:
            for hit in one.hits:
                found.setdefault(hit.fault.kind, Counter())[outcome(hit.fault, one.last)] += 1
        return found

    def to_json(self) -> dict[str, Any]:
        told = {kind.value: dict(counts) for kind, counts in self.outcomes().items()}
        return {"seed": self.seed, "faults": len(self.hits), "programmes": len(self.ran), "seconds": self.seconds,
                "outcomes": told, "audits": [asdict(one) for one in self.audits],
                "violations": list(self.violations), "synthetic": True}  # fmt: skip


def outcome(fault: Fault, last: Progress | None) -> str:
    """What came of the run that a fault hit, in a few words: of the regions' answers, then of the sums."""
    if last is None:
        return "no word of the run"
    hit = {service.removeprefix("node-").upper() for service in fault.targets}
    parts = []
    if last.national is None or not last.national.alone:
        parts.append(_answers(last, hit))
    if last.national is not None:
        parts.append(_sums(last, hit))
    return ", ".join(parts)


def _answers(last: Progress, hit: set[str]) -> str:
    missing = {one.region: one for one in last.regions if one.state is not Asked.ANSWERED}
    if not missing:
        return "all answered"
    why = Counter(one.state.value if one.refused is None else one.refused.reason.value for one in missing.values())
    whom = "without the region hit" if set(missing) <= hit else f"without {len(missing)} regions"
    words = "complete" if last.state is State.COMPLETE else "closed"
    return f"{words} {whom} ({', '.join(sorted(why))})"


def _sums(last: Progress, hit: set[str]) -> str:
    national = last.national
    assert national is not None, "only asked where there are sums"
    if national.where is not Where.SUMMED:
        return f"no sum: {_short(national.sentence)}"
    # Which regions are in a sum is told where nothing but sums was asked for.
    whole = national.replied == len(last.regions)
    tries = "" if national.attempt == 1 else f" at attempt {national.attempt}"
    return f"summed{tries}" if whole else f"summed without {len(last.regions) - national.replied}{tries}"


def _short(sentence: str) -> str:
    """Why there is no sum, without names: the first clause."""
    return sentence.split(";")[0].split(". Missing")[0].strip(". ") or "no word why"


def page(report: Report, command: str) -> str:
    """The page: how it was run, the table, when faults came, what was audited, and what was wrong, if anything was."""
    machine = f"{os.cpu_count()} shared cores, Python {platform.python_version()}, Docker {report.engine}"
    stood = Counter(_phase(hit) for hit in report.hits)
    done = f"{len(report.hits)} faults in {len(report.ran)} programmes over {report.regions} regions"
    lines = [
        f"`{command}`, seed {report.seed}: {done}, in {report.seconds:,.0f} s on {machine}. All data are synthetic.",
        "",
        "| fault | times | what came of the runs it hit | violations |",
        "|---|---:|---|---:|",
        *_rows(report),
        "",
        f"Where the runs stood when they were hit: {'; '.join(f'{at} {count}' for at, count in stood.most_common())}.",
        "",
        *_deaths_of_the_desk(report),
        "",
        *_audits(report.audits),
    ]
    if report.violations:
        lines += ["", "## Violations", "", *(f"- {what}" for what in report.violations)]
    return "\n".join(lines) + "\n"


def _rows(report: Report) -> Iterator[str]:
    outcomes = report.outcomes()
    for kind in Kind:
        if kind in outcomes:
            came = "; ".join(f"{what}: {count}" for what, count in outcomes[kind].most_common())
            wrong = sum(len(one.wrong) for one in report.ran if any(hit.fault.kind is kind for hit in one.hits))
            yield f"| {kind.value} | {sum(outcomes[kind].values())} | {came} | {wrong} |"


def _deaths_of_the_desk(report: Report) -> Iterator[str]:
    """The coordinator's deaths, by the phase in which it died."""
    found: dict[str, Counter[str]] = {}
    for one in report.ran:
        for hit in one.hits:
            if hit.fault.kind in (Kind.DESK_KILLED, Kind.DESK_CRASHED):
                found.setdefault(_phase(hit), Counter())[outcome(hit.fault, one.last)] += 1
    yield "| coordinator killed in | times | what came of the runs |"
    yield "|---|---:|---|"
    for phase, counts in sorted(found.items()):
        came = "; ".join(f"{what}: {count}" for what, count in counts.most_common())
        yield f"| {phase} | {counts.total()} | {came} |"


def _phase(hit: Hit) -> str:
    """Where the run stood, without the number of the attempt."""
    return hit.before.rstrip(" 0123456789")


def _audits(audits: Sequence[Audit]) -> Iterator[str]:
    yield "| audit | entries | debits | answers | errors and warnings | notes |"
    yield "|---|---:|---:|---:|---:|---|"
    for number, one in enumerate(audits, 1):
        notes = "; ".join(f"{code}: {count}" for code, count in sorted(one.notes.items())) or "none"
        yield f"| {number} | {one.entries:,} | {one.debits:,} | {one.answers:,} | {one.findings} | {notes} |"
