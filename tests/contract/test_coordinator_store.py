"""Whatever database the desk remembers in, it remembers alike: one suite for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from coordinator.errors import StoreTooNew
from coordinator.gather import Gathering, Repeats, State
from coordinator.store.store import Kept, ResultBytes, RunRecord, SeenRecord, Store, open_store
from coordinator.store.tables import METADATA
from policies.rules.refusals import Reason, Refused
from tests.desk import empty

RUN = RunRecord("run-00", "a" * 64, b"\x00programme\xff", 1_000, 2_000, State.ASKING)
OVER = Refused(Reason.OVER_COHORT_CAP, "Een tekst met é en “aanhalingstekens”.")
LARGE = bytes(range(256)) * 8_192


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'a folder with % and spaces.sqlite'}"
        return
    found = request.getfixturevalue("postgres_url")
    yield found
    empty(found)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


def _gathering(store: Store) -> Gathering:
    return store.gathering("run-00", ("AA", "BB"), RUN.deadline)


def test_a_programme_has_one_run_whoever_comes_first(store: Store) -> None:
    assert store.open_run(RUN) == ("run-00", False)
    assert store.open_run(RunRecord("run-01", "a" * 64, b"", 1, 1, State.ASKING)) == ("run-00", True)
    assert store.run("run-00") == RUN
    assert store.run("run-01") is None
    assert store.run_of("a" * 64) == "run-00"
    assert store.run_of("b" * 64) is None


def test_the_first_answer_stays(store: Store) -> None:
    store.open_run(RUN)
    assert store.keep_answer("run-00", "AA", LARGE, 1_001) is Kept.FIRST
    assert store.keep_answer("run-00", "AA", LARGE, 1_002) is Kept.SAME
    assert store.keep_answer("run-00", "AA", b"other", 1_003) is Kept.OTHER
    assert not store.keep_refusal("run-00", "AA", OVER, 1_004)
    assert store.answers("run-00") == {"AA": LARGE}
    assert _gathering(store).repeats == {"AA": Repeats(1, 1)}
    assert _gathering(store).refused == {}


def test_a_refusal_gives_way_to_an_answer(store: Store) -> None:
    store.open_run(RUN)
    late = Refused(Reason.LATE, "")
    assert store.keep_refusal("run-00", "AA", OVER, 1_001)
    assert store.keep_refusal("run-00", "AA", late, 1_002)
    assert _gathering(store).refused == {"AA": late}
    assert store.keep_answer("run-00", "AA", b"answer", 1_003) is Kept.FIRST
    assert _gathering(store).answered == {"AA"}
    assert _gathering(store).refused == {}


def test_asking_again_forgets_refusals_only(store: Store) -> None:
    store.open_run(RUN)
    store.keep_answer("run-00", "AA", b"answer", 1_001)
    store.keep_refusal("run-00", "BB", OVER, 1_001)
    store.note_state("run-00", State.COMPLETE)
    assert store.open_runs() == ()
    store.ask_again("run-00")
    assert [run.run for run in store.open_runs()] == ["run-00"]
    assert _gathering(store).replied == {"AA"}


def test_what_regions_get_back_waits_until_they_keep_it_and_gives_way_to_more_answers(store: Store) -> None:
    store.open_run(RUN)
    store.keep_answer("run-00", "AA", b"answer", 1_001)
    assert store.runs_without_results() == ()
    store.note_state("run-00", State.CLOSED)
    assert store.runs_without_results() == ("run-00",)
    store.put_results("run-00", 1, {"AA": ResultBytes("1" * 64, LARGE)})
    assert (store.runs_without_results(), store.results_revision("run-00")) == ((), 1)
    assert store.results_to_send("AA") == (("run-00", LARGE),)
    assert store.results_to_send("BB") == ()
    assert (store.has_result("run-00", "AA"), store.has_result("run-00", "BB")) == (True, False)
    assert not store.result_kept("run-00", "AA", "2" * 64, 1_002)
    assert not store.result_kept("run-00", "BB", "1" * 64, 1_002)
    assert store.result_kept("run-00", "AA", "1" * 64, 1_002)
    assert not store.result_kept("run-00", "AA", "1" * 64, 1_003)
    assert store.results_to_send("AA") == ()
    store.keep_answer("run-00", "BB", b"late", 2_001)
    assert store.runs_without_results() == ("run-00",)
    store.put_results("run-00", 2, {one: ResultBytes("3" * 64, one.encode()) for one in ("AA", "BB")})
    assert store.results_to_send("AA") == (("run-00", b"AA"),)
    assert store.results_to_send("BB") == (("run-00", b"BB"),)
    assert (store.runs_without_results(), store.results_revision("run-00")) == ((), 2)


def test_everything_is_there_after_reopening(url: str) -> None:
    with open_store(url) as first:
        first.open_run(RUN)
        first.keep_answer("run-00", "BB", b"answer", 1_001)
        first.keep_refusal("run-00", "AA", OVER, 1_001)
        first.note_seen(SeenRecord("AA", 5, "old", "r", "c"))
        first.note_seen(SeenRecord("AA", 6, "new" * 100, "r2", "c2"))
    with open_store(url) as second:
        assert second.open_runs() == (RUN,)
        assert _gathering(second) == Gathering(
            "run-00", ("AA", "BB"), 2_000, answered=frozenset({"BB"}), refused={"AA": OVER}, came={"BB": 1_001}
        )
        assert second.seen() == {"AA": SeenRecord("AA", 6, ("new" * 100)[:100], "r2", "c2")}


def test_migrations_make_exactly_the_tables_that_are_described(url: str) -> None:
    with open_store(url):
        engine = create_engine(url)
        found = inspect(engine)
        assert set(found.get_table_names()) == {*METADATA.tables, "alembic_version"}
        for name, table in METADATA.tables.items():
            made = {column["name"]: column for column in found.get_columns(name)}
            assert set(made) == {column.name for column in table.columns}
            for column in table.columns:
                assert str(made[column.name]["type"]) == column.type.compile(engine.dialect)
                assert made[column.name]["nullable"] == column.nullable
                if engine.dialect.name == "postgresql":
                    assert made[column.name]["comment"] == column.comment
        engine.dispose()


def test_every_column_says_what_it_holds() -> None:
    assert all(column.comment for table in METADATA.tables.values() for column in table.columns)


def test_a_store_of_a_newer_version_is_refused(url: str) -> None:
    with open_store(url):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("update alembic_version set version_num = '9999'"))
        engine.dispose()
    with pytest.raises(StoreTooNew, match="9999"), open_store(url):
        pytest.fail("the store opened")


def test_what_must_be_on_disk_is(url: str) -> None:
    with open_store(url) as store:
        assert store.within(_synchronous) in (2, "on")


def _synchronous(connection: Connection) -> object:
    """2 is FULL: SQLite syncs at each commit; PostgreSQL's `on` does the same."""
    sqlite = connection.dialect.name == "sqlite"
    return connection.execute(text("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit")).scalar_one()
