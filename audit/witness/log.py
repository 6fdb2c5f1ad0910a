"""The witness's log: one JSON object a line, on stderr and in HOME/logs, with listed events and fields only.

No free text from another party is logged: names, hashes and reasons only. Each field has a form; what does not have it
is written as `?`.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

Event = Literal[
    "call_failed",
    "call_refused",
    "caller_has_too_many_calls",
    "clock_went_back_look_at_it",
    "cosigned",
    "documents_unusable",
    "FORK_KEPT_look_at_rondgang_audit_forks",
    "metrics_failed",
    "not_cosigned",
    "saw_another_size",
    "tls_version_not_tried",
    "witness_listens",
    "witness_stopped",
]
Field = Literal["address", "fault", "place", "reason", "region", "roster"]
EVENTS: frozenset[str] = frozenset(get_args(Event))
FIELDS: frozenset[str] = frozenset(get_args(Field))

_FORMS: Mapping[Field, re.Pattern[str]] = {
    "address": re.compile(r"[A-Za-z0-9_.:\[\]-]{1,80}"),
    "fault": re.compile(r"[A-Za-z_]{1,60}"),
    "place": re.compile(r"([a-z0-9_]{1,60}\.py:[0-9]{1,6})?"),
    "reason": re.compile(r"[a-z][a-z_]{0,40}"),
    "region": re.compile(r"[A-Z]{2,4}"),
    "roster": re.compile(r"[0-9a-f]{64}"),
}
ILL_FORMED = "?"

_LOGGER = logging.getLogger("rondgang.witness")
_KEEP_BYTES, _KEEP_FILES = 5_000_000, 5


def note(event: Event, *, loud: bool = False, **fields: str) -> None:
    """Logs an event, such as `cosigned`. `loud` marks what a person should look at. Raises KeyError off the lists."""
    if unknown := ({event} - EVENTS) | (set(fields) - FIELDS):
        raise KeyError(min(unknown))
    formed = {
        name: fields[name] if form.fullmatch(fields[name]) else ILL_FORMED
        for name, form in _FORMS.items()
        if name in fields
    }
    _LOGGER.log(logging.WARNING if loud else logging.INFO, event, extra={"fields": formed})


def fault(event: Event, error: BaseException) -> None:
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
    """Sends the witness's log to stderr and to witness.log in `folder`, which is kept small."""
    folder.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stderr),
        logging.handlers.RotatingFileHandler(
            folder / "witness.log", maxBytes=_KEEP_BYTES, backupCount=_KEEP_FILES, encoding="utf-8"
        ),
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


@contextmanager
def told_to(handler: logging.Handler) -> Iterator[None]:
    """Tells a handler, too, what the witness logs, until the block is left."""
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
