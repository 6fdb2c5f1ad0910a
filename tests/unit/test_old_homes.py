"""Homes that earlier versions left: this one opens them, keeps what they decided, and goes on."""

import tarfile
from pathlib import Path

import pytest
from rondgang.signed import sign

from node.home import Home
from node.ledger.schema import beside, migrations, schema_of
from node.region import InForce
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from tests.node_world import CONSORTIUM, CountedRows, World, ordered, roster
from tests.small_study import heading, planned

HOMES = tuple(sorted((Path(__file__).parents[1] / "vectors" / "homes").glob("*.tar.gz")))


def test_there_is_one_of_the_first_release_and_one_of_the_last() -> None:
    assert [path.name for path in HOMES] == ["2026-11-first.tar.gz", "2026-11-sums.tar.gz"]


@pytest.fixture(params=HOMES, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path


def opened(old: Path) -> World:
    """The old home with today's witnesses on its roster: those of the first release had none."""
    world = World(Home(old / "home"))
    assert isinstance(
        world.region.adopt(sign("roster", to_canonical(roster(serial=9)), CONSORTIUM).to_bytes()), InForce
    )
    return world


def test_its_ledger_is_migrated_whole(old: Path) -> None:
    before = beside(old / "home" / "ledger.sqlite")
    entries = [bytes(body) for (body,) in before.execute("SELECT body FROM entries ORDER BY seq")]
    before.close()
    World(Home(old / "home")).region.close()
    after = beside(old / "home" / "ledger.sqlite")
    assert schema_of(after) == migrations()[-1][0]
    assert [bytes(body) for (body,) in after.execute("SELECT body FROM entries ORDER BY seq")][
        : len(entries)
    ] == entries
    after.close()


def test_what_it_answered_is_repeated_to_the_byte_and_for_nothing(old: Path) -> None:
    world = opened(old)
    spent = world.spent
    assert spent > 0
    assert world.ask() == (old / "answer.json").read_bytes()
    assert (world.spent, world.rows.reads) == (spent, [])


def test_it_answers_what_is_new_and_charges_it(old: Path) -> None:
    world = opened(old)
    spent = world.spent
    new = planned().model_copy(update={"programme": heading(id="another")})
    assert isinstance(world.asked(ordered(new, "run-00000000000000aa")), bytes)
    assert world.spent == spent + new.charge.of_answer.nano


def test_what_it_refused_stays_refused(old: Path) -> None:
    world = opened(old)
    elsewhere = planned().model_copy(update={"programme": heading(id="elsewhere", cohort="c9")})
    refused = world.ask(elsewhere)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.WRONG_COHORT


def test_a_copy_of_it_from_before_the_upgrade_regains_nothing(old: Path, tmp_path: Path) -> None:
    world = opened(old)
    world.region.close()
    yesterday = World(Home(old / "home"), world.clock, CountedRows(), watching=world.watching).copied(tmp_path / "copy")
    world = World(Home(old / "home"), world.clock, CountedRows(), watching=world.watching)
    new = ordered(planned().model_copy(update={"programme": heading(id="another")}), "run-00000000000000aa")
    assert isinstance(world.asked(new), bytes)
    again = yesterday.asked(
        ordered(planned().model_copy(update={"programme": heading(id="third")}), "run-00000000000000ab")
    )
    assert isinstance(again, Refused)
    assert again.reason is Reason.BEHIND_WITNESSES
