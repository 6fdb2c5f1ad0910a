"""Is the log the one that witnesses, the coordinator and other regions were shown, at every size they were shown?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rondgang.merkle import Tree
from rondgang.notes import origin

from audit.checks.answers import fits
from audit.checks.entries import links
from audit.evidence import Evidence
from audit.findings import Finding, Where, error, place, warning
from audit.heads import Head
from audit.model import Bundle, LoggedEntry
from audit.people import SKEW_S
from audit.walk import Walked

SHORTER = error(
    "history.shorter",
    "The log was longer once: whatever was decided and spent in the entries that are gone is hidden, or may be spent "
    "again.",
    "Ask the region's steward whether an old copy was restored, and the witnesses for what they saw.",
)
STALE = warning(
    "history.stale",
    "The region has gone on since it made this file; what came later was not checked.",
    "Ask the region's steward for a new export.",
)
REWRITTEN = error(
    "history.rewritten",
    "An entry from here on is not the one that was there when the checkpoint was signed: the past was changed.",
    "Ask the region's steward for the ledger file itself, and compare it with whoever holds the checkpoint.",
)
FORKED = error(
    "history.forked",
    "The region signed two different histories: what one of them spent, the other does not know.",
    "Ask the region's steward whether two copies of the node ran, or who else holds its key.",
)
LATE = error(
    "clock.late",
    "By a witness's clock the entry existed before the time that it gives itself.",
    "Ask the region's steward about the node's clock, and the witness about its own.",
)
EARLY = error(
    "clock.early",
    "By a witness's clock the entry was written later than the time that it gives itself: it was dated back.",
    "Ask the region's steward about the node's clock, and the witness about its own.",
)
AFTER_EXPORT = error(
    "clock.export",
    "The entry is dated after the file that it stands in was made.",
    "Ask the region's steward about the node's clock.",
)


@dataclass(frozen=True, slots=True)
class Log:
    """One epoch of a region's log. `closed`: a later epoch follows, whose reset answers for what is missing here.

    `torn` are the indices at which its own links are broken.
    """

    bundle: Bundle
    epoch: int
    tree: Tree
    entries: Sequence[LoggedEntry]
    heads: Sequence[Head]
    closed: bool
    torn: Sequence[int]

    def at(self, index: int) -> Where:
        """The place of the entry with this index, also where there is none."""
        held = self.entries[index].place if index < len(self.entries) else place(self.bundle.name, self.epoch, index)
        return Where(self.bundle.file, self.bundle.name, held)

    def fits(self, head: Head) -> bool:
        return fits(self.tree, head)

    def doubtful(self, size: int) -> int:
        """The first entry that may differ where a checkpoint of this size does: behind the last size that fits.

        Where the log's own links are broken in between, there.
        """
        known = max((head.size for head in self.heads if head.size < size and self.fits(head)), default=0)
        return next((index for index in self.torn if known <= index < size), known)


def check(evidence: Evidence, walked: Walked) -> Iterator[Finding]:
    """Every epoch of one region against every checkpoint of it in the evidence."""
    bundle = walked.state.bundle
    for epoch, tree in walked.trees.items():
        heads = [head for head in evidence.heads.of(origin(bundle.name, epoch)) if head.signed]
        held = bundle.entries[epoch]
        torn = sorted(index for index, _ in links(bundle, held))
        log = Log(bundle, epoch, tree, held, heads, max(bundle.entries) > epoch, torn)
        yield from _lengths(log)
        yield from _roots(log)
        yield from _clocks(evidence, log)
        yield from _exported(log)


def _held_by(head: Head) -> str:
    holders = dict.fromkeys(f"{sighting.maker} ({sighting.file}, {sighting.place})" for sighting in head.sightings)
    return ", ".join(list(holders)[:3])


def _lengths(log: Log) -> Iterator[Finding]:
    """Checkpoints of more entries than there are."""
    beyond = [head for head in log.heads if head.size > log.tree.size]
    if not beyond or log.closed:
        return
    # What was cosigned only after this file was made is new; what has no time is held against it.
    old = [head for head in beyond if min(map(min, head.times.values()), default=0) <= log.bundle.made]
    head = (old or beyond)[-1]
    missing = head.size - log.tree.size
    what = f"The log ends after {log.tree.size} entries; a checkpoint of {head.size} is held by {_held_by(head)}."
    rule = SHORTER if old else STALE
    yield rule.broken(
        log.at(log.tree.size), f"{what} {missing} {'entry is' if missing == 1 else 'entries are'} missing."
    )


def _roots(log: Log) -> Iterator[Finding]:
    """The smallest checkpoint that is of another history. Two of one size, both signed, are a fork."""
    by_size: dict[int, int] = {}
    for head in log.heads:
        by_size[head.size] = by_size.get(head.size, 0) + 1
    wrong = [head for head in log.heads if head.size <= log.tree.size and not log.fits(head)]
    twice = [size for size, count in by_size.items() if count > 1 and size > log.tree.size]
    if wrong:
        first = wrong[0]
        forked = any(by_size[head.size] > 1 for head in wrong)
        index = log.doubtful(first.size)
        what = (
            f"The checkpoint of {first.size} entries held by {_held_by(first)} has another root than these entries: "
            f"one of {log.at(index).entry} to {log.at(first.size - 1).entry} is not what it was."
        )
        more = f" {len(wrong) - 1} more do not fit either." if len(wrong) > 1 else ""
        yield (FORKED if forked else REWRITTEN).broken(log.at(index), what + more)
    elif twice:
        index = log.doubtful(twice[0])
        yield FORKED.broken(log.at(index), f"Two checkpoints of {twice[0]} entries have different roots.")


def _clocks(evidence: Evidence, log: Log) -> Iterator[Finding]:
    """Dates against the witnesses' clocks: what a checkpoint has existed at its time, what it has not did not."""
    highest = list(accumulate((entry.time for entry in log.entries), max))
    lowest = list(accumulate((entry.time for entry in reversed(log.entries)), min))[::-1]
    late: dict[int, str] = {}
    early: dict[int, str] = {}
    for head in log.heads:
        if not log.fits(head):
            continue
        for key, times in head.times.items():
            who = evidence.cosigner(key)
            first = bisect_right(highest, min(times) + SKEW_S)
            if first < head.size:
                after = log.entries[first].time - min(times)
                late.setdefault(first, f"It is dated {after} seconds after {who} had cosigned {head.size} entries.")
            if head.size < len(lowest) and lowest[head.size] < max(times) - SKEW_S:
                index = _first_below(log.entries, head.size, max(times) - SKEW_S)
                before = max(times) - log.entries[index].time
                early.setdefault(
                    index, f"It is dated {before} seconds before {who} cosigned the {head.size} entries below it."
                )
    for rule, found in ((LATE, late), (EARLY, early)):
        for index, what in sorted(found.items()):
            yield rule.broken(log.at(index), what)


def _first_below(entries: Sequence[LoggedEntry], start: int, time: int) -> int:
    return next(index for index in range(start, len(entries)) if entries[index].time < time)


def _exported(log: Log) -> Iterator[Finding]:
    times = [entry.time for entry in log.entries]
    if times and max(times) > log.bundle.made + SKEW_S:
        index = next(i for i, time in enumerate(times) if time > log.bundle.made + SKEW_S)
        yield AFTER_EXPORT.broken(
            log.at(index), f"The file says that it was made at {log.bundle.made}; this is {times[index]}."
        )


def first_difference(old: Sequence[LoggedEntry], new: Sequence[LoggedEntry]) -> int:
    """The first index at which two logs differ, the shorter length where one begins the other."""
    length = min(len(old), len(new))
    return next((index for index in range(length) if old[index].data != new[index].data), length)
