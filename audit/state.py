"""What is in force and what was spent at each entry of one region's log, as the entries say it, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field

from rondgang.merkle import Tree

from audit.evidence import Evidence
from audit.findings import Where
from audit.lifetime import TakenOver
from audit.model import Bundle, LoggedEntry, Paper
from audit.policy import Policy
from audit.reprice.asked import Asked
from audit.reprice.price import Repriced
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster


@dataclass(frozen=True, slots=True)
class Decision:
    """The steward's last word on a programme."""

    approved: bool
    entry: LoggedEntry
    valid: bool


@dataclass(slots=True)
class Debit:
    """One debit, and what was in force at it. `price` is what the auditor derives, in nano-rho, where it can.

    `answered` or `attempted` is the entry that used it up: the region's own answer, or a vector of a national sum.
    """

    entry: LoggedEntry
    policy: Policy | None
    roster: Roster | None
    asked: Asked | None = None
    repriced: Repriced | None = None
    answered: LoggedEntry | None = None
    attempted: LoggedEntry | None = None
    decision: Decision | None = None

    @property
    def attempt(self) -> int:
        """0 pays for the region's own answer; from 1 on for that attempt of its run at the national sums."""
        return max(0, self.entry.number("attempt"))

    @property
    def used(self) -> bool:
        return self.answered is not None or self.attempted is not None

    @property
    def price(self) -> int | None:
        return None if self.repriced is None else self.repriced.of(self.attempt).nano


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and the entry from which it holds."""

    entry: LoggedEntry
    paper: Paper
    policy: Policy


@dataclass(frozen=True, slots=True)
class Closed:
    """How an epoch ended: its entries as a tree, its totals, and the policy in force."""

    tree: Tree
    cohorts: dict[str, int]
    lifetime: int
    policy: str


@dataclass(slots=True)
class State:
    """Grows with `walk`. `snapshots` maps a cohort to its snapshot and codebook; totals are in nano-rho.

    `cohorts` and `lifetime` are added up anew; `said` is what the log's last entry said, the lifetime under `""`.
    `taken` is what they began with. `imported` are the cohorts of which data ever came into force in this epoch.

    `attempts` maps (programme, run) to its newest attempt that was charged, `sums` to its finished sums, and `vectors`
    (programme, run, attempt) to the entry by which a vector left.

    A document counts as in force only where it was validly signed. `asked`, `decisions`, `answered`, `vectors` and
    `sums` outlive a reset.
    """

    evidence: Evidence
    bundle: Bundle
    epoch: int = 0
    last_time: int = 0
    tree: Tree = field(default_factory=Tree)
    in_force: InForce | None = None
    policy_hash: str = ""
    roster: Roster | None = None
    calendar: Calendar | None = None
    calendar_hash: str = ""
    codebooks: dict[str, Codebook] = field(default_factory=dict)
    snapshots: dict[str, tuple[str, str]] = field(default_factory=dict)
    cohorts: dict[str, int] = field(default_factory=dict)
    lifetime: int = 0
    taken: TakenOver = field(default_factory=TakenOver)
    imported: set[str] = field(default_factory=set)
    said: dict[str, int] = field(default_factory=dict)
    asked: dict[tuple[str, str], LoggedEntry] = field(default_factory=dict)
    runs: dict[str, LoggedEntry] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    debits: dict[int, Debit] = field(default_factory=dict)
    answered: dict[tuple[str, str], LoggedEntry] = field(default_factory=dict)
    attempts: dict[tuple[str, str], int] = field(default_factory=dict)
    vectors: dict[tuple[str, str, int], LoggedEntry] = field(default_factory=dict)
    sums: dict[tuple[str, str], LoggedEntry] = field(default_factory=dict)
    spends: list[Debit] = field(default_factory=list)
    policies: list[InForce] = field(default_factory=list)
    closed: dict[int, Closed] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.bundle.name

    @property
    def policy(self) -> Policy | None:
        return None if self.in_force is None else self.in_force.policy

    @property
    def cohorts_held(self) -> frozenset[str]:
        """The cohorts that a household may be in: of which data ever came into force, here or at a region before."""
        return frozenset((*self.imported, *(name for name, nano in self.taken.inherited.items() if nano)))

    @property
    def people(self) -> Roster | None:
        """The roster to judge by: the one in force; the newest of the evidence until one is."""
        return self.roster or self.evidence.newest

    def at(self, entry: LoggedEntry) -> Where:
        return Where(self.bundle.file, self.region, entry.place)
