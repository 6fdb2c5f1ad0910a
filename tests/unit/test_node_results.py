"""What comes back to a region is believed only from the desk, only for what was answered, and stored once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign

from coordinator.estimates.tables import COLUMNS as TABLE_COLUMNS
from node.errors import BadDelivery
from node.journal import EventName
from node.results import stored, take_in
from policies.documents import from_canonical, to_canonical
from policies.rules.entries import RefusedEntry, ResultEntry
from policies.rules.refusals import Reason, Refused
from policies.rules.result import COLUMNS, NATIONAL, Result, csv_text, json_text
from tests.node_world import DESK, RESEARCHER, RUN, World, make_home, put_snapshot
from tests.small_study import planned

STRANGER = SigningKey.generate(b"a stranger".ljust(32, b"."))


def result(**changes: Any) -> Result:
    """A result of the small programme for region AA, with one national row and one of its own."""
    programme = planned()
    row = {"statistic": "stopped", "measure": "share", "estimator": "direct", "mode": "regional", "unit": "household",
           "wave": "T1", "estimate": "0.25", "regions_included": 1, "regions_expected": 3, "status": "ok"}  # fmt: skip
    made = {
        "run": RUN, "revision": 1, "region": "AA", "programme": sign("programme", to_canonical(programme)).digest,
        "asked": programme, "regions": ("AA",), "epsilon": "3", "delta": "0.000001",
        "rows": [row | {"scope": NATIONAL}, row | {"scope": "AA", "estimate": "-1e-05"}],
    }  # fmt: skip
    return Result.model_validate(made | changes)


def signed(document: Result, *keys: SigningKey) -> bytes:
    return sign("result", to_canonical(document), *(keys or (DESK,))).to_bytes()


class Notes:
    """A journal in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str | None, str | None]] = []

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
        self.lines.append((event, run, reason))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A region that has answered the small programme."""
    home = make_home(tmp_path / "aa")
    put_snapshot(home)
    made = World(home)
    assert isinstance(made.ask(), bytes)
    return made


def events(world: World) -> list[object]:
    return [entry.body for entry in world.region.ledger.last_entries(50)]


def test_a_result_is_stored_logged_and_the_same_again_changes_nothing(world: World) -> None:
    data, notes = signed(result()), Notes()
    size = world.region.ledger.book.size
    digest = take_in(world.region, RUN, data, notes)
    assert digest == Signed.from_bytes(data).digest
    path = world.home.results / f"{RUN}.json"
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o600
    entry = events(world)[-1]
    assert entry == ResultEntry(event="result", run=RUN, programme=result().programme, hash=str(digest))
    assert take_in(world.region, RUN, data, notes) == digest
    world.restart()
    assert take_in(world.region, RUN, data, notes) == digest
    assert world.region.ledger.book.size == size + 1
    assert world.region.ledger.book.results == {RUN: entry}
    assert notes.lines == [("result_kept", RUN, None)]
    assert stored(world.home, world.region.ledger.book.results[RUN]) == result()


def test_a_file_that_was_lost_or_altered_is_noticed_and_comes_again(world: World) -> None:
    data = signed(result())
    take_in(world.region, RUN, data, Notes())
    entry, path = world.region.ledger.book.results[RUN], world.home.results / f"{RUN}.json"
    path.write_bytes(data.replace(b"0.25", b"0.52"))
    with pytest.raises(BadDelivery):
        stored(world.home, entry)
    size = world.region.ledger.book.size
    take_in(world.region, RUN, data, Notes())
    assert stored(world.home, entry) == result()
    assert world.region.ledger.book.size == size


def test_a_result_with_more_answers_replaces_one_with_fewer_and_never_back(world: World) -> None:
    later = result(revision=2, regions=("AA", "BB"))
    for document in (result(), later, result()):
        assert isinstance(take_in(world.region, RUN, signed(document), Notes()), str)
    assert stored(world.home, world.region.ledger.book.results[RUN]) == later
    assert len([event for event in events(world) if isinstance(event, ResultEntry)]) == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED),
        (signed(result())[:-9], Reason.MALFORMED),
        (sign("answer", to_canonical(result()), DESK).to_bytes(), Reason.MALFORMED),
        (signed(result(run="run-" + "9" * 16)), Reason.MALFORMED),
        (signed(result(programme="0" * 64)), Reason.MALFORMED),
        (signed(result(region="BB")), Reason.MALFORMED),
        (signed(result()).replace(b"0.25", b"0.52"), Reason.UNSIGNED),
        (signed(result(), STRANGER), Reason.UNKNOWN_SIGNER),
        (signed(result(), RESEARCHER), Reason.WRONG_ROLE),
    ],
)
def test_what_is_not_the_desks_or_not_ours_is_refused_and_logged(world: World, data: bytes, reason: Reason) -> None:
    notes, size = Notes(), world.region.ledger.book.size
    refused = take_in(world.region, RUN, data, notes)
    assert isinstance(refused, Refused)
    assert refused.reason is reason
    assert [(event, why) for event, _run, why in notes.lines] == [("refused", reason.value)]
    assert not world.home.results.exists()
    assert all(isinstance(body, RefusedEntry) for body in events(world)[size:])
    assert world.spent == planned().charge.amount.nano


def test_a_result_of_a_programme_that_was_never_answered_here_is_refused(world: World) -> None:
    other = planned(rho="0.1")
    foreign = result(asked=other, programme=sign("programme", to_canonical(other)).digest)
    refused = take_in(world.region, RUN, signed(foreign), Notes())
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.UNKNOWN_PROGRAMME
    last = events(world)[-1]
    assert isinstance(last, RefusedEntry)
    assert (last.programme, last.reason) == (foreign.programme, "unknown_programme")


def test_a_row_of_another_region_is_nobodys_to_hand_out(world: World) -> None:
    rows = [row.model_copy(update={"scope": "BB"}) for row in result().rows]
    refused = take_in(world.region, RUN, signed(result(rows=rows)), Notes())
    assert isinstance(refused, Refused)
    assert not world.home.results.exists()


def test_a_result_reads_and_hashes_as_it_was_written() -> None:
    data = to_canonical(result())
    assert from_canonical(Result, data) == result()
    assert COLUMNS == TABLE_COLUMNS
    header, national, own = csv_text(result()).splitlines()
    assert header == ",".join(COLUMNS)
    assert ",national,0.25," in national
    assert ",AA,-1e-05," in own
    assert [row["estimate"] for row in json.loads(json_text(result()))] == [0.25, -1e-05]
