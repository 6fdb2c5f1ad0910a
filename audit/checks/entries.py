"""Is the log one unbroken chain of entries that can be read, in order of time?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from rondgang.canonical import Json
from rondgang.leaves import GENESIS, leaf_hash

from audit.exact import digits, whole
from audit.findings import Finding, Where, error, place
from audit.model import Bundle, LoggedEntry

MALFORMED = error(
    "entry.malformed",
    "An entry is not one of those that a node writes, so nobody can say what was decided there.",
    "Ask the region's steward which software wrote this ledger.",
)
ORDER = error(
    "entry.order",
    "An entry was taken out, put in or moved: the log is not the one that was written.",
    "Ask the region's steward for the ledger file itself, and the witnesses what they saw at this size.",
)
EDITED = error(
    "entry.edited",
    "An entry was changed after the one behind it had been written.",
    "Ask the region's steward for the ledger file itself, and the witnesses what they saw at this size.",
)
BEGINNING = error(
    "entry.beginning",
    "A log begins with one entry that says whose it is, or with a reset that closes the log before it; here it does "
    "not, or it begins twice.",
    "Ask the region's steward how this ledger came to be.",
)
OTHER_REGION = error(
    "entry.region",
    "The log is that of another region than the bundle says.",
    "Ask the region's steward whose ledger this is.",
)
BACK = error(
    "entry.time",
    "The time of an entry lies before that of the entry above it; a node never writes that, so it was dated back.",
    "Ask the region's steward why, and who could change the ledger.",
)

_HASH = re.compile(r"[0-9a-f]{64}")
_SNAPSHOT = re.compile(r"[0-9a-f]{32}")
_REGION = re.compile(r"[A-Z]{2,4}")
_COHORT = re.compile(r"[a-z][a-z0-9]{0,20}")
_RUN = re.compile(r"run-[0-9a-f]{16}")


def _matching(pattern: re.Pattern[str]) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _among(*words: str) -> Callable[[Json], bool]:
    return lambda value: value in words


def _between(least: int, most: int) -> Callable[[Json], bool]:
    return lambda value: (number := whole(value)) is not None and least <= number <= most


def _from(least: int) -> Callable[[Json], bool]:
    return lambda value: (number := whole(value)) is not None and number >= least


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_money(value: Json) -> bool:
    return digits(value) is not None


def _are_totals(value: Json) -> bool:
    return isinstance(value, dict) and all(_is_cohort(name) and _is_money(total) for name, total in value.items())


_is_hash, _is_cohort = _matching(_HASH), _matching(_COHORT)
_is_snapshot, _is_region, _is_run = _matching(_SNAPSHOT), _matching(_REGION), _matching(_RUN)

SHAPES: Mapping[str, Mapping[str, Callable[[Json], bool]]] = {
    "opened": {"region": _is_region},
    "reset": {
        "region": _is_region,
        "epoch": _from(2),
        "old_size": _from(0),
        "old_root": _is_hash,
        "policy": _is_hash,
        "cohorts": _are_totals,
        "lifetime_total": _is_money,
    },
    "adopted": {"kind": _among("roster", "calendar", "codebook", "policy"), "name": _is_text, "hash": _is_hash},
    "inherited": {"calendar": _is_hash, "cohorts": _are_totals, "lifetime": _is_money},
    "imported": {"snapshot": _is_snapshot, "cohort": _is_cohort, "codebook": _is_hash},
    "asked": {"programme": _is_hash, "run": _is_run, "researcher": _is_hash, "order": _is_hash},
    "refused": {"programme": _is_hash, "run": _is_text, "reason": _is_text},
    "approved": {"programme": _is_hash, "approval": _is_hash},
    "declined": {
        "programme": _is_hash,
        "approval": _is_hash,
        "reason": _among("purpose", "price", "detail", "timing", "other"),
    },
    "debited": {
        "programme": _is_hash,
        "run": _is_text,
        "researcher": _is_text,
        "snapshot": _is_snapshot,
        "cohort": _is_cohort,
        "charge": _is_money,
        "cohort_total": _is_money,
        "lifetime_total": _is_money,
        "attempt": _between(1, 5),
    },
    "answered": {"programme": _is_hash, "snapshot": _is_snapshot, "debit": _from(0), "answer": _is_hash},
    "attempted": {
        "programme": _is_hash,
        "run": _is_run,
        "attempt": _from(1),
        "debit": _from(0),
        "participants": _is_hash,
        "commitment": _is_hash,
    },
    "summed": {"programme": _is_hash, "run": _is_run, "attempt": _from(1), "hash": _is_hash},
    "result": {"run": _is_text, "programme": _is_hash, "hash": _is_hash},
}
"""The entries that a node writes: what each says, and what that looks like."""
_OPTIONAL = {"debited": frozenset(("attempt",))}
"""What is left out where it says nothing: a debit for the region's own answer is of no attempt."""


def readable(entry: LoggedEntry) -> bool:
    """Whether the entry is one that a node writes."""
    shape = SHAPES.get(entry.event)
    if shape is None or not entry.body.keys() <= {"event", *shape}:
        return False
    may_miss = _OPTIONAL.get(entry.event, frozenset())
    return all(fits(entry.body[name]) if name in entry.body else name in may_miss for name, fits in shape.items())


def check(bundle: Bundle) -> Iterator[Finding]:
    """Every epoch of a region's log by itself: shapes, numbers, links and times."""
    for entries in bundle.entries.values():
        yield from _shapes(bundle, entries)
        yield from (finding for _, finding in links(bundle, entries))
        yield from _times(bundle, entries)


def _shapes(bundle: Bundle, entries: Sequence[LoggedEntry]) -> Iterator[Finding]:
    for entry in entries:
        if not readable(entry):
            what = f"The entry calls itself {entry.event[:40]!r}." if entry.event else "The entry has no readable body."
            yield MALFORMED.broken(Where(bundle.file, bundle.name, entry.place), what)
        elif (entry.event in ("opened", "reset")) != (entry.index == 0) or (
            entry.index == 0 and (entry.event == "opened") != (entry.epoch == 1)
        ):
            what = f"Entry {entry.index} of epoch {entry.epoch} is {entry.event!r}."
            yield BEGINNING.broken(Where(bundle.file, bundle.name, entry.place), what)
        elif entry.event in ("opened", "reset") and entry.text("region") != bundle.name:
            what = f"The log is that of region {entry.text('region')}, the bundle that of {bundle.name}."
            yield OTHER_REGION.broken(Where(bundle.file, bundle.name, entry.place), what)


def links(bundle: Bundle, entries: Sequence[LoggedEntry]) -> Iterator[tuple[int, Finding]]:
    """Where the numbers go wrong, and where an entry does not name the hash of the one before: index and finding."""
    expected, shift = GENESIS, 0
    broken: dict[int, None] = {}
    for entry in entries:
        ours = entry.previous == expected
        if entry.seq - entry.index not in (shift, 0):
            here = Where(bundle.file, bundle.name, place(entry.region, entry.epoch, entry.index))
            what = f"Where entry {entry.index} should stand, one stands that calls itself {entry.seq}."
            yield entry.index, ORDER.broken(here, what)
        elif not ours and entry.seq - entry.index == shift:
            broken[entry.index] = None
        shift, expected = entry.seq - entry.index, leaf_hash(entry.data)
    for index in broken:
        # An entry whose own link is broken and whose successor's is too was changed itself; else the one before was.
        changed = index if index + 1 in broken or index == 0 else index - 1
        if changed == index - 1 and changed in broken:
            continue
        where = Where(bundle.file, bundle.name, entries[changed].place)
        what = f"Entry {index} names another hash for the entry before it than that entry has."
        yield changed, EDITED.broken(where, what)


def _times(bundle: Bundle, entries: Sequence[LoggedEntry]) -> Iterator[Finding]:
    latest = 0
    for entry in entries:
        if entry.time < latest:
            what = f"The entry's time is {latest - entry.time} seconds before that of an entry above it."
            yield BACK.broken(Where(bundle.file, bundle.name, entry.place), what)
        latest = max(latest, entry.time)
