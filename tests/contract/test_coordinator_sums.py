"""What the desk remembers of national sums, alike in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign
from sqlalchemy.exc import IntegrityError

from coordinator.gather import State
from coordinator.store import sums
from coordinator.store.store import RunRecord, Store, open_store
from coordinator.store.sums import AttemptRecord, SumRecord
from tests.desk import empty

RUN = "run-00"
REGIONS = ("AA", "BB")
FINISHED = SumRecord(RUN, 2, "5" * 64, bytes(range(256)) * 4_096)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'desk.sqlite'}"
        return
    found = request.getfixturevalue("postgres_url")
    yield found
    empty(found)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        opened.open_run(RunRecord(RUN, "a" * 64, b"programme", 1_000, 2_000, State.ASKING))
        yield opened


def _paper(kind: str, number: int) -> Signed:
    return sign(kind, f'{{"number":{number}}}'.encode(), SigningKey.generate(b"\x07" * 32))


def _attempts(store: Store) -> list[AttemptRecord]:
    return store.within(partial(sums.attempts, run=RUN))


def test_a_number_is_given_once(store: Store) -> None:
    store.within(partial(sums.begin, run=RUN, attempt=1, now=1_001))
    with pytest.raises(IntegrityError):
        store.within(partial(sums.begin, run=RUN, attempt=1, now=1_002))
    assert _attempts(store) == [AttemptRecord(1, 1_001, "keys")]


def test_an_attempt_goes_from_keys_to_its_end(store: Store) -> None:
    for attempt in (1, 2):
        store.within(partial(sums.begin, run=RUN, attempt=attempt, now=1_000 + attempt))
        store.within(partial(sums.fix, run=RUN, attempt=attempt, papers=()))
        if attempt == 1:
            store.within(partial(sums.abort, run=RUN, attempt=1, sentence="Missing: AA." + "x" * 3_000))
    store.within(partial(sums.finish, record=FINISHED, regions=REGIONS, now=1_003))
    first, second = _attempts(store)
    assert (first.state, (first.sentence or "")[:12], len(first.sentence or "")) == ("aborted", "Missing: AA.", 2_000)
    assert second == AttemptRecord(2, 1_002, "summed")


def test_the_documents_of_the_rounds_stay_in_order_and_each_once(store: Store) -> None:
    store.within(partial(sums.begin, run=RUN, attempt=1, now=1_001))
    papers = [_paper(kind, number) for number, kind in enumerate(("secure_keys", "participants", "sharing", "seen"))]
    store.within(partial(sums.fix, run=RUN, attempt=1, papers=papers[:2]))
    store.within(partial(sums.fix, run=RUN, attempt=1, papers=papers[1:]))
    assert store.within(partial(sums.papers, run=RUN, attempt=1)) == papers
    assert store.within(partial(sums.papers, run=RUN, attempt=2)) == []


def test_a_sum_is_given_to_each_region_until_it_says_which_one_it_keeps(store: Store) -> None:
    assert store.within(partial(sums.sum_of, run=RUN)) is None
    for attempt in (1, 2):
        store.within(partial(sums.begin, run=RUN, attempt=attempt, now=1_001))
    store.within(partial(sums.finish, record=FINISHED, regions=REGIONS, now=1_003))
    assert store.within(partial(sums.sum_of, run=RUN)) == FINISHED
    keep = partial(sums.kept, run=RUN, now=1_004)
    assert not store.within(partial(keep, region="AA", sum_hash="6" * 64))
    assert not store.within(partial(keep, region="CC", sum_hash=FINISHED.hash))
    assert store.within(partial(keep, region="AA", sum_hash=FINISHED.hash))
    assert not store.within(partial(keep, region="AA", sum_hash=FINISHED.hash))
    assert store.within(partial(sums.to_give, region="AA")) == []
    assert store.within(partial(sums.to_give, region="BB")) == [FINISHED]


def test_a_run_has_one_sum_and_everything_is_there_after_reopening(url: str, store: Store) -> None:
    store.within(partial(sums.begin, run=RUN, attempt=2, now=1_001))
    store.within(partial(sums.finish, record=FINISHED, regions=REGIONS, now=1_003))
    with pytest.raises(IntegrityError):
        store.within(partial(sums.finish, record=FINISHED, regions=REGIONS, now=1_004))
    with open_store(url) as second:
        assert second.within(partial(sums.sum_of, run=RUN)) == FINISHED
        assert second.within(partial(sums.to_give, region="BB")) == [FINISHED]
        assert _attempts(second) == [AttemptRecord(2, 1_001, "summed")]
