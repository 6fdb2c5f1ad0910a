"""Starting anew: everything is charged, nothing that left is lost, nothing that did not leave comes out, and a crash
leaves the old ledger or the new one."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest
from rondgang.canonical import digest
from rondgang.merkle import EMPTY_ROOT
from rondgang.notes import Checkpoint, sign_checkpoint

from node.closed import closed_files
from node.errors import BadDelivery, DiskFault, NewerLedger
from node.home import Home
from node.ledger.schema import migrations
from node.recovering import Charge, Last, Plan, Step, Whole, examine, reset, roster
from node.region import InForce, NotReady, Region
from node.snapshots import CodebookOf, Manifest
from node.spending import Step as SpendingStep
from node.witnessing.recovery import Asking, ask_all
from policies.documents import to_canonical
from policies.rules.entries import Adopted, Imported, Reset, ResultEntry
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Programme
from policies.units.money import NanoRho
from tests.node_world import CHECKPOINT, COHORT, REGION, SNAPSHOT, Clock, World, make_home, ordered, put_snapshot
from tests.node_world import roster as listed
from tests.small_study import hashes, heading, planned, region_policy

PRICE = planned().charge.amount
CAP = NanoRho(700_000_000)
LIFETIME = NanoRho(800_000_000)


def put_files(home: Home, snapshot: str = SNAPSHOT) -> None:
    """The files of a snapshot, as far as anyone looks who does not read rows."""
    folder = home.snapshots / snapshot
    folder.mkdir()
    manifest = Manifest(
        format=1, id=snapshot, cohort=COHORT, codebook=CodebookOf(id="small", version=1, hash=hashes()[0]), columns={}
    )
    (folder / "manifest.json").write_bytes(to_canonical(manifest))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(tmp_path_factory.mktemp("template") / "home", cohorts={COHORT: {"rho": "0.7"}})
    put_files(home)
    put_snapshot(home)
    return home.root


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    """A node that answered once, and has the budget for two more."""
    made = World(Home(shutil.copytree(template, tmp_path / "home")))
    assert isinstance(made.ask(), bytes)
    yield made
    made.region.close()


def another(number: int = 1) -> Programme:
    return planned().model_copy(update={"programme": heading(id=f"another_{number}")})


def restored(world: World, tmp_path: Path) -> World:
    """The node goes on, and then yesterday's copy of its folder is put back."""
    copy = copied(world, tmp_path / "yesterday")
    assert isinstance(world.ask(another()), bytes)
    world.region.close()
    return copy


def copied(world: World, folder: Path) -> World:
    """A copy of the folder of a node that was stopped."""
    world.restart()
    return world.copied(folder)


def last_of(world: World) -> Checkpoint | None:
    """What the witnesses say."""
    key = CHECKPOINT.public
    policy = world.region.documents.policy
    assert policy is not None
    asking = Asking(REGION, frozenset({key}), listed(), policy.document.witnesses, world.clock.now)
    told = ask_all(world.lines, asking, 20.0)
    assert isinstance(told, Last)
    return told.checkpoint


def recovered(world: World, last: Checkpoint | None) -> World:
    """The same node after a reset, watched by the same witnesses."""
    world.region.close()
    plan = reset(world.home, world.clock, last)
    assert isinstance(plan, Plan)
    return World(world.home, world.clock, watching=world.watching)


def reason(outcome: bytes | Refused) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def bodies(world: World) -> list[object]:
    return [entry.body for entry in world.region.ledger.last_entries(1000)]


def tables(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_a_ledger_that_has_all_that_was_seen_is_left_alone(world: World) -> None:
    head, last = world.region.ledger.head(), last_of(world)
    assert last == head
    world.region.close()
    before = world.home.ledger_file.read_bytes()
    for seen in (None, last, Checkpoint("AA/1", 0, EMPTY_ROOT)):
        assert reset(world.home, world.clock, seen) == Whole(1, head.size) == examine(world.home, world.clock, seen)
    assert world.home.ledger_file.read_bytes() == before
    assert not world.home.closed.exists()


def test_a_restored_copy_starts_anew_with_everything_charged(world: World, tmp_path: Path) -> None:
    copy = restored(world, tmp_path)
    last, own = last_of(copy), copy.region.ledger.head()
    assert last is not None
    copy.region.close()
    plan = examine(copy.home, copy.clock, last)
    assert isinstance(plan, Plan)
    assert (plan.epoch, plan.why, plan.own, plan.last, plan.policy) == (2, "behind", own, last, 1)
    assert (plan.cohorts, plan.lifetime) == ({COHORT: Charge(PRICE, CAP)}, Charge(PRICE, LIFETIME))
    assert f"AA/1 has {own.size} entries here; a witness saw AA/1 with {last.size}" in plan.detail
    anew = recovered(copy, last)
    ledger = anew.region.ledger
    assert (ledger.origin, ledger.book.cohorts, ledger.book.lifetime) == ("AA/2", {COHORT: CAP}, LIFETIME)
    first, *rest = bodies(anew)
    assert isinstance(first, Reset)
    assert (first.old_size, first.old_root, first.epoch) == (last.size, last.root.hex(), 2)
    assert anew.region.documents.policy is not None
    assert first.policy == anew.region.documents.policy.digest
    kinds = [one.kind if isinstance(one, Adopted) else one for one in rest]
    assert kinds[:4] == ["roster", "calendar", "codebook", "policy"]
    assert [one.snapshot for one in rest[4:] if isinstance(one, Imported)] == [SNAPSHOT]
    assert anew.region.ledger.document("policy", first.policy) is not None
    anew.region.close()


def test_witnesses_follow_a_reset_and_nothing_is_left_to_spend(world: World, tmp_path: Path) -> None:
    given, shown = world.ask(), sign_checkpoint(Checkpoint("BB/1", 4, b"\1" * 32), CHECKPOINT)
    world.region.ledger.hold_seen([shown])
    copy = restored(world, tmp_path)
    assert reason(copy.ask(another(2))) is Reason.BEHIND_WITNESSES
    anew = recovered(copy, last_of(copy))
    assert anew.witnesses.watch() is None
    assert anew.ask() == given, "what had left is given again"
    assert (anew.rows.reads, anew.region.ledger.seen()) == ([], (shown,))
    for number in (1, 2):
        assert reason(anew.ask(another(number))) is Reason.OVER_COHORT_CAP
    assert {note.checkpoint.origin for one in anew.watching if (note := one.memory.last("AA"))} == {"AA/2"}
    anew.region.close()


def test_the_old_ledger_is_closed_for_good(world: World, tmp_path: Path) -> None:
    copy = restored(world, tmp_path)
    anew = recovered(copy, last_of(copy))
    assert anew.witnesses.watch() is None
    old = World(world.home, world.clock, watching=world.watching)
    assert old.witnesses.watch() is not None
    assert reason(old.ask(another(3))) is Reason.BEHIND_WITNESSES
    for one in (old, anew):
        one.region.close()


def test_an_answer_that_was_never_cosigned_does_not_come_out_of_a_reset(world: World, tmp_path: Path) -> None:
    def after(step: SpendingStep) -> None:
        if step == "cosigned":
            world.region.ledger.flush()
            shutil.copytree(world.home.root, tmp_path / "copy")
        if step == "stored":
            world.befall("lost_request")

    (outcome,) = world.answering(after).answer([ordered(another())])
    assert reason(outcome) is Reason.UNWITNESSED
    (unseen,) = set(world.region.ledger.book.answered) - {(planned_hash(), SNAPSHOT)}
    world.befall("none")
    # The copy goes on from the same debit, which is dead there, and its answer is the one that leaves.
    copy = World(Home(tmp_path / "copy"), world.clock, watching=world.watching)
    assert isinstance(copy.ask(another()), bytes)
    assert reason(world.ask(another())) is Reason.BEHIND_WITNESSES
    anew = recovered(world, last_of(world))
    assert anew.region.ledger.book.carried == {(planned_hash(), SNAPSHOT)}
    assert anew.region.ledger.answer(*unseen) is None
    assert isinstance(anew.ask(), bytes)
    assert reason(anew.ask(another())) is Reason.OVER_COHORT_CAP
    for one in (copy, anew):
        one.region.close()


def planned_hash() -> str:
    return digest(to_canonical(planned()))


def test_a_fork_is_told_from_a_ledger_that_is_behind(world: World, tmp_path: Path) -> None:
    copy = copied(world, tmp_path / "copy")
    for one, number in ((world, 1), (copy, 2)):
        event = ResultEntry(event="result", run=f"run-{number:016x}", programme=planned_hash(), hash="e" * 64)
        one.region.ledger.log_result(event)
        one.region.close()
    plan = examine(copy.home, copy.clock, world.region.ledger.head())
    assert isinstance(plan, Plan)
    assert (plan.why, plan.epoch) == ("forked", 2)
    assert "a witness saw other entries among the first" in plan.detail


@pytest.mark.parametrize("how", ["absent", "garbage", "entry gone", "another region"])
def test_a_ledger_that_is_lost_or_damaged_starts_anew_without_it(world: World, how: str) -> None:
    last = last_of(world)
    world.region.close()
    path = world.home.ledger_file
    if how == "absent":
        path.unlink()
    elif how == "garbage":
        path.write_bytes(b"no ledger at all " * 1000)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TRIGGER entries_never_go")
            connection.execute("DROP TRIGGER entries_never_change")
            change = "body = CAST(replace(body, 'AA', 'BB') AS BLOB) WHERE seq = 0"
            connection.execute(
                "DELETE FROM entries WHERE seq = 3" if how == "entry gone" else f"UPDATE entries SET {change}"
            )
            connection.commit()
    plan = examine(world.home, world.clock, last)
    assert isinstance(plan, Plan)
    assert (plan.epoch, plan.own, plan.why) == (2, None, "absent" if how == "absent" else "unreadable")
    assert plan.cohorts == {COHORT: Charge(NanoRho(0), CAP)}
    anew = recovered(world, last)
    assert (anew.region.ledger.book.lifetime, anew.region.ledger.book.snapshots) == (LIFETIME, {})
    assert anew.witnesses.watch() is None
    kept = list(world.home.closed.iterdir()) if how != "absent" else []
    assert [one.name for one in kept] == ([] if how == "absent" else ["unreadable.sqlite"])
    assert closed_files(world.home) == ()
    anew.region.close()


def test_a_ledger_that_no_witness_ever_saw_and_that_is_gone_commits_to_nothing(tmp_path: Path) -> None:
    world = World(make_home(tmp_path / "home"))
    assert last_of(world) is None
    world.region.close()
    world.home.ledger_file.unlink()
    anew = recovered(world, None)
    first = bodies(anew)[0]
    assert isinstance(first, Reset)
    assert (first.old_size, first.old_root) == (0, EMPTY_ROOT.hex())
    anew.region.close()


def test_what_was_spent_beyond_a_cap_that_was_lowered_stays_spent(world: World, tmp_path: Path) -> None:
    lower = region_policy(policy={"version": 2}, cohorts={COHORT: {"rho": "0.0001"}}, lifetime={"rho": "0.0001"})
    assert isinstance(world.region.adopt_policy(lower), InForce)
    assert isinstance(world.region.record_import("6" * 32, COHORT, hashes()[0]), Imported)
    copy = restored_by(world, tmp_path)
    plan = examine(copy.home, copy.clock, world.region.ledger.head())
    assert isinstance(plan, Plan)
    assert plan.policy == 2
    assert (plan.cohorts, plan.lifetime) == ({COHORT: Charge(PRICE, PRICE)}, Charge(PRICE, PRICE))


def restored_by(world: World, tmp_path: Path) -> World:
    copy = copied(world, tmp_path / "yesterday")
    event = ResultEntry(event="result", run="run-0000000000000001", programme=planned_hash(), hash="e" * 64)
    world.region.ledger.log_result(event)
    for one in (world, copy):
        one.region.close()
    return copy


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", get_args(Step))
def test_a_kill_at_any_step_leaves_the_old_ledger_or_the_new_one(world: World, tmp_path: Path, step: Step) -> None:
    copy = restored(world, tmp_path)
    last, before = last_of(copy), copy.region.ledger.head()
    copy.region.close()

    def die(reached: Step) -> None:
        if reached == step:
            raise Killed

    with pytest.raises(Killed):
        reset(copy.home, copy.clock, last, die)
    with closing(Region(copy.home, copy.clock)) as region:
        assert region.ledger.epoch == (2 if step == "replaced" else 1)
        assert step == "replaced" or region.ledger.head() == before
    outcome = reset(copy.home, copy.clock, last)
    assert isinstance(outcome, Whole if step == "replaced" else Plan)
    with closing(Region(copy.home, copy.clock)) as region:
        assert (region.ledger.epoch, region.ledger.book.lifetime) == (2, LIFETIME)
    assert [epoch for epoch, _path in closed_files(copy.home)] == [1]
    assert sorted(path.name for path in copy.home.root.glob("ledger*")) == ["ledger.sqlite"]


def test_a_half_written_ledger_beside_the_old_one_is_taken_away(world: World, tmp_path: Path) -> None:
    copy = restored(world, tmp_path)
    for ending in (".next", ".next-wal", ".next-shm"):
        copy.home.ledger_file.with_name("ledger.sqlite" + ending).write_bytes(b"half" * 100)
    anew = recovered(copy, last_of(copy))
    assert anew.region.ledger.epoch == 2
    anew.region.close()


def test_closed_ledgers_are_kept_one_by_one_and_may_only_be_read(world: World, tmp_path: Path) -> None:
    copy = restored(world, tmp_path)
    size = copy.region.ledger.book.size
    anew = recovered(copy, last_of(copy))
    assert anew.witnesses.watch() is None
    older = tmp_path / "older"
    anew.region.ledger.flush()
    shutil.copytree(copy.home.root, older)
    assert reason(anew.ask(another(7))) is Reason.OVER_COHORT_CAP
    assert anew.witnesses.watch() is None
    last = last_of(anew)
    anew.region.close()
    third = reset(Home(older), world.clock, last)
    assert isinstance(third, Plan)
    assert (third.epoch, third.lifetime) == (3, Charge(LIFETIME, LIFETIME))
    found = closed_files(Home(older))
    assert [(epoch, path.name) for epoch, path in found] == [(1, "ledger-1.sqlite"), (2, "ledger-2.sqlite")]
    assert {path.stat().st_mode & 0o777 for _epoch, path in found} == {0o400}
    assert tables(found[0][1], "SELECT count(*) FROM entries") == [(size,)]
    with closing(Region(Home(older), world.clock)) as region:
        assert region.ledger.book.carried == {(planned_hash(), SNAPSHOT)}
        assert region.ledger.answer(planned_hash(), SNAPSHOT) is not None
        assert region.ledger.released(planned_hash(), SNAPSHOT)


def test_nothing_is_burnt_for_a_ledger_that_a_newer_version_wrote(world: World) -> None:
    last = last_of(world)
    world.region.close()
    with closing(sqlite3.connect(world.home.ledger_file)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations()[-1][0] + 1}")
    with pytest.raises(NewerLedger):
        reset(world.home, world.clock, last)


def test_a_journal_that_another_process_keeps_open_stops_the_reset(world: World, tmp_path: Path) -> None:
    copy = restored(world, tmp_path)
    last = last_of(copy)
    copy.region.close()
    with closing(sqlite3.connect(copy.home.ledger_file)) as reader:
        reader.execute("SELECT count(*) FROM entries").fetchone()
        with pytest.raises(DiskFault, match="another process has the ledger open"):
            reset(copy.home, copy.clock, last)
    assert isinstance(reset(copy.home, copy.clock, last), Plan)


@pytest.mark.parametrize("missing", ["policy", "roster"])
def test_without_policy_or_roster_nothing_can_be_recovered(world: World, missing: str) -> None:
    last = last_of(world)
    world.region.close()
    world.home.ledger_file.unlink()
    (world.home.adopted / "policy.json").unlink()
    if missing == "roster":
        (world.home.adopted / "roster.json").unlink()
        with pytest.raises(NotReady, match="roster"):
            roster(world.home, world.clock)
    else:
        assert roster(world.home, world.clock) == listed()
        with pytest.raises(NotReady, match="policy"):
            reset(world.home, world.clock, last)


def test_a_document_that_somebody_else_signed_does_not_count(world: World) -> None:
    last = last_of(world)
    world.region.close()
    world.home.ledger_file.unlink()
    path = world.home.adopted / "policy.json"
    path.write_bytes(path.read_bytes().replace(b'"rho":"0.7"', b'"rho":"0.1"'))
    with pytest.raises(BadDelivery, match="signature"):
        reset(world.home, Clock(), last)
