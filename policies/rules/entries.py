"""What a region's ledger records: one entry per decision, in canonical bytes, each with the hash of the one before.

The entry's own hash is the leaf hash of RFC 6962 (see rondgang/leaves.py), so that the chain can become a Merkle log
without rewriting a byte. Entries hold public facts only: no count, no value from rows.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from policies.documents import Document
from policies.statistics.answer import SnapshotId
from policies.statistics.programme import Hash
from policies.study.text import CohortId, RegionCode
from policies.units.exact import BigInt


class Opened(Document):
    """The first entry: whose ledger this is."""

    event: Literal["opened"] = Field(default=...)
    region: RegionCode


class Adopted(Document):
    """A signed document came into force; `name` tells codebooks apart."""

    event: Literal["adopted"] = Field(default=...)
    kind: Literal["roster", "calendar", "codebook", "policy"]
    name: str
    hash: Hash


class Imported(Document):
    """A snapshot replaced its cohort's earlier one."""

    event: Literal["imported"] = Field(default=...)
    snapshot: SnapshotId
    cohort: CohortId
    codebook: Hash


class RefusedEntry(Document):
    """A programme was refused; nothing was charged."""

    event: Literal["refused"] = Field(default=...)
    programme: Hash
    run: str
    reason: str


class Debited(Document):
    """Money is gone from here on, whatever happens next. Totals include this charge, in nano-rho."""

    event: Literal["debited"] = Field(default=...)
    programme: Hash
    run: str
    researcher: str
    snapshot: SnapshotId
    cohort: CohortId
    charge: BigInt
    cohort_total: BigInt
    lifetime_total: BigInt


class Answered(Document):
    """The reply for a debit was stored; `answer` is the hash of its bytes, `debit` the sequence number of its debit."""

    event: Literal["answered"] = Field(default=...)
    programme: Hash
    snapshot: SnapshotId
    debit: int
    answer: Hash


class ResultEntry(Document):
    """A signed result of a programme that was answered here was stored; a later one of its run replaces it."""

    event: Literal["result"] = Field(default=...)
    run: str
    programme: Hash
    hash: Hash


Event = Annotated[
    Opened | Adopted | Imported | RefusedEntry | Debited | Answered | ResultEntry, Field(discriminator="event")
]


class Entry(Document):
    """One ledger record: sequence number from 0, unix seconds, hash of the entry before (zeros for the first)."""

    seq: int = Field(ge=0)
    time: int
    previous: Hash
    body: Event
