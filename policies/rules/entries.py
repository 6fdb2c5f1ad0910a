"""What a region's ledger records: one entry per decision, in canonical bytes, each with the hash of the one before.

The entries are the leaves of the region's Merkle log (rondgang/merkle.py), in their order. Entries hold public facts
only: no count, no value from rows. A log begins with `opened`, or with `reset` where an earlier one was lost.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from policies.documents import Document
from policies.rules.approval import DeclineReason
from policies.study.text import CohortId, Hash, RegionCode, RunId, SnapshotId
from policies.units.exact import BigInt


class Opened(Document):
    """The first entry: whose ledger this is."""

    event: Literal["opened"] = Field(default=...)
    region: RegionCode


class Reset(Document):
    """The first entry of a later epoch: the earlier log is closed for good, at the last size that anybody witnessed.

    All budget that was left is charged: the totals are the caps of the policy in force at that moment, or what had been
    spent where that is more. `policy` is that policy; its entry follows.
    """

    event: Literal["reset"] = Field(default=...)
    region: RegionCode
    epoch: int = Field(ge=2)
    old_size: int = Field(ge=0)
    old_root: Hash
    policy: Hash
    cohorts: dict[CohortId, BigInt]
    lifetime_total: BigInt


class Adopted(Document):
    """A signed document came into force; `name` tells codebooks apart."""

    event: Literal["adopted"] = Field(default=...)
    kind: Literal["roster", "calendar", "codebook", "policy"]
    name: str
    hash: Hash


class Inherited(Document):
    """What the regions that this one was formed of had spent counts here too, as a calendar in force states it.

    It follows right behind the adoption of that calendar. `cohorts` holds the largest of its predecessors' totals, and
    `lifetime` the largest of what each had spent in all, in nano-rho. Of a later calendar only what is more is added.
    """

    event: Literal["inherited"] = Field(default=...)
    calendar: Hash
    cohorts: dict[CohortId, BigInt]
    lifetime: BigInt


class Imported(Document):
    """A snapshot replaced its cohort's earlier one."""

    event: Literal["imported"] = Field(default=...)
    snapshot: SnapshotId
    cohort: CohortId
    codebook: Hash


class AskedEntry(Document):
    """A researcher's programme came with the coordinator's order; once for each programme and run."""

    event: Literal["asked"] = Field(default=...)
    programme: Hash
    run: RunId
    researcher: Hash
    """The researcher's public key."""
    order: Hash


class RefusedEntry(Document):
    """A programme was refused; nothing was charged."""

    event: Literal["refused"] = Field(default=...)
    programme: Hash
    run: str
    reason: str


class Approved(Document):
    """The steward agreed to a programme, once and for every run of it; `approval` is the signed document."""

    event: Literal["approved"] = Field(default=...)
    programme: Hash
    approval: Hash


class Declined(Document):
    """The steward refused a programme, for the reason in the signed document `approval`."""

    event: Literal["declined"] = Field(default=...)
    programme: Hash
    approval: Hash
    reason: DeclineReason


class Debited(Document):
    """Money is gone from here on, whatever happens next. Totals include this charge, in nano-rho.

    `attempt` 0 pays for the region's own answer; from 1 on it is the attempt of this run at the national sums.
    """

    event: Literal["debited"] = Field(default=...)
    programme: Hash
    run: str
    researcher: str
    snapshot: SnapshotId
    cohort: CohortId
    charge: BigInt
    cohort_total: BigInt
    lifetime_total: BigInt
    attempt: int = Field(default=0, ge=0, le=5)


class Answered(Document):
    """The reply for a debit was stored; `answer` is the hash of its bytes, `debit` the sequence number of its debit."""

    event: Literal["answered"] = Field(default=...)
    programme: Hash
    snapshot: SnapshotId
    debit: int
    answer: Hash


class Attempted(Document):
    """A masked vector of a secure aggregation left for a debit and used it up; `participants` hashes their list.

    `commitment` is the hash of what the vector was made of (policies/secure/opening.py), salted; that stays here.
    """

    event: Literal["attempted"] = Field(default=...)
    programme: Hash
    run: RunId
    attempt: int = Field(ge=1)
    debit: int
    participants: Hash
    commitment: Hash


class Summed(Document):
    """The finished sums of a run were stored; `hash` is that of the signed document's content."""

    event: Literal["summed"] = Field(default=...)
    programme: Hash
    run: RunId
    attempt: int = Field(ge=1)
    hash: Hash


class ResultEntry(Document):
    """A signed result of a programme that this region took part in was stored; a later one of its run replaces it."""

    event: Literal["result"] = Field(default=...)
    run: str
    programme: Hash
    hash: Hash


Event = Annotated[
    Opened
    | Reset
    | Adopted
    | Inherited
    | Imported
    | AskedEntry
    | RefusedEntry
    | Approved
    | Declined
    | Debited
    | Answered
    | Attempted
    | Summed
    | ResultEntry,
    Field(discriminator="event"),
]


class Entry(Document):
    """One ledger record: sequence number from 0, unix seconds, hash of the entry before (zeros for the first).

    Times never go back: a clock that was set back keeps the time of the entry before.
    """

    seq: int = Field(ge=0)
    time: int
    previous: Hash
    body: Event
