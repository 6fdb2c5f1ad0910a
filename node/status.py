"""What a steward may see of a node: public facts, budget in both currencies, and the newest decisions."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from node.ledger.book import Book
from node.region import Region
from node.secure.attempts import Running
from node.witnessing.witnesses import Witnesses
from policies.rules.decide import Standing, awaits_inheritance, left
from policies.rules.entries import (
    Adopted,
    Answered,
    Approved,
    AskedEntry,
    Attempted,
    Debited,
    Declined,
    Entry,
    Imported,
    Inherited,
    Opened,
    RefusedEntry,
    Reset,
    ResultEntry,
    Summed,
)
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho

DELTA = Decimal("0.000001")
"""The delta at which budgets are shown as epsilon."""

_SHOWN_ENTRIES = 10


class Shown(BaseModel):
    """Part of a status; JSON field names are fixed."""

    model_config = ConfigDict(frozen=True)


class Amount(Shown):
    """The same amount twice: rho exactly, and epsilon at delta 1e-6, rounded up to four decimals."""

    rho: str
    epsilon: str


class Budget(Shown):
    """Of one cohort, or with an empty name of all together. `snapshot` says whether there are data to ask.

    Of all together `spent` is what counts against the lifetime cap: where `most_cohorts` is set, of the cohorts that
    cost most. `left_lifetime` is what the lifetime cap leaves for this cohort; of all together, for any of them.
    """

    cohort: str
    cap: Amount
    spent: Amount
    left: Amount
    left_lifetime: Amount
    snapshot: bool


class Document(Shown):
    kind: str
    name: str
    hash: str


class Decision(Shown):
    """A ledger entry in short; times are unix seconds, `charge` is in rho."""

    seq: int
    time: int
    event: str
    about: str
    charge: str = ""
    reason: str = ""


class AttemptShown(Shown):
    """The newest attempt of a run at a programme's national sums, as far as it came here.

    running: its rounds go on; charged: no vector left, and none will; sent: its vector could leave; summed: the
    finished sum is stored. A node that does not serve runs none.
    """

    run: str
    programme: str
    attempt: int
    state: Literal["running", "charged", "sent", "summed"]


class WitnessShown(Shown):
    """One witness, as the serving node knows it: see node/witnessing/watcher.py."""

    name: str
    address: str
    heard: int | None
    cosigned: int | None
    problem: str
    detail: str


class Trouble(Shown):
    """Why nothing is spent; `sentence` says it in English.

    behind, reset, forked: a witness (`by`) saw size `seen` in epoch `seen_epoch`, and the ledger is at `own` in
    `epoch`. alone, unsound: there is no independent witness, or the policy's rule (`need` of `of`, of which `faulty`
    may lie) would take `least`. away: `have` witnesses cosigned, or could be reached, and `need` must.
    """

    kind: Literal["behind", "reset", "forked", "alone", "unsound", "away"]
    sentence: str
    own: int = 0
    epoch: int = 0
    seen: int = 0
    seen_epoch: int = 0
    by: str = ""
    have: int = 0
    need: int = 0
    of: int = 0
    faulty: int = 0
    least: int = 0


class Status(Shown):
    """The whole of it. `serving`, `connected`, `witnesses`, `trouble` and running attempts come from whoever knows.

    `test_only`: the policy in force is for tests alone. `cosigned` is the size up to which the log is cosigned.
    `most_cohorts`: in how many cohorts one household may be; None: in all. `awaits_inheritance`: the calendar does not
    state yet what the regions that this one was formed of had spent, so nothing may be spent here.
    """

    region: str
    coordinator: str
    enrolled: bool
    serving: bool = False
    connected: bool = False
    missing: tuple[str, ...]
    test_only: bool = False
    documents: tuple[Document, ...]
    budgets: tuple[Budget, ...]
    most_cohorts: int | None = None
    awaits_inheritance: bool = False
    answered: int
    dead_debits: int
    attempts: tuple[AttemptShown, ...] = ()
    entries: int
    head: str
    epoch: int
    cosigned: int
    witnesses: tuple[WitnessShown, ...] = ()
    trouble: Trouble | None = None
    last: tuple[Decision, ...]


def amount(value: NanoRho) -> Amount:
    return Amount(rho=value.text(), epsilon=str(epsilon_from_rho(value, DELTA)))


def status_of(region: Region) -> Status:
    """The status of an open region. Reads the ledger only."""
    book = region.ledger.book
    adopted = sorted(book.adopted.values(), key=lambda event: (event.kind, event.name))
    standing = None if region.missing() else region.standing(book)
    return Status(
        region=region.code,
        coordinator=region.config.coordinator.address,
        enrolled=region.home.enrolled,
        missing=region.missing(),
        test_only=region.test_only,
        documents=tuple(Document(kind=event.kind, name=event.name, hash=event.hash) for event in adopted),
        budgets=() if standing is None else _budgets(standing),
        most_cohorts=None if standing is None else standing.policy.most_cohorts,
        awaits_inheritance=standing is not None and awaits_inheritance(standing),
        answered=len(book.answered),
        dead_debits=len(book.unanswered),
        attempts=_attempts(book),
        entries=book.size,
        head=book.head,
        epoch=region.ledger.epoch,
        cosigned=region.ledger.cosigned,
        last=tuple(decision_of(entry) for entry in region.ledger.last_entries(_SHOWN_ENTRIES)),
    )


def witnesses_of(witnesses: Witnesses) -> tuple[WitnessShown, ...]:
    """Every witness, as it was last heard."""
    return tuple(
        WitnessShown(
            name=one.name,
            address=one.line.address,
            heard=one.heard,
            cosigned=one.cosigned,
            problem=one.problem,
            detail=one.detail,
        )
        for one in witnesses.watchers
    )


def trouble_of(witnesses: Witnesses) -> Trouble | None:
    """Why nothing is spent, from what is known already."""
    found = witnesses.contradiction
    if found is not None:
        return Trouble(
            kind=found.kind,
            sentence=found.sentence,
            own=found.own.size,
            epoch=found.own.epoch,
            seen=found.seen.size,
            seen_epoch=found.seen.epoch,
            by=found.by,
        )
    if (rule := witnesses.unsound()) is not None:
        return Trouble(
            kind="unsound" if rule.independent else "alone",
            sentence=rule.sentence,
            need=rule.need,
            of=rule.of,
            faulty=rule.faulty,
            least=rule.least,
        )
    refused, (have, need) = witnesses.standing(), witnesses.have
    return None if refused is None else Trouble(kind="away", sentence=refused.sentence, have=have, need=need)


def attempts_of(logged: tuple[AttemptShown, ...], running: tuple[Running, ...]) -> tuple[AttemptShown, ...]:
    """Those of the ledger, and in their place those that are under way in this process."""
    found = {(one.programme, one.run): one for one in logged}
    for one in running:
        found[one.programme, one.run] = AttemptShown(
            run=one.run, programme=one.programme, attempt=one.attempt, state="running"
        )
    return tuple(found[place] for place in sorted(found, key=lambda place: place[1]))


def _attempts(book: Book) -> tuple[AttemptShown, ...]:
    found = []
    for programme, run in sorted({*book.attempts, *book.sums}, key=lambda place: place[1]):
        place, state = (programme, run), "charged"
        newest = book.attempts.get(place, 0)
        if place in book.sums:
            newest, state = book.sums[place].attempt, "summed"
        elif book.vectors.get(place) == newest:
            state = "sent"
        shown = {"run": run, "programme": programme, "attempt": newest, "state": state}
        found.append(AttemptShown.model_validate(shown))
    return tuple(found)


def _budgets(standing: Standing) -> tuple[Budget, ...]:
    policy, spent = standing.policy, standing.spent
    cohorts = sorted({*policy.cohorts, *spent.cohorts, *standing.snapshots})
    rows = []
    for cohort in cohorts:
        of_cohort, of_lifetime = left(cohort, standing)
        rows.append(
            Budget(
                cohort=cohort,
                cap=amount(policy.cohorts[cohort].amount if cohort in policy.cohorts else NanoRho(0)),
                spent=amount(spent.cohort(cohort)),
                left=amount(of_cohort),
                left_lifetime=amount(of_lifetime),
                snapshot=cohort in standing.snapshots,
            )
        )
    lifetime, counted = policy.lifetime.amount, spent.counted(policy.most_cohorts)
    for_any = amount(NanoRho(0) if awaits_inheritance(standing) else lifetime.left_after(counted))
    together = Budget(
        cohort="",
        cap=amount(lifetime),
        spent=amount(counted),
        left=for_any,
        left_lifetime=for_any,
        snapshot=bool(standing.snapshots),
    )
    return (*rows, together)


def decision_of(entry: Entry) -> Decision:
    """An entry in short."""
    about, charge, reason = "", "", ""
    match entry.body:
        case Opened(region=code) | Reset(region=code):
            about = code
        case Adopted(kind=kind, name=name):
            about = f"{kind} {name}"
        case Imported(cohort=cohort):
            about = cohort
        case Inherited():
            about, charge = "calendar", NanoRho(entry.body.lifetime).text()
        case RefusedEntry(programme=programme):
            about, reason = programme, entry.body.reason
        case Debited(programme=programme):
            about, charge = programme, NanoRho(entry.body.charge).text()
        case AskedEntry(programme=programme) | Approved(programme=programme) | Declined(programme=programme):
            about = programme
        case Answered(programme=programme) | Attempted(programme=programme) | Summed(programme=programme):
            about = programme
        case ResultEntry(run=run):
            about = run
    return Decision(seq=entry.seq, time=entry.time, event=entry.body.event, about=about, charge=charge, reason=reason)
