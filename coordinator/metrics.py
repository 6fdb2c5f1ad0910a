"""What the desk counts in public: the closed list, and how its figures are found.

No figure is about one programme, run or researcher, and none is a number that a region answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rondgang.roles import Role
from rondgang.witnessing import Why

from coordinator.attendance.lines import Lines
from coordinator.desk.runs import Load
from coordinator.store.store import SeenRecord
from policies.rules.counting import Counting
from policies.rules.metrics import REASONS, REGION, Family, Sheet, common
from policies.study.roster import Roster

_REGION = {"region": REGION}
_NOT_COSIGNED = frozenset(why.value for why in Why)
ATTEMPT_EVENTS = {
    "attempt_begun": "begun",
    "sum_finished": "summed",
    "attempt_aborted": "aborted",
    "sum_failed": "failed",
}
PLAIN_EVENTS = {
    "order_sent": "rondgang_coordinator_orders_sent_total",
    "run_opened": "rondgang_coordinator_runs_opened_total",
    "answer_unusable": "rondgang_coordinator_answers_unusable_total",
    "line_broke": "rondgang_coordinator_lines_broken_total",
    "store_away": "rondgang_coordinator_store_lost_total",
}
ANSWER_EVENTS = {
    "answer_kept": "answered",
    "answer_came_again": "answered_again",
    "answer_differs_and_is_kept_out": "differs",
}

FAMILIES: tuple[Family, ...] = (
    *common("coordinator"),
    Family("rondgang_coordinator_store_up", "gauge", "1 while the database answers, else 0."),
    Family("rondgang_coordinator_store_lost_total", "counter", "Times that the database was found to be away."),
    Family("rondgang_coordinator_region_attending", "gauge", "1 while the node is on the line, else 0.", _REGION),
    Family(
        "rondgang_coordinator_region_last_seen_timestamp_seconds",
        "gauge",
        "Unix second in which the node was last on the line.",
        _REGION,
    ),
    Family(
        "rondgang_coordinator_region_certificate_expires_timestamp_seconds",
        "gauge",
        "Unix second up to which the roster bears the node out.",
        _REGION,
    ),
    Family(
        "rondgang_coordinator_region_cosigned",
        "gauge",
        "Entries of the region's log in the last checkpoint that the desk cosigned.",
        _REGION,
    ),
    Family("rondgang_coordinator_region_epoch", "gauge", "Epoch of that log.", _REGION),
    Family("rondgang_coordinator_region_forks", "gauge", "Pieces of evidence that the log forked.", _REGION),
    Family("rondgang_coordinator_lines_broken_total", "counter", "Lines of nodes that broke."),
    Family("rondgang_coordinator_orders_sent_total", "counter", "Orders sent."),
    Family(
        "rondgang_coordinator_replies_total",
        "counter",
        "Replies that were kept, by what they are; a refusal's outcome is its reason.",
        {"outcome": REASONS | frozenset(ANSWER_EVENTS.values())},
    ),
    Family("rondgang_coordinator_answers_unusable_total", "counter", "Answers that were turned down as no answers."),
    Family("rondgang_coordinator_runs_opened_total", "counter", "Runs opened."),
    Family("rondgang_coordinator_runs_asking", "gauge", "Runs that are still asking."),
    Family(
        "rondgang_coordinator_attempts_total",
        "counter",
        "Attempts at national sums by what became of them.",
        {"state": frozenset(ATTEMPT_EVENTS.values())},
    ),
    Family(
        "rondgang_coordinator_queue_length",
        "gauge",
        "What waits: transactions for the store, runs whose results are to be made, messages for nodes.",
        {"queue": frozenset({"store", "results", "lines"})},
    ),
    Family("rondgang_coordinator_cosigned_total", "counter", "Checkpoints cosigned.", _REGION),
    Family(
        "rondgang_coordinator_not_cosigned_total",
        "counter",
        "Checkpoints that were not cosigned, by why.",
        {**_REGION, "reason": _NOT_COSIGNED},
    ),
    Family(
        "rondgang_coordinator_calls_refused_total", "counter", "Calls that were refused, by why.", {"reason": REASONS}
    ),
)


def counting() -> Counting:
    """Counts the desk's log lines, where they are on the list."""
    return Counting(FAMILIES, _count)


def _count(counted: Sheet, event: str, fields: Mapping[str, str]) -> None:
    count, region, reason = counted.add, fields.get("region", ""), fields.get("reason", "")
    if "fault" in fields:
        count("rondgang_coordinator_faults_total")
    elif event in PLAIN_EVENTS:
        count(PLAIN_EVENTS[event])
    elif event in ANSWER_EVENTS:
        count("rondgang_coordinator_replies_total", outcome=ANSWER_EVENTS[event])
    elif event in ATTEMPT_EVENTS:
        count("rondgang_coordinator_attempts_total", state=ATTEMPT_EVENTS[event])
    elif event == "refusal_kept" and reason in REASONS:
        count("rondgang_coordinator_replies_total", outcome=reason)
    elif event == "call_refused" and reason in REASONS:
        count("rondgang_coordinator_calls_refused_total", reason=reason)
    elif event == "cosigned":
        count("rondgang_coordinator_cosigned_total", region=region)
    elif event == "not_cosigned" and reason in _NOT_COSIGNED:
        count("rondgang_coordinator_not_cosigned_total", region=region, reason=reason)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store says: when each region was seen, and the epoch, the size and the forks of its log."""

    seen: Mapping[str, SeenRecord] = field(default_factory=dict)
    cosigned: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    forks: Mapping[str, int] = field(default_factory=dict)


def sheet_of(roster: Roster, lines: Lines, load: Load, remembered: Remembered, now: int) -> Sheet:
    """The figures of this moment about others, without what was counted. `now` is the unix second."""
    sheet = Sheet(FAMILIES)
    sheet.put("rondgang_coordinator_store_up", int(not load.store_away))
    sheet.put("rondgang_coordinator_runs_asking", load.asking)
    waiting = sum(line.outgoing.qsize() for line in lines.all())
    for queue, length in (("store", load.store_waiting), ("results", load.results_waiting), ("lines", waiting)):
        sheet.put("rondgang_coordinator_queue_length", length, queue=queue)
    for region, until in _regions(roster, now).items():
        here = region in lines.attending
        seen = now if here else remembered.seen[region].last_seen if region in remembered.seen else 0
        for name, value in (
            ("attending", int(here)),
            ("last_seen_timestamp_seconds", seen),
            ("certificate_expires_timestamp_seconds", until),
            ("forks", remembered.forks.get(region, 0)),
        ):
            sheet.put(f"rondgang_coordinator_region_{name}", value, region=region)
    for region, (epoch, size) in remembered.cosigned.items():
        sheet.put("rondgang_coordinator_region_epoch", epoch, region=region)
        sheet.put("rondgang_coordinator_region_cosigned", size, region=region)
    return sheet


def _regions(roster: Roster, now: int) -> dict[str, int]:
    """Every region with a live certificate, and up to when the newest is."""
    found: dict[str, int] = {}
    for member in roster.members:
        if member.role is Role.REGION and member.region and member.live(now):
            found[member.region] = max(found.get(member.region, 0), member.valid_to)
    return found
