"""Counting in public what a party's log tells: the handler that keeps the counts, under the party's own list."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from policies.rules.metrics import Family, OffList, Sheet

Count = Callable[[Sheet, str, Mapping[str, str]], None]
"""Adds one log line to the sheet: the event, and its fields as text."""


class Counting(logging.Handler):
    """Counts a party's log lines by `count`, where they are on its list. Any thread may log or ask for the counts."""

    def __init__(self, families: Iterable[Family], count: Count) -> None:
        super().__init__()
        self._counted = Sheet(families)
        self._count = count

    def beside(self, sheet: Sheet) -> Sheet:
        """The sheet, with what was counted so far."""
        # A handler is given its lines under this same lock.
        self.acquire()
        try:
            return sheet.with_counts(self._counted)
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: str(value) for name, value in record.__dict__.get("fields", {}).items()}
        # What is on no list is counted by nobody; the work that logged it goes on.
        with suppress(OffList):
            self._count(self._counted, record.getMessage(), fields)
