"""The desk's log: one JSON object a line, on stderr and in HOME/logs, with listed events and fields only.

No answer, no noisy number and no free text from another party is logged: names, hashes and reasons only. Each field has
a form; what does not have it is written as `?`.
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
    "answer_came_again",
    "answer_differs_and_is_kept_out",
    "answer_kept",
    "answer_unusable",
    "attempt_aborted",
    "attempt_begun",
    "attempt_failed",
    "call_failed",
    "call_refused",
    "caller_has_too_many_calls",
    "clock_went_back_look_at_it",
    "cosigned",
    "desk_listens",
    "desk_stopped",
    "documents_unusable",
    "FORK_KEPT_export_the_evidence",
    "left_out",
    "line_broke",
    "message_failed",
    "message_unknown",
    "metrics_failed",
    "node_attends",
    "node_does_not_read",
    "node_left",
    "node_rejected",
    "node_sent_away",
    "not_cosigned",
    "order_sent",
    "refusal_kept",
    "reply_unasked",
    "result_kept",
    "result_refused",
    "result_too_long",
    "results_failed",
    "results_made",
    "results_not_made",
    "round_begun",
    "round_reply_dropped",
    "run_asked",
    "run_opened",
    "run_resumed",
    "run_state",
    "saw_another_size",
    "store_away",
    "store_back",
    "sum_failed",
    "sum_finished",
    "sum_kept",
    "sum_refused",
    "sweep_failed",
    "tls_version_not_tried",
    "wrong_shares",
]
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
EVENTS: frozenset[str] = frozenset(get_args(Event))
FIELDS: frozenset[str] = frozenset(get_args(Field))

_NUMBER, _HASH = r"[0-9]{1,9}", r"[0-9a-f]{64}"
_FORMS: Mapping[Field, re.Pattern[str]] = {
    "address": re.compile(r"[A-Za-z0-9_.:\[\]-]{1,80}"),
    "attempt": re.compile(_NUMBER),
    "fault": re.compile(r"[A-Za-z_]{1,60}"),
    # A name on the roster.
    "party": re.compile(r"[^\x00-\x1f\x7f]{1,64}"),
    "place": re.compile(r"([a-z0-9_]{1,60}\.py:[0-9]{1,6})?"),
    "programme": re.compile(_HASH),
    # Of a closed list, or one of our own short phrases.
    "reason": re.compile(r"[a-z][a-z_ :']{0,60}"),
    "region": re.compile(r"[A-Z]{2,4}"),
    "regions": re.compile(_NUMBER),
    "roster": re.compile(_HASH),
    "run": re.compile(r"run-[0-9a-f]{16}"),
    "state": re.compile(r"[a-z_]{1,20}"),
}
ILL_FORMED = "?"

_LOGGER = logging.getLogger("rondgang.coordinator")
_KEEP_BYTES, _KEEP_FILES = 5_000_000, 5


def note(event: Event, *, loud: bool = False, **fields: str | int) -> None:
    """Logs an event, such as `answer_kept`. `loud`: a person should look at it. Raises KeyError off the lists."""
    if unknown := ({event} - EVENTS) | (set(fields) - FIELDS):
        raise KeyError(min(unknown))
    formed = {
        name: value if form.fullmatch(str(value)) else ILL_FORMED
        for name, form in _FORMS.items()
        if (value := fields.get(name)) is not None
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


@contextmanager
def told_to(handler: logging.Handler) -> Iterator[None]:
    """Tells a handler, too, what the desk logs, until the block is left."""
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
