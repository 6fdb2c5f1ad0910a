"""Messy files import right or are refused with a sentence; none crashes or hangs, and no value is told anywhere."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from rondgang.signed import sign
from typer.testing import CliRunner

from node.cli.import_data import import_command
from node.home import Config, CoordinatorAddress, Home, create_home
from node.importing.report import Report
from node.operations import Done, adopt_document, snapshots
from node.snapshots import open_snapshot
from policies.documents import to_canonical
from policies.pages.words import catalogue
from tests import messy_books, messy_text, small_study
from tests.applicants import signing_key
from tests.importing import CODEBOOK, rows
from tests.messy import CANARY, Refused, Right, listed, made, wanted

CASES = listed(messy_text.CASES, messy_books.CASES)
COLUMNS = ["incidents__T0", "incidents__T1", "severe__T0", "severe__T1", "profile", "help__T1", "change"]
VERB = typer.Typer()
VERB.command()(import_command)
_PATIENCE_S = 60
"""Until a case is said to hang."""


def test_there_are_a_hundred_cases() -> None:
    assert len(CASES) >= 100


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    consortium = signing_key("consortium")
    config = Config(region="AA", coordinator=CoordinatorAddress(address="localhost:1"))
    keys = {name: signing_key(name).to_pem() for name in ("checkpoint", "steward")}
    found = create_home(
        tmp_path_factory.mktemp("messy") / "home", config, consortium.public, {"tls": b"unused", **keys}
    )
    for kind, document in (("calendar", small_study.calendar()), ("codebook", CODEBOOK)):
        assert isinstance(adopt_document(found, sign(kind, to_canonical(document), consortium).to_bytes()), Done)
    return found


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_messy_delivery_imports_right_or_is_refused(
    name: str, home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, due = made(name, CASES[name], tmp_path / "in")
    before = _in_force(home)
    words = [str(folder), "--cohort", "c1", "--replace", *due.words, "--home", str(home.root)]
    with caplog.at_level(logging.DEBUG), _limited():
        done = CliRunner().invoke(VERB, [*words, "--report", str(tmp_path / "report.html")])
    for text in (done.stdout, done.stderr, caplog.text):
        assert CANARY not in text
    match due:
        case Refused():
            assert (done.exit_code, done.stdout) == (2, ""), done.output
            pattern = catalogue()[f"import.bad.{due.reason}"].nl
            assert pattern.partition("{")[0] in done.stderr, done.stderr
            assert _in_force(home) == before
        case Right():
            assert done.exit_code == 0, done.output
            _check(home, due)
            assert CANARY not in (tmp_path / "report.html").read_text("utf-8")
    _silent(home)


def _in_force(home: Home) -> str:
    return next((one.snapshot for one in snapshots(home).held if one.cohort == "c1"), "")


def _check(home: Home, due: Right) -> None:
    snapshot, expected = open_snapshot(home.root, _in_force(home)), wanted(due.rows)
    assert rows(snapshot, "household", COLUMNS) == list(expected.household)
    assert rows(snapshot, "child", ["hh", "age"]) == list(expected.child)
    report = Report.from_json((snapshot.folder / "report.json").read_bytes())
    assert {one.rule for one in report.findings} >= set(due.told)


def _silent(home: Home) -> None:
    for path in home.root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert CANARY.encode() not in path.read_bytes(), path.name


@contextmanager
def _limited() -> Iterator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise TimeoutError("it hangs")

    earlier = signal.signal(signal.SIGALRM, ring)
    signal.alarm(_PATIENCE_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, earlier)
