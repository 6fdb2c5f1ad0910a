"""What a witness counts in public: the closed list, and how its figures are found. Sizes of logs only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rondgang.witnessing import Why

from policies.rules.counting import Counting
from policies.rules.metrics import REASONS, REGION, Family, Sheet, common, put_common

_REGION = {"region": REGION}
_NOT_COSIGNED = frozenset(why.value for why in Why)

FAMILIES: tuple[Family, ...] = (
    *common("witness"),
    Family("rondgang_witness_cosigned_total", "counter", "Checkpoints cosigned.", _REGION),
    Family(
        "rondgang_witness_not_cosigned_total",
        "counter",
        "Checkpoints that were not cosigned, by why.",
        {**_REGION, "reason": _NOT_COSIGNED},
    ),
    Family("rondgang_witness_calls_refused_total", "counter", "Calls that were refused, by why.", {"reason": REASONS}),
    Family(
        "rondgang_witness_region_cosigned",
        "gauge",
        "Entries of the region's log in the last checkpoint that this witness cosigned.",
        _REGION,
    ),
    Family("rondgang_witness_region_epoch", "gauge", "Epoch of that log.", _REGION),
    Family("rondgang_witness_region_forks", "gauge", "Pieces of evidence that the log forked.", _REGION),
)


def counting() -> Counting:
    """Counts the witness's log lines, where they are on the list."""
    return Counting(FAMILIES, _count)


def _count(counted: Sheet, event: str, fields: Mapping[str, str]) -> None:
    region, reason = fields.get("region", ""), fields.get("reason", "")
    if "fault" in fields:
        counted.add("rondgang_witness_faults_total")
    elif event == "cosigned":
        counted.add("rondgang_witness_cosigned_total", region=region)
    elif event == "not_cosigned" and reason in _NOT_COSIGNED:
        counted.add("rondgang_witness_not_cosigned_total", region=region, reason=reason)
    elif event == "call_refused" and reason in REASONS:
        counted.add("rondgang_witness_calls_refused_total", reason=reason)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store says of every region's log: epoch and size of the last checkpoint, and how many forks."""

    cosigned: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    forks: Mapping[str, int] = field(default_factory=dict)


def sheet_of(remembered: Remembered, *, version: str, started: int, expires: int) -> Sheet:
    """The figures of this moment, without what was counted. Instants are unix seconds."""
    sheet = Sheet(FAMILIES)
    put_common(sheet, "witness", version=version, started=started, expires=expires)
    for region, (epoch, size) in remembered.cosigned.items():
        sheet.put("rondgang_witness_region_epoch", epoch, region=region)
        sheet.put("rondgang_witness_region_cosigned", size, region=region)
        sheet.put("rondgang_witness_region_forks", remembered.forks.get(region, 0), region=region)
    return sheet
