"""What a node writes down about its own doing, in fields from a closed list; none has room for what rows say.

One JSON object a line, to `logs/node.log` and to standard error. The ledger, not this, is the record of what was
spent.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal, Protocol, TextIO

from node.files import PRIVATE_FILE

EventName = Literal[
    "started",
    "stopped",
    "attending",
    "connection_lost",
    "not_admitted",
    "answered",
    "answered_again",
    "refused",
    "late",
    "quoted",
    "adopted",
    "imported",
    "fault",
    "test_only",
    "result_kept",
    "attempt_begun",
    "attempt_sent",
    "attempt_finished",
    "attempt_stopped",
    "sum_kept",
    "witnessed",
    "unwitnessed",
    "behind_witnesses",
    "forked",
]
FIELDS = ("time", "level", "event", "run", "programme", "attempt", "region", "reason", "charge", "place")
"""Every key that a line may have. `place` is a file and line of this program and the class of a fault."""

_WARNINGS = frozenset(
    {"fault", "connection_lost", "not_admitted", "test_only", "unwitnessed", "behind_witnesses", "forked"}
)
_LARGEST_BYTES = 5_000_000
_KEPT_FILES = 3


class Journal(Protocol):
    """Writes one line. `charge` is in nano-rho; `reason` is a refusal's enum value or a sentence of public facts."""

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
    ) -> None: ...


def silent(
    event: EventName,
    *,
    run: str | None = None,
    programme: str | None = None,
    attempt: int | None = None,
    reason: str | None = None,
    charge: int | None = None,
    place: str | None = None,
) -> None:
    """A journal that keeps nothing, for verbs that serve nobody."""


class FileJournal:
    """The journal of `serve`: a file that is turned over at 5 MB, three old ones kept, and a stream beside it."""

    def __init__(self, folder: Path, region: str, stream: TextIO = sys.stderr) -> None:
        self._region = region
        file = folder / "node.log"
        file.touch(PRIVATE_FILE)
        turning = RotatingFileHandler(file, maxBytes=_LARGEST_BYTES, backupCount=_KEPT_FILES, encoding="utf-8")
        self._handlers: tuple[logging.Handler, ...] = (turning, logging.StreamHandler(stream))

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
        level = logging.WARNING if event in _WARNINGS else logging.INFO
        # No finer than seconds: `answered` is written once rows have been read, and a log may be collected elsewhere.
        now = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"run": run, "programme": programme, "attempt": attempt, "reason": reason, "charge": charge}
        told["place"] = place
        line = {"time": now, "level": logging.getLevelName(level).lower(), "event": event, "region": self._region}
        text = json.dumps(line | {key: value for key, value in told.items() if value is not None}, ensure_ascii=False)
        record = logging.LogRecord("rondgang.node", level, "", 0, text, None, None)
        for handler in self._handlers:
            handler.handle(record)

    def close(self) -> None:
        for handler in self._handlers:
            handler.close()


def place_of(error: BaseException) -> str:
    """Class and place of a fault, without its message: a message may quote what it choked on."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def guard(journal: Journal) -> Callable[[type[BaseException], BaseException, object], None]:
    """An exception hook that tells the journal, and shows no message and no source line."""

    def hook(_kind: type[BaseException], error: BaseException, _trace: object) -> None:
        journal("fault", place=place_of(error))

    return hook
