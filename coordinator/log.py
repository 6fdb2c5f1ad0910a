"""The desk's log: one JSON object a line, on stderr and in HOME/logs, with listed fields only.

No answer, no noisy number and no free text from another party is logged: names, hashes and reasons only.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

Field = Literal[
    "address",
    "attempt",
    "fault",
    "party",
    "place",
    "programme",
    "reason",
    "region",
    "regions",
    "roster",
    "run",
    "state",
]
FIELDS: frozenset[str] = frozenset(get_args(Field))

_LOGGER = logging.getLogger("rondgang.coordinator")
_KEEP_BYTES, _KEEP_FILES = 5_000_000, 5


def note(event: str, *, loud: bool = False, **fields: str | int) -> None:
    """Logs an event, such as `answer_kept`. `loud` marks what a person should look at. Raises KeyError off the list."""
    if unknown := set(fields) - FIELDS:
        raise KeyError(min(unknown))
    _LOGGER.log(logging.WARNING if loud else logging.INFO, event, extra={"fields": fields})


def fault(event: str, error: BaseException) -> None:
    """Logs a fault by its type and place. Its message stays out: it may quote what another party sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    note(event, loud=True, fault=type(error).__name__, place=place)


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        return json.dumps(line | getattr(record, "fields", {}), ensure_ascii=False)


@contextmanager
def logging_to(folder: Path) -> Iterator[None]:
    """Sends the desk's log to stderr and to coordinator.log in `folder`, which is kept small."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "coordinator.log"
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stderr),
        logging.handlers.RotatingFileHandler(path, maxBytes=_KEEP_BYTES, backupCount=_KEEP_FILES, encoding="utf-8"),
    ]
    for handler in handlers:
        handler.setFormatter(_Lines())
        _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        for handler in handlers:
            _LOGGER.removeHandler(handler)
            handler.close()
