"""Stores that earlier versions of the desk left: this one opens them, keeps what they hold, and goes on."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from rondgang.signed import Signed

from coordinator.gather import Repeats, State
from coordinator.store import sums
from coordinator.store.store import Kept, ResultBytes, SeenRecord, open_store
from policies.documents import from_canonical
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Programme
from tests.small_study import OPEN
from tests.vectors.make_old_store import RUNS

STORES = tuple(sorted((Path(__file__).parents[1] / "vectors" / "stores").glob("*.sqlite.gz")))


def test_there_is_one_of_the_first_release_and_one_of_the_last() -> None:
    assert [path.name for path in STORES] == ["2026-11-first.sqlite.gz", "2026-11-sums.sqlite.gz"]


@pytest.fixture(params=STORES, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "rondgang.sqlite"
    path.write_bytes(gzip.decompress(request.param.read_bytes()))
    return path


def kept(path: Path) -> dict[tuple[str, str], bytes]:
    """The answers in the file, as they stand there."""
    with closing(sqlite3.connect(path)) as store:
        rows = store.execute("SELECT run, region, answer FROM replies WHERE kind = 'answer'").fetchall()
    return {(run, region): bytes(answer) for run, region, answer in rows}


def test_it_is_migrated_with_everything_in_it(old: Path) -> None:
    before = kept(old)
    assert len(before) == 4
    with open_store(f"sqlite:///{old}") as store:
        assert {(run, region): data for run in RUNS.values() for region, data in store.answers(run).items()} == before
        (asking,) = store.open_runs()
        assert asking.run == RUNS["asking"]
        assert from_canonical(Programme, Signed.from_bytes(asking.signed_programme).document).programme.id == "asking"
        gathering = store.gathering(RUNS["complete"], ("AA", "BB", "CC"), asking.deadline)
        assert gathering.state(OPEN) is State.COMPLETE
        assert gathering.repeats == {"AA": Repeats(1, 0)}
        refused = store.gathering(RUNS["asking"], ("AA", "BB"), asking.deadline).refused
        assert refused == {"BB": Refused(Reason.OVER_COHORT_CAP, "Eén zin.")}
        assert store.seen() == {"AA": SeenRecord("AA", OPEN + 4, "rondgang", "r" * 64, "c" * 64)}
    assert kept(old) == before


def test_what_was_added_since_works_on_it(old: Path) -> None:
    with open_store(f"sqlite:///{old}") as store:
        run = RUNS["asking"]
        assert store.keep_answer(run, "AA", store.answers(run)["AA"], OPEN + 9) is Kept.SAME
        assert store.keep_answer(run, "BB", b"late", OPEN + 9) is Kept.FIRST
        assert store.runs_without_results() == (RUNS["complete"],)
        store.put_results(RUNS["complete"], 3, {"AA": ResultBytes("1" * 64, b"result")})
        assert store.results_to_send("AA") == ((RUNS["complete"], b"result"),)
        store.within(partial(sums.begin, run=run, attempt=1, now=OPEN))
        assert store.within(partial(sums.attempts, run=run))[0].state == "keys"


def test_opening_it_twice_changes_nothing_more(old: Path) -> None:
    with open_store(f"sqlite:///{old}"):
        pass
    with closing(sqlite3.connect(old)) as store:
        once = list(store.iterdump())
    with open_store(f"sqlite:///{old}"):
        pass
    with closing(sqlite3.connect(old)) as store:
        assert list(store.iterdump()) == once
