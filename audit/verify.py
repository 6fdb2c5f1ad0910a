"""Verifies evidence: reads every file, lays them side by side, walks through each region's log, and says what it found.

Believes nobody: not the node, not the coordinator, not the witnesses, and not the code that priced what was asked.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rondgang.keys import PublicKey
from rondgang.notes import origin

from audit.bundles import Reading, read
from audit.checks import answers, coordinator, entries, files, heads, inheritance, sums, witnesses
from audit.evidence import Evidence, lay_out, most_named
from audit.findings import Finding, Severity, Where, error, note
from audit.model import Bundle
from audit.state import InForce
from audit.verdict import Caps, RegionHistory, Seen, Spend, Verdict
from audit.walk import Walked, walk

OTHER_COPY = error(
    "history.two_files",
    "Two files of one region tell different histories.",
    "Ask the region's steward which of them its node made.",
)
TWICE = note("file.twice", "The same file was given twice; it was read once.")
NO_COORDINATOR = note(
    "coverage.coordinator",
    "Without the coordinator's evidence nobody can see whether more answers left than the regions logged.",
    "Ask the coordinator for its evidence.",
)
NO_WITNESS = note(
    "coverage.witness",
    "Without the evidence of an independent witness, only the coordinator can show that a log was turned back.",
    "Ask the witnesses for their evidence.",
)
_FIRST = ("file", "record", "seal", "consortium", "roster", "certificate", "fork", "entry", "history", "reset")
_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Examined:
    """Files that were read and laid side by side, with every region's log walked through.

    `findings` are those about the files themselves; `walked` is by region.
    """

    readings: tuple[Reading, ...]
    evidence: Evidence
    walked: Mapping[str, Walked]
    findings: tuple[Finding, ...]


def examine(given: Sequence[tuple[str, bytes]], pinned: PublicKey | None) -> Examined:
    """Reads files given as (name, bytes), and judges them by `pinned`, or by the key that most of them name."""
    readings, findings = _read_all(given)
    found = [reading.bundle for reading in readings if reading.bundle is not None]
    consortium = pinned.hex if pinned is not None else most_named(found)
    bundles = []
    for bundle in found:
        stranger = files.other_consortium(bundle, consortium)
        if stranger is None:
            bundles.append(bundle)
        else:
            findings.append(stranger)
    evidence = lay_out(bundles, consortium)
    walked = {bundle.name: walk(evidence, bundle) for bundle in _main(evidence)}
    return Examined(tuple(readings), evidence, dict(sorted(walked.items())), tuple(findings))


def verify(given: Sequence[tuple[str, bytes]], pinned: PublicKey | None) -> Verdict:
    """What the evidence comes to. `given` are files as (name, bytes); `pinned` is the consortium's key if it is known.

    Never raises for what is in a file.
    """
    with _unswept():
        return _verdict(examine(given, pinned), pinned=pinned is not None)


@contextmanager
def _unswept() -> Iterator[None]:
    """Evidence is millions of small things that all stay: to look for garbage among them costs a fifth of the time."""
    swept = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if swept:
            gc.enable()


def _verdict(examined: Examined, *, pinned: bool) -> Verdict:
    evidence = examined.evidence
    return Verdict(
        findings=all_findings(examined, pinned=pinned),
        regions=tuple(_history(evidence, one) for one in examined.walked.values()),
        others=tuple(bundle for bundle in evidence.bundles if not bundle.region),
        consortium=evidence.consortium,
        fingerprint=fingerprint([reading.fingerprint for reading in examined.readings]),
        no_bundles=tuple(reading.file for reading in examined.readings if reading.no_bundle),
    )


def all_findings(examined: Examined, *, pinned: bool) -> tuple[Finding, ...]:
    """What every check finds, over all files and all regions, errors first."""
    found = list(_findings(examined, pinned=pinned))
    changed: dict[str, int] = {}
    for one in found:
        if one.code in (heads.REWRITTEN.code, heads.FORKED.code):
            log, seq = _number(one)
            changed[log] = min(seq, changed.get(log, seq))
    return tuple(sorted((one for one in found if not _again(one, changed)), key=_order))


def _again(finding: Finding, changed: Mapping[str, int]) -> bool:
    """Whether it only follows from a changed history: from there on no checkpoint fits, so nothing is witnessed."""
    log, seq = _number(finding)
    again = finding.code in (answers.UNWITNESSED.code, coordinator.TOO_EARLY.code)
    return again and log in changed and changed[log] <= seq


def _findings(examined: Examined, *, pinned: bool) -> Iterator[Finding]:
    evidence, walked = examined.evidence, examined.walked
    yield from examined.findings
    yield from files.check(evidence, pinned=pinned)
    yield from _copies(evidence, walked)
    for one in walked.values():
        yield from entries.check(one.state.bundle)
        yield from one.findings
        yield from heads.check(evidence, one)
    yield from witnesses.check(evidence, walked)
    yield from coordinator.check(evidence, walked)
    yield from sums.check(evidence, walked)
    yield from inheritance.compare({code: one.state for code, one in walked.items()})
    yield from _coverage(evidence)


def fingerprint(hashes: Sequence[str]) -> str:
    """The name of exactly these files: SHA-256 over their hashes (hex), sorted, a line feed after each."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(set(hashes))).encode("ascii")).hexdigest()


def _read_all(given: Sequence[tuple[str, bytes]]) -> tuple[list[Reading], list[Finding]]:
    readings: dict[str, Reading] = {}
    findings: list[Finding] = []
    for file, data in given:
        reading = read(file, data)
        if reading.fingerprint in readings:
            what = f"It is the same as {readings[reading.fingerprint].file}."
            findings.append(TWICE.broken(Where(file), what))
            continue
        readings[reading.fingerprint] = reading
        findings.extend(reading.findings)
    return list(readings.values()), findings


def _main(evidence: Evidence) -> Iterator[Bundle]:
    """Of every region the file that goes furthest."""
    regions: dict[str, Bundle] = {}
    for bundle in evidence.of("region"):
        held = regions.get(bundle.name)
        if held is None or _reach(bundle) > _reach(held):
            regions[bundle.name] = bundle
    yield from regions.values()


def _reach(bundle: Bundle) -> tuple[int, int, int, str]:
    epoch = max(bundle.entries, default=0)
    return epoch, len(bundle.entries.get(epoch, ())), bundle.made, bundle.fingerprint


def _copies(evidence: Evidence, walked: Mapping[str, Walked]) -> Iterator[Finding]:
    """Other files of the same region must be beginnings of the one that goes furthest."""
    for bundle in evidence.of("region"):
        main = walked[bundle.name].state.bundle
        for epoch, log in bundle.entries.items():
            known = main.entries.get(epoch, ())
            index = heads.first_difference(log, known)
            if bundle is not main and known and index < min(len(log), len(known)):
                what = f"From here on it is not what {main.file} has."
                yield OTHER_COPY.broken(Where(bundle.file, bundle.name, log[index].place), what)


def _coverage(evidence: Evidence) -> Iterator[Finding]:
    if evidence.bundles and not evidence.of("coordinator"):
        yield NO_COORDINATOR.broken(Where(""), "No file of the coordinator was given.")
    if evidence.bundles and not evidence.of("witness"):
        yield NO_WITNESS.broken(Where(""), "No file of an independent witness was given.")


def _order(finding: Finding) -> tuple[int, int, str, str, int, int]:
    """Errors first, of them what explains others; within a file the first broken promise first."""
    log, seq = _number(finding)
    epoch = log.rpartition("/")[2]
    kind = finding.code.partition(".")[0]
    first = _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
    return _RANK[finding.severity], first, finding.bundle, finding.region, int(epoch) if epoch.isdigit() else 0, seq


def _number(finding: Finding) -> tuple[str, int]:
    """The log and the number of the entry that a finding names; 0 where it names none."""
    log, _, seq = finding.entry.partition("#")
    return log, int(seq) if seq.isdigit() else 0


def _history(evidence: Evidence, walked: Walked) -> RegionHistory:
    state = walked.state
    spends = (
        Spend(
            debit.entry,
            debit.entry.text("cohort"),
            debit.entry.money("charge"),
            debit.price,
            evidence.library.paper("programme", debit.entry.text("programme")),
            debit.answered,
            debit.attempted,
            debit.attempt,
        )
        for debit in state.spends
    )
    return RegionHistory(
        bundle=state.bundle,
        code=state.bundle.name,
        entries=tuple(entry for epoch in state.bundle.entries.values() for entry in epoch),
        spends=tuple(spends),
        caps=tuple(_caps(held) for held in state.policies),
        seen=tuple(_seen(evidence, state.bundle)),
    )


def _caps(held: InForce) -> Caps:
    policy = held.policy
    return Caps(held.entry, held.paper, dict(policy.cohorts), policy.lifetime, policy.programme)


def _seen(evidence: Evidence, bundle: Bundle) -> Iterator[Seen]:
    for epoch in bundle.entries:
        for head in evidence.heads.of(origin(bundle.name, epoch)):
            if head.signed:
                by = ((evidence.cosigner(key), min(times)) for key, times in head.times.items())
                yield Seen(head.checkpoint.origin, head.size, tuple(sorted(by)))
