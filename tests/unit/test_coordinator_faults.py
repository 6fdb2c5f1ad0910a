"""What goes wrong at the desk is named, logged without content, and given the right status."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from coordinator import log
from coordinator.desk.service import STATUS
from coordinator.errors import CoordinatorError


def _leaves(root: type[CoordinatorError]) -> set[type[CoordinatorError]]:
    below = root.__subclasses__()
    return {root} if not below else set().union(*map(_leaves, below))


def test_every_fault_has_a_status() -> None:
    assert _leaves(CoordinatorError) <= set(STATUS)
    assert all(issubclass(kind, CoordinatorError) for kind in STATUS)


def test_the_log_takes_listed_fields_only(tmp_path: Path) -> None:
    with log.logging_to(tmp_path), pytest.raises(KeyError, match="value"):
        log.note("answer_kept", value="40")


def test_a_fault_is_logged_by_type_and_place_and_never_by_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with log.logging_to(tmp_path):
        try:
            raise ValueError("canary 12345")
        except ValueError as error:
            log.fault("call_failed", error)
        log.note("run_opened", run="run-0123456789abcdef")
    told = capsys.readouterr().err
    lines = [json.loads(line) for line in (tmp_path / "coordinator.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["call_failed", "run_opened"]
    assert lines[0]["fault"] == "ValueError"
    assert lines[0]["place"].startswith("test_coordinator_faults.py:")
    assert lines[1]["run"] == "run-0123456789abcdef"
    assert "canary" not in told
    assert "canary" not in json.dumps(lines)
    assert not any(
        type(handler) is logging.StreamHandler for handler in logging.getLogger("rondgang.coordinator").handlers
    )
