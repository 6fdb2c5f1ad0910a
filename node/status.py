"""What a steward may see of a node: public facts, budget in both currencies, and the newest decisions."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from node.region import Region
from policies.rules.decide import left
from policies.rules.entries import Adopted, Answered, Debited, Entry, Imported, Opened, RefusedEntry, ResultEntry
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
    """Of one cohort, or with an empty name of all together. `snapshot` says whether there are data to ask."""

    cohort: str
    cap: Amount
    spent: Amount
    left: Amount
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


class Status(Shown):
    """The whole of it. `serving` and `connected` are filled in by whoever knows.

    `test_only`: the policy in force is for tests alone.
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
    answered: int
    dead_debits: int
    entries: int
    head: str
    last: tuple[Decision, ...]


def amount(value: NanoRho) -> Amount:
    return Amount(rho=value.text(), epsilon=str(epsilon_from_rho(value, DELTA)))


def status_of(region: Region) -> Status:
    """The status of an open region. Reads the ledger only."""
    book = region.ledger.book
    adopted = sorted(book.adopted.values(), key=lambda event: (event.kind, event.name))
    return Status(
        region=region.code,
        coordinator=region.config.coordinator.address,
        enrolled=region.home.enrolled,
        missing=region.missing(),
        test_only=region.test_only,
        documents=tuple(Document(kind=event.kind, name=event.name, hash=event.hash) for event in adopted),
        budgets=_budgets(region),
        answered=len(book.answered),
        dead_debits=len(book.unanswered),
        entries=book.size,
        head=book.head,
        last=tuple(_decision(entry) for entry in region.ledger.last_entries(_SHOWN_ENTRIES)),
    )


def _budgets(region: Region) -> tuple[Budget, ...]:
    if region.missing():
        return ()
    standing = region.standing(region.ledger.book)
    policy, spent = standing.policy, standing.spent
    cohorts = sorted({*policy.cohorts, *spent.cohorts, *standing.snapshots})
    rows = [
        Budget(
            cohort=cohort,
            cap=amount(policy.cohorts[cohort].amount if cohort in policy.cohorts else NanoRho(0)),
            spent=amount(spent.cohort(cohort)),
            left=amount(left(cohort, standing)[0]),
            snapshot=cohort in standing.snapshots,
        )
        for cohort in cohorts
    ]
    lifetime = policy.lifetime.amount
    together = Budget(
        cohort="",
        cap=amount(lifetime),
        spent=amount(spent.lifetime),
        left=amount(lifetime.left_after(spent.lifetime)),
        snapshot=bool(standing.snapshots),
    )
    return (*rows, together)


def _decision(entry: Entry) -> Decision:
    about, charge, reason = "", "", ""
    match entry.body:
        case Opened(region=code):
            about = code
        case Adopted(kind=kind, name=name):
            about = f"{kind} {name}"
        case Imported(cohort=cohort):
            about = cohort
        case RefusedEntry():
            about, reason = entry.body.programme, entry.body.reason
        case Debited():
            about, charge = entry.body.programme, NanoRho(entry.body.charge).text()
        case Answered(programme=programme):
            about = programme
        case ResultEntry(run=run):
            about = run
    return Decision(seq=entry.seq, time=entry.time, event=entry.body.event, about=about, charge=charge, reason=reason)
