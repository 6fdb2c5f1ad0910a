"""What a witness counts in public: the closed list, and how its figures are found. Sizes of logs only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from rondgang.versions import SPOKEN
from rondgang.witnessing import Why

from policies.rules.metrics import REASONS, REGION, Family, OffList, Sheet, common

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


class Counting(logging.Handler):
    """Counts the witness's log lines, where they are on the list."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = Sheet(FAMILIES)
        # Lines are logged by the event loop and by the store's thread.
        self._turn = threading.Lock()

    def beside(self, sheet: Sheet) -> Sheet:
        """The sheet, with what was counted so far."""
        with self._turn:
            return sheet.with_counts(self._counted)

    def emit(self, record: logging.LogRecord) -> None:
        # What is on no list is counted by nobody; the work that logged it goes on.
        with self._turn, suppress(OffList):
            self._count(record)

    def _count(self, record: logging.LogRecord) -> None:
        event, fields = record.getMessage(), record.__dict__.get("fields", {})
        region, reason = fields.get("region", ""), fields.get("reason", "")
        if "fault" in fields:
            self._counted.add("rondgang_witness_faults_total")
        elif event == "cosigned":
            self._counted.add("rondgang_witness_cosigned_total", region=region)
        elif event == "not_cosigned" and reason in _NOT_COSIGNED:
            self._counted.add("rondgang_witness_not_cosigned_total", region=region, reason=reason)
        elif event == "call_refused" and reason in REASONS:
            self._counted.add("rondgang_witness_calls_refused_total", reason=reason)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store says of every region's log: epoch and size of the last checkpoint, and how many forks."""

    cosigned: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    forks: Mapping[str, int] = field(default_factory=dict)


def sheet_of(remembered: Remembered, *, version: str, started: int, expires: int) -> Sheet:
    """The figures of this moment, without what was counted. Instants are unix seconds."""
    sheet = Sheet(FAMILIES)
    sheet.put("rondgang_witness_build_info", 1, version=version, contract=str(max(SPOKEN)))
    sheet.put("rondgang_witness_started_timestamp_seconds", started)
    sheet.put("rondgang_witness_certificate_expires_timestamp_seconds", expires)
    for region, (epoch, size) in remembered.cosigned.items():
        sheet.put("rondgang_witness_region_epoch", epoch, region=region)
        sheet.put("rondgang_witness_region_cosigned", size, region=region)
        sheet.put("rondgang_witness_region_forks", remembered.forks.get(region, 0), region=region)
    return sheet
