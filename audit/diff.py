"""What happened between two visits: two bundles of one maker, the older first.

The newer one must begin with all that the older one shows: what was once shown to an auditor may not change or go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rondgang.canonical import Json
from rondgang.leaves import leaf_hash
from rondgang.merkle import Tree

from audit.bundles import Reading, read
from audit.checks.entries import readable
from audit.checks.heads import first_difference
from audit.exact import rho_text
from audit.findings import Finding, Severity, Where, error, place
from audit.model import Bundle, LoggedEntry, Paper

CHANGED = error(
    "diff.changed",
    "What was shown at the last visit is not what is shown now: the past was changed in between.",
    "Show both files to whoever made them, and ask which one is right.",
)
SHORTER = error(
    "diff.shorter",
    "Entries that were shown at the last visit are gone.",
    "Ask the region's steward whether an old copy was restored.",
)
GONE = error(
    "diff.gone",
    "Something that this party held at the last visit is no longer in its evidence.",
    "Ask its maker whether the store was lost or restored.",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """`lines` are for people, `facts` for programs. `findings` are about the files, and what changed that may not."""

    lines: tuple[str, ...]
    facts: Mapping[str, Json]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class NotComparable:
    """Why two files cannot be compared; a sentence, and what was found in the files."""

    sentence: str
    findings: tuple[Finding, ...]


def diff(old: tuple[str, bytes], new: tuple[str, bytes]) -> Difference | NotComparable:
    """Compares two files given as (name, bytes). Checks no signatures: that is `verify`."""
    readings = [read(*old), read(*new)]
    findings = tuple(finding for reading in readings for finding in reading.findings)
    before, after = (reading.bundle for reading in readings)
    if before is None or after is None:
        return NotComparable(f"{_unusable(readings)} cannot be used as evidence.", findings)
    if (before.maker, before.name) != (after.maker, after.name):
        whose = f"{before.file} is of {before.maker} {before.name}, {after.file} of {after.maker} {after.name}"
        return NotComparable(f"{whose}: give two files of one maker, the older first.", findings)
    if before.region:
        return _regions(before, after, findings)
    return _holders(before, after, findings)


def _unusable(readings: Sequence[Reading]) -> str:
    return " and ".join(reading.file for reading in readings if reading.bundle is None)


def _regions(before: Bundle, after: Bundle, findings: tuple[Finding, ...]) -> Difference:
    broken = tuple(finding for epoch in before.entries for finding in _extends(before, after, epoch))
    fresh = tuple(
        entry
        for epoch, entries in after.entries.items()
        for entry in entries[len(before.entries.get(epoch, ())) :]
        if readable(entry)
    )
    kinds = Counter(entry.event for entry in fresh)
    facts: dict[str, Json] = {
        "maker": f"region {after.name}",
        "extends": not broken,
        "entries": dict(sorted(kinds.items())),
        "spent": {cohort: str(nano) for cohort, nano in sorted(_spent(fresh).items())},
        "policies": [entry.place for entry in fresh if entry.event == "adopted" and entry.text("kind") == "policy"],
        "refusals": dict(Counter(entry.text("reason") for entry in fresh if entry.event == "refused")),
        "inherited": [entry.place for entry in fresh if entry.event == "inherited"],
        "resets": [entry.place for entry in fresh if entry.event == "reset"],
    }
    return Difference(tuple(_told(before, after, fresh, not broken)), facts, (*findings, *broken))


def _extends(before: Bundle, after: Bundle, epoch: int) -> Iterator[Finding]:
    """Whether one epoch of the newer file begins with that of the older: the root at the old size is the same."""
    old, new = before.entries[epoch], after.entries.get(epoch, ())
    if len(new) >= len(old) and _root(new[: len(old)]) == _root(old):
        return
    index = first_difference(old, new)
    where = Where(after.file, after.name, place(after.name, epoch, index))
    if index == len(new):
        what = f"{before.file} has {len(old)} entries of epoch {epoch}, {after.file} {len(new)}."
        yield SHORTER.broken(where, what)
    else:
        yield CHANGED.broken(
            where, f"It is the first of {len(old)} entries in {before.file} that is not the same here."
        )


def _root(entries: Sequence[LoggedEntry]) -> bytes:
    return Tree(bytes.fromhex(leaf_hash(entry.data)) for entry in entries).root()


def _spent(fresh: Sequence[LoggedEntry]) -> Counter[str]:
    """Nano-rho by cohort."""
    spent: Counter[str] = Counter()
    for entry in fresh:
        if entry.event == "debited":
            spent[entry.text("cohort")] += entry.money("charge")
    return spent


def _told(before: Bundle, after: Bundle, fresh: Sequence[LoggedEntry], extends: bool) -> Iterator[str]:
    yield f"Region {after.name}: {sum(map(len, before.entries.values())):,} entries then, {len(fresh):,} more now."
    kinds = Counter(entry.event for entry in fresh)
    if kinds:
        yield f"  new: {', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}"
    for cohort, nano in sorted(_spent(fresh).items()):
        yield f"  spent on cohort {cohort} since: {rho_text(nano)} rho"
    for entry in fresh:
        match entry.event:
            case "adopted":
                yield f"  {entry.place}: {entry.text('kind')} {entry.text('name')[:80]} came into force"
            case "reset":
                yield f"  {entry.place}: the ledger began anew, and all that was left was charged"
            case "inherited":
                what = f"at most {rho_text(entry.money('lifetime'))} rho"
                yield f"  {entry.place}: what the regions before this one had spent was taken over, {what}"
            case "declined":
                yield f"  {entry.place}: the steward declined a programme ({entry.text('reason')})"
    refusals = Counter(entry.text("reason") for entry in fresh if entry.event == "refused")
    if refusals:
        yield f"  refused: {', '.join(f'{count:,} {reason[:40]}' for reason, count in sorted(refusals.items()))}"
    yield "The newer log begins with the older one." if extends else "The newer log does NOT begin with the older one."


def _sums(bundle: Bundle) -> list[Paper]:
    return [paper for paper in bundle.papers.values() if paper.kind == "national_sum"]


def _holders(before: Bundle, after: Bundle, findings: tuple[Finding, ...]) -> Difference:
    """Of a coordinator or a witness: what it held it must still hold."""
    where = Where(after.file)
    then, now = ({note.text for note in bundle.checkpoints} for bundle in (before, after))
    answers_then, answers_now = ({(one.region, one.hash) for one in bundle.answers} for bundle in (before, after))
    broken = []
    if lost := then - now:
        first = min(lost).split("\n")
        broken.append(
            GONE.broken(where, f"{len(lost)} checkpoints are gone, such as {first[1]} entries of {first[0]}.")
        )
    if gone := answers_then - answers_now:
        region, hashed = min(gone)
        broken.append(GONE.broken(where, f"{len(gone)} answers are gone, such as {hashed[:16]} of {region}."))
    sums_then, sums_now = ({one.hash for one in _sums(bundle)} for bundle in (before, after))
    if missing := sums_then - sums_now:
        broken.append(GONE.broken(where, f"{len(missing)} national sums are gone, such as {min(missing)[:16]}."))
    fresh = Counter(region for region, _ in answers_now - answers_then)
    facts: dict[str, Json] = {
        "maker": f"{after.maker} {after.name}",
        "extends": not broken,
        "checkpoints": len(now - then),
        "answers": dict(sorted(fresh.items())),
        "sums": len(sums_now - sums_then),
        "forks": len(after.forks) - len(before.forks),
    }
    lines = [f"{after.maker.capitalize()} {after.name}: {len(now - then):,} checkpoints more than then."]
    lines += [f"  {count:,} new answers of {region}" for region, count in sorted(fresh.items())]
    lines += [f"  {len(sums_now - sums_then):,} new national sums"] if sums_now - sums_then else []
    lines += (
        [f"  {len(after.forks) - len(before.forks)} more forks kept"] if len(after.forks) > len(before.forks) else []
    )
    lines.append("All that it held then it still holds." if not broken else "It does NOT hold all that it held then.")
    return Difference(tuple(lines), facts, (*findings, *broken))
