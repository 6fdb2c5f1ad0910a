"""What a verification comes to: findings, and per region the history that the report draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from audit.exact import rho_text
from audit.findings import Finding, Severity
from audit.model import Bundle, LoggedEntry, Paper
from policies.study.text import some

_LOST = frozenset(("epoch.lost", "given.lost"))
"""Findings that say that a part of a log is gone; its reset charged everything, or there is an error too."""


@dataclass(frozen=True, slots=True)
class Spend:
    """One debit. `charge` as logged and `price` as the auditor derives it (None where it cannot), both in nano-rho.

    `answered` or `attempted` is the entry that used it, `programme` the signed document where the evidence has it.
    `attempt` 0 paid for the region's own answer, from 1 on for that attempt at the national sums.
    """

    entry: LoggedEntry
    cohort: str
    charge: int
    price: int | None
    programme: Paper | None
    answered: LoggedEntry | None
    attempted: LoggedEntry | None = None
    attempt: int = 0

    @property
    def dead(self) -> bool:
        """Whether it was charged, and nothing ever left for it."""
        return self.answered is None and self.attempted is None


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
    """The end of a verification. `fingerprint` names exactly this evidence (SHA-256 over the files' hashes, sorted).

    `consortium` is the public key (hex) by which everything was judged; `no_bundles` are files that are no evidence.
    """

    findings: tuple[Finding, ...]
    regions: tuple[RegionHistory, ...]
    others: tuple[Bundle, ...]
    consortium: str
    fingerprint: str
    no_bundles: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def sentence(self) -> str:
        """The verdict in one plain sentence."""
        if not self.regions and not self.others:
            return "There is no evidence here that could be read."
        spends = [spend for region in self.regions for spend in region.spends]
        entries = some(sum(len(region.entries) for region in self.regions), "entry", "entries")
        what = f"{entries}, {some(len(spends), 'debit')} of at most {rho_text(self._most)} rho in a region"
        whose = f"The evidence of {some(len(self.regions), 'region')}"
        if not self.sound:
            errors = some(self.count(Severity.ERROR), "error")
            return f"{whose} does not hold: {errors} in {what}. Rely on no budget before each is explained."
        answers = some(sum(spend.answered is not None for spend in spends), "answer")
        tried = sum(spend.attempted is not None for spend in spends)
        parts = f" and {some(tried, 'part')} of national sums" if tried else ""
        lost = any(finding.code in _LOST for finding in self.findings)
        charged = "what a lost ledger had spent was charged in full when a new one began"
        end = charged if lost else "nothing was spent that is not in the logs"
        warnings = self.count(Severity.WARNING)
        asked = f"; {some(warnings, 'warning')} to be asked about" if warnings else ""
        return f"{whose} holds: {what}, {answers}{parts}, and {end}{asked}."

    @property
    def _most(self) -> int:
        """Nano-rho of all debits of the region that spent most; a household is in one region."""
        return max((sum(spend.charge for spend in region.spends) for region in self.regions), default=0)
