"""Starting anew after a ledger was lost, rolled back or copied: a new epoch that charges all that was left.

The new ledger commits to the last checkpoint that any witness saw, so that none of them follows it unless it saw no
more than that. It is written beside the old one and takes its place in one step: a crash at any moment leaves one of
the two in force, and whole. The old file is kept in `closed/`, for auditors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from rondgang.merkle import EMPTY_ROOT
from rondgang.notes import Checkpoint

from node.adopted import MODELS, Documents, event_of, load, lying
from node.closed import clear, closed_files, keep, next_file, put_in_force
from node.errors import BrokenLedger, NewerLedger
from node.home import Home
from node.inheriting import inherited
from node.ledger.epoch import TakenAlong, released_answers, write_epoch
from node.ledger.ledger import Clock, Ledger
from node.region import NotReady, steward_key
from node.snapshots import NoSnapshot, open_snapshot
from policies.documents import from_canonical
from policies.rules.entries import Imported, Inherited, Reset
from policies.rules.region_policy import RegionPolicy
from policies.rules.spent import Stated
from policies.study.roster import Roster
from policies.units.money import NanoRho

Step = Literal["cleared", "written", "kept", "replaced"]
Steps = Callable[[Step], None]
"""Called after each step; tests stop the world there."""
_NONE = NanoRho(0)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest checkpoint that any witness saw of this region, and the names of those who answered.

    None where no witness ever saw one. `split`: witnesses hold different histories of that size, which two copies of a
    node can bring about; then no witness takes more of either, and only a reset goes on.
    """

    checkpoint: Checkpoint | None
    by: tuple[str, ...]
    split: bool = False


@dataclass(frozen=True, slots=True)
class TooFew:
    """Too few witnesses answered, or the coordinator alone; the sentence says which, and what to do."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Whole:
    """The ledger has all that any witness saw: there is nothing to recover. `size` is its number of entries."""

    epoch: int
    size: int


Why = Literal["absent", "unreadable", "behind", "forked"]
_SPLIT = "witnesses hold different histories of this size: two copies of this node ran"


@dataclass(frozen=True, slots=True)
class Charge:
    """What was known to be spent of a cap, and what counts as spent from the reset on."""

    spent: NanoRho
    charged: NanoRho


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reset does: which epoch it opens, on top of what, and what it charges.

    `why` the ledger is given up, with `detail` what its check said; `own` is the ledger's head, None where there is
    none or where it cannot be read. `policy` is the version whose caps are charged.
    """

    epoch: int
    why: Why
    detail: str
    own: Checkpoint | None
    last: Checkpoint | None
    policy: int
    cohorts: Mapping[str, Charge]
    lifetime: Charge


@dataclass(frozen=True, slots=True)
class _Own:
    """The ledger as it is found. None where there is none or where it fails its checks; `why` and `detail` say so."""

    ledger: Ledger | None
    why: Why
    detail: str


def roster(home: Home, clock: Clock) -> Roster:
    """The roster in force, to ask its witnesses by. Needs the home's lock. Raises NotReady, BadDelivery, DiskFault."""
    with _own(home, clock) as own:
        documents = _documents(home, own.ledger)
    if documents.roster is None:
        raise NotReady("roster")
    return documents.roster.document


def examine(home: Home, clock: Clock, last: Checkpoint | None, *, split: bool = False) -> Plan | Whole:
    """What `reset` would do. Changes nothing.

    Needs the home's lock. Raises NotReady without a policy, BadDelivery, DiskFault, and NewerLedger.
    """
    with _own(home, clock) as own:
        return _plan(home, own, last, split=split)


def reset(
    home: Home, clock: Clock, last: Checkpoint | None, steps: Steps = lambda _step: None, *, split: bool = False
) -> Plan | Whole:
    """Closes the ledger for good and opens the next epoch on top of `last`, what witnesses saw last. Durable on return.

    Declines where the ledger has all that was seen, so that nobody burns a budget by mistake. Needs the home's lock,
    and that nobody serves. Raises as `examine`.

    Privacy: per cohort and for the lifetime the new totals are the cap of the policy in force here, or what is known
    to be spent where that is more, by this region and by those that it was formed of: nothing of those caps is left to
    spend, whatever the lost entries were.
    """
    clear(home)
    steps("cleared")
    with _own(home, clock) as own:
        plan = _plan(home, own, last, split=split)
        if isinstance(plan, Whole):
            return plan
        _write(home, own.ledger, plan, clock)
    steps("written")
    keep(home, None if plan.own is None else plan.own.epoch)
    steps("kept")
    put_in_force(home)
    steps("replaced")
    return plan


@contextmanager
def _own(home: Home, clock: Clock) -> Iterator[_Own]:
    if not home.ledger_file.exists():
        yield _Own(None, "absent", "there is no ledger.sqlite")
        return
    try:
        ledger = Ledger(home.ledger_file, home.config().region, clock)
    except NewerLedger:
        raise
    except BrokenLedger as error:
        yield _Own(None, "unreadable", str(error))
        return
    with closing(ledger):
        yield _Own(ledger, "behind", "")


def _documents(home: Home, ledger: Ledger | None) -> Documents:
    events = lying(home) if ledger is None else ledger.book.adopted.values()
    key = steward_key(home)
    return load(home, events, None if key is None else key.public)


def _plan(home: Home, own: _Own, last: Checkpoint | None, *, split: bool) -> Plan | Whole:
    held, why, detail = None, own.why, own.detail
    if own.ledger is not None:
        held = own.ledger.head()
        lost = _lost(own.ledger, last) or (("forked", _SPLIT) if split else None)
        if lost is None:
            return Whole(held.epoch, held.size)
        why, detail = lost
    documents = _documents(home, own.ledger)
    if documents.policy is None:
        raise NotReady("policy")
    policy = documents.policy.document
    cohorts, lifetime = _charges(policy, _spent(home, documents, own.ledger))
    return Plan(_epoch(home, held, last), why, detail, held, last, policy.policy.version, cohorts, lifetime)


def _lost(ledger: Ledger, last: Checkpoint | None) -> tuple[Why, str] | None:
    """How the ledger fails to have what was seen, or None."""
    if last is None or last.epoch < ledger.epoch:
        return None
    here = f"{ledger.origin} has {ledger.tree.size} entries here"
    if last.epoch > ledger.epoch or last.size > ledger.tree.size:
        return "behind", f"{here}; a witness saw {last.origin} with {last.size}"
    if last.root != ledger.tree.root(last.size):
        return "forked", f"{here}; a witness saw other entries among the first {last.size}"
    return None


def _epoch(home: Home, held: Checkpoint | None, last: Checkpoint | None) -> int:
    """The epoch to open: above every one that was ever opened, as far as can be known."""
    here = max((epoch for epoch, _path in closed_files(home)), default=0) + 1 if held is None else held.epoch
    return max(here, 0 if last is None else last.epoch) + 1


def _charges(policy: RegionPolicy, spent: Stated) -> tuple[dict[str, Charge], Charge]:
    cohorts = {
        cohort: _charge(policy.cohorts[cohort].amount if cohort in policy.cohorts else _NONE, spent.cohort(cohort))
        for cohort in sorted({*policy.cohorts, *spent.cohorts})
    }
    return cohorts, _charge(policy.lifetime.amount, spent.lifetime)


def _spent(home: Home, documents: Documents, ledger: Ledger | None) -> Stated:
    """What is known to be spent: by the ledger as far as it can be read, and by the regions that this was formed of."""
    known = Stated() if ledger is None else Stated(ledger.book.cohorts, ledger.book.lifetime)
    taken = _inherited(home, documents)
    if taken is None:
        return known
    cohorts = {cohort: NanoRho(nano) for cohort, nano in taken.cohorts.items()}
    return known.raised_to(Stated(cohorts, NanoRho(taken.lifetime)))


def _inherited(home: Home, documents: Documents) -> Inherited | None:
    held = documents.calendar
    return None if held is None else inherited(held.document, home.config().region, held.digest)


def _charge(cap: NanoRho, spent: NanoRho) -> Charge:
    return Charge(spent, NanoRho(max(cap.nano, spent.nano)))


def _write(home: Home, ledger: Ledger | None, plan: Plan, clock: Clock) -> None:
    documents = _documents(home, ledger)
    adopted = tuple(
        (event_of(signed, from_canonical(MODELS[signed.kind], signed.document)), signed) for signed in documents.signed
    )
    # A plan was made, so there is a policy.
    assert documents.policy is not None
    opening = Reset(
        event="reset",
        region=home.config().region,
        epoch=plan.epoch,
        old_size=0 if plan.last is None else plan.last.size,
        old_root=(EMPTY_ROOT if plan.last is None else plan.last.root).hex(),
        policy=documents.policy.digest,
        cohorts={cohort: charge.charged.nano for cohort, charge in plan.cohorts.items()},
        lifetime_total=plan.lifetime.charged.nano,
    )
    along = TakenAlong(adopted, _inherited(home, documents))
    if ledger is not None:
        imported = _still_there(home, documents, ledger)
        along = replace(along, imported=imported, answers=released_answers(ledger), seen=ledger.seen())
    write_epoch(next_file(home), opening, along, clock)


def _still_there(home: Home, documents: Documents, ledger: Ledger) -> tuple[Imported, ...]:
    """The snapshots in force whose files can be opened. Without a ledger nobody knows which are in force."""
    return tuple(
        event
        for event in ledger.book.snapshots.values()
        if event.codebook in documents.codebooks and _opens(home, event.snapshot)
    )


def _opens(home: Home, snapshot: str) -> bool:
    try:
        open_snapshot(home.root, snapshot)
    except NoSnapshot:
        return False
    return True
