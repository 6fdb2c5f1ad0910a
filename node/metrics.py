"""What a node counts in public: the closed list, and how its figures are found.

Everything here is known to the desk, the witnesses or an auditor already, to the tick. The figures are taken by the
ledger's one writer, which is busy for a whole number of ticks while rows are read (pace.py), so a figure changes no
earlier than the outside could know. Free space, memory and processor time are not here: they tell how many rows there
are, or how long reading them took.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from fractions import Fraction
from typing import get_args

from rondgang.software import software_version

from node.journal import EventName, Journal
from node.region import Region
from node.status import Trouble, WitnessShown, trouble_of, witnesses_of
from node.witnessing.witnesses import Witnesses
from policies.rules.decide import left
from policies.rules.metrics import COHORT, PARTY, REASONS, Family, Sheet, common, put_common
from policies.study.certified import last_second
from policies.units.money import NanoRho

TROUBLES = frozenset(get_args(Trouble.model_fields["kind"].annotation))
OUTCOMES = REASONS | {"answered", "answered_again"}
ATTEMPT_EVENTS: Mapping[EventName, str] = {
    "attempt_begun": "begun",
    "attempt_sent": "sent",
    "attempt_finished": "finished",
    "attempt_stopped": "stopped",
}
_PLAIN: Mapping[EventName, str] = {
    "quoted": "rondgang_node_quotes_total",
    "connection_lost": "rondgang_node_connections_lost_total",
    "result_kept": "rondgang_node_results_kept_total",
    "fault": "rondgang_node_faults_total",
}
_COHORT = {"cohort": COHORT}
_WITNESS = {"witness": PARTY}

FAMILIES: tuple[Family, ...] = (
    *common("node"),
    Family("rondgang_node_attending", "gauge", "1 while the desk has welcomed this node, else 0."),
    Family("rondgang_node_connections_lost_total", "counter", "Streams to the desk that broke or did not come about."),
    Family(
        "rondgang_node_orders_total",
        "counter",
        "Orders by what became of them; a refusal's outcome is its reason.",
        {"outcome": OUTCOMES},
    ),
    Family("rondgang_node_quotes_total", "counter", "Questions about a price that were answered."),
    Family(
        "rondgang_node_attempts_total",
        "counter",
        "Attempts at national sums by how far they came.",
        {"state": frozenset(ATTEMPT_EVENTS.values())},
    ),
    Family("rondgang_node_results_kept_total", "counter", "Results of runs that came back and are stored."),
    Family("rondgang_node_awaiting_steward", "gauge", "Orders that wait for the steward, to decide or to resume."),
    Family("rondgang_node_ledger_entries", "gauge", "Entries in the ledger."),
    Family("rondgang_node_ledger_cosigned", "gauge", "Entries of the ledger that enough witnesses have cosigned."),
    Family("rondgang_node_ledger_epoch", "gauge", "Epoch of the ledger; a recovery after a lost disk opens the next."),
    Family("rondgang_node_dead_debits", "gauge", "Charges for which no answer is stored."),
    Family(
        "rondgang_node_budget_left_ratio", "gauge", "What is left of a cohort's cap: 1 is all of it, 0 none.", _COHORT
    ),
    Family("rondgang_node_lifetime_left_ratio", "gauge", "What is left of the lifetime cap for a cohort.", _COHORT),
    Family("rondgang_node_witness_heard_timestamp_seconds", "gauge", "When a witness was last heard.", _WITNESS),
    Family("rondgang_node_witness_cosigned", "gauge", "Entries that a witness has cosigned, as it says.", _WITNESS),
    Family(
        "rondgang_node_witness_problem", "gauge", "1 where the last call to a witness went wrong, else 0.", _WITNESS
    ),
    Family("rondgang_node_trouble", "gauge", "1 for the reason why nothing is spent now.", {"kind": TROUBLES}),
)


class Counting:
    """A journal that counts what it passes on, where that is on the list."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._counted = Sheet(FAMILIES)
        # The writer and the event loop both tell it things.
        self._turn = threading.Lock()

    def beside(self, sheet: Sheet) -> Sheet:
        """The sheet, with what was counted so far."""
        with self._turn:
            return sheet.with_counts(self._counted)

    def __call__(
        self,
        event: EventName,
        *,
        run: str | None = None,
        programme: str | None = None,
        attempt: int | None = None,
        reason: str | None = None,
        charge: int | None = None,
        place: str | None = None,
    ) -> None:
        self._journal(event, run=run, programme=programme, attempt=attempt, reason=reason, charge=charge, place=place)
        with self._turn:
            match event:
                case "answered" | "answered_again" | "late":
                    self._counted.add("rondgang_node_orders_total", outcome=event)
                case "refused" if reason in REASONS:
                    self._counted.add("rondgang_node_orders_total", outcome=reason)
                case "attempt_begun" | "attempt_sent" | "attempt_finished" | "attempt_stopped":
                    self._counted.add("rondgang_node_attempts_total", state=ATTEMPT_EVENTS[event])
                case _ if event in _PLAIN:
                    self._counted.add(_PLAIN[event])
                case _:
                    # On the list of events, and counted by nobody.
                    return


def sheet_of(region: Region, witnesses: Witnesses, *, started: int, attending: bool, awaiting: int) -> Sheet:
    """The figures of this moment, without what was counted. For the writer's thread; reads documents and the ledger.

    Raises NotReady where roster, calendar or policy is missing, and BadHome or BadCertificate.
    """
    sheet, book = Sheet(FAMILIES), region.ledger.book
    _, _, own = region.home.tls()
    put_common(sheet, "node", version=software_version(), started=started, expires=last_second(own))
    for name, value in (
        ("attending", int(attending)),
        ("awaiting_steward", awaiting),
        ("ledger_entries", book.size),
        ("ledger_cosigned", region.ledger.cosigned),
        ("ledger_epoch", region.ledger.epoch),
        ("dead_debits", len(book.unanswered)),
    ):
        sheet.put(f"rondgang_node_{name}", value)
    _budgets(sheet, region)
    for one in witnesses_of(witnesses):
        _witness(sheet, one)
    trouble = trouble_of(witnesses)
    for kind in TROUBLES:
        sheet.put("rondgang_node_trouble", int(trouble is not None and trouble.kind == kind), kind=kind)
    return sheet


def _budgets(sheet: Sheet, region: Region) -> None:
    standing = region.standing(region.ledger.book)
    lifetime = standing.policy.lifetime.amount
    for cohort, cap in standing.policy.cohorts.items():
        of_cohort, of_lifetime = left(cohort, standing)
        sheet.put("rondgang_node_budget_left_ratio", _ratio(of_cohort, cap.amount), cohort=cohort)
        sheet.put("rondgang_node_lifetime_left_ratio", _ratio(of_lifetime, lifetime), cohort=cohort)


def _ratio(left_over: NanoRho, cap: NanoRho) -> Fraction:
    return Fraction(left_over.nano, cap.nano) if cap.nano else Fraction(0)


def _witness(sheet: Sheet, one: WitnessShown) -> None:
    # By address until it has said its name.
    name = one.name or one.address[:64]
    sheet.put("rondgang_node_witness_problem", int(bool(one.problem)), witness=name)
    if one.heard is not None:
        sheet.put("rondgang_node_witness_heard_timestamp_seconds", one.heard, witness=name)
    if one.cosigned is not None:
        sheet.put("rondgang_node_witness_cosigned", one.cosigned, witness=name)
