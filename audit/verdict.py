"""What a verification comes to: findings, and per region the history that the report draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from audit.findings import Finding, Severity
from audit.model import Bundle, LoggedEntry, Paper


@dataclass(frozen=True, slots=True)
class Spend:
    """One debit. `charge` as logged and `price` as the auditor derives it (None where it cannot), both in nano-rho.

    `answered` is the entry that used it, `programme` the signed document where the evidence has it.
    """

    entry: LoggedEntry
    cohort: str
    charge: int
    price: int | None
    programme: Paper | None
    answered: LoggedEntry | None


@dataclass(frozen=True, slots=True)
class Caps:
    """A policy in force from an entry on: rho a cohort, over the lifetime, and a programme; exact."""

    since: LoggedEntry
    paper: Paper
    cohorts: Mapping[str, Fraction]
    lifetime: Fraction
    programme: Fraction


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint and who cosigned it when: (name on the roster, unix seconds)."""

    origin: str
    size: int
    by: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RegionHistory:
    """One region over time, as far as its bundle could be read. `spends`, `caps` and `seen` are in log order."""

    bundle: Bundle
    code: str
    entries: tuple[LoggedEntry, ...]
    spends: tuple[Spend, ...]
    caps: tuple[Caps, ...]
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a verification. `fingerprint` names exactly this evidence (SHA-256 over the files' hashes, sorted)."""

    findings: tuple[Finding, ...]
    regions: tuple[RegionHistory, ...]
    others: tuple[Bundle, ...]
    consortium: str
    fingerprint: str

    @property
    def sound(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)
