"""Copies of a node, of yesterday or of this very moment: of all of them one at most answers, and none spends twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rondgang.canonical import digest
from rondgang.signed import Signed

from node.answering import Step
from node.authenticate import read_order
from policies.documents import from_canonical, to_canonical
from policies.rules.entries import RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.statistics.answer import Answer
from tests.node_notes import Notes
from tests.node_world import COHORT, RESEARCHER, RUN, SNAPSHOT, World, ordered, signed_order, signed_programme
from tests.small_study import planned
from tests.witnessed_world import PRICE, RUNS, another, at, debits, watched_world, why


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = watched_world(tmp_path / "home")
    yield made
    made.region.close()


def test_yesterdays_folder_spends_nothing_and_repeats_what_it_knows(world: World, tmp_path: Path) -> None:
    known = world.ask()
    world.region.ledger.flush()
    older = world.copied(tmp_path / "older")
    assert isinstance(world.ask(another(1)), bytes)
    size, seen = older.region.ledger.head().size, world.region.ledger.head().size
    for outcome in (older.ask(another(1)), older.ask(another(2)), older.witnesses.watch()):
        assert isinstance(outcome, Refused)
        assert outcome.reason is Reason.BEHIND_WITNESSES
        assert f"{size} entries" in outcome.sentence
        assert f"saw {seen}" in outcome.sentence
        assert "rondgang node recover" in outcome.sentence
    assert older.ask() == known
    quoted = older.answering().quote(ordered(another(2)).asked)
    assert quoted.refused is not None
    assert quoted.refused.reason is Reason.BEHIND_WITNESSES
    assert older.rows.reads == []
    notes = older.journal
    assert isinstance(notes, Notes)
    assert [event for event, _ in notes.events].count("behind_witnesses") == 1
    assert list(older.home.forks.iterdir()), "what the witness showed is kept"


def test_a_folder_that_knows_it_is_behind_is_not_written_to(world: World, tmp_path: Path) -> None:
    world.ask()
    older = world.copied(tmp_path / "older")
    world.ask(another(1))
    older.witnesses.watch()
    head = older.region.ledger.head()
    for number in range(3):
        assert why(older.ask(another(number))) is Reason.BEHIND_WITNESSES
    foreign = signed_order(signed_programme(another(1)), RESEARCHER)
    read = read_order(RUN, foreign.to_bytes(), signed_programme(another(1)).to_bytes())
    assert not isinstance(read, Refused)
    assert why(older.asked(read)) is Reason.WRONG_ROLE
    assert older.region.ledger.head() == head
    older.restart()
    refused = older.witnesses.watch()
    assert isinstance(refused, Refused)
    assert "a newer copy of it exists" in refused.sentence


def test_two_running_copies_of_one_node_are_caught(world: World, tmp_path: Path) -> None:
    world.ask()
    copy = world.copied(tmp_path / "copy")
    assert copy.witnesses.watch() is None
    left: list[bytes] = []
    for number in range(4):
        for one in (copy, world):
            outcome = one.ask(another(number), RUNS[number])
            left += [outcome] if isinstance(outcome, bytes) else []
    assert len(left) == 4, "one of the two went on alone"
    assert world.witnesses.contradiction is not None
    assert copy.witnesses.contradiction is None
    assert world.witnesses.contradiction.kind in ("behind", "forked")
    assert world.rows.reads == [SNAPSHOT], "the other read no row after it was copied"
    assert {debit.programme for debit in debits(copy)} >= {digest(to_canonical(another(3)))}


def test_a_copy_that_went_its_own_way_is_called_forked(world: World, tmp_path: Path) -> None:
    copy = world.copied(tmp_path / "copy")
    world.ask(another(1))
    copy.region.record_import("6" * 32, COHORT, planned().codebook_hash)
    for number in range(20):
        copy.region.ledger.log_refusal(refusal(number))
    refused = copy.witnesses.watch()
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.BEHIND_WITNESSES
    assert "another history" in refused.sentence
    assert copy.witnesses.contradiction is not None
    assert copy.witnesses.contradiction.kind == "forked"


def refusal(number: int) -> RefusedEntry:
    return RefusedEntry(event="refused", programme=f"{number:064x}", run=RUNS[number], reason="malformed")


@pytest.mark.parametrize("moment", ["debited", "cosigned", "read", "noised", "stored", "released"])
def test_a_disk_copied_at_any_moment_and_restored_twenty_times_gives_one_answer_at_most(
    world: World, tmp_path: Path, moment: Step
) -> None:
    """Also when the node that was copied has gone on, or died on the spot: one answer for each debit."""
    copies: list[World] = []

    def copy() -> None:
        copies.extend(world.copied(tmp_path / f"copy {number}") for number in range(20))

    (first,) = world.answering(at(moment, copy)).answer([ordered(planned())])
    assert isinstance(first, bytes)
    left = [one.ask() for one in copies]
    answers = {outcome for outcome in left if isinstance(outcome, bytes)}
    assert answers <= {first}
    assert all(one.witnesses.contradiction is not None for one in copies) or answers == {first}
    for one in copies:
        one.region.close()


def test_a_disk_copied_from_a_node_that_died_gives_one_answer_for_all_its_copies(world: World, tmp_path: Path) -> None:
    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    with pytest.raises(Died):
        world.answering(at("debited", die)).answer([ordered(planned())])
    copies = [world.copied(tmp_path / f"copy {number}") for number in range(20)]
    outcomes = [one.ask() for one in copies]
    assert [isinstance(outcome, bytes) for outcome in outcomes].count(True) == 1
    assert {why(outcome) for outcome in outcomes if isinstance(outcome, Refused)} == {Reason.BEHIND_WITNESSES}
    (winner,) = [one for one, outcome in zip(copies, outcomes, strict=True) if isinstance(outcome, bytes)]
    # The debit before the copy is dead; the answer was paid for by another.
    assert [debit.charge for debit in debits(winner)] == [PRICE, PRICE]
    assert sum(len(one.rows.reads) for one in copies) == 1


@pytest.mark.parametrize("restores", [0, 1, 4, 19])
def test_restores_of_a_backup_regain_no_budget(world: World, tmp_path: Path, restores: int) -> None:
    """The regain of research table 3 (epsilon 2.8, 4.1, 7.0 and 16.1) is none: answers are paid for, each once."""
    backups = [world.copied(tmp_path / f"backup {number}") for number in range(restores)]
    released = [world.ask()]
    for number, backup in enumerate(backups):
        released += [backup.ask(run=RUNS[number]), backup.ask(another(number), RUNS[number])]
    answers = [Signed.from_bytes(one) for one in released if isinstance(one, bytes)]
    assert len(answers) == 1
    assert from_canonical(Answer, answers[0].document).programme == ordered(planned()).asked.digest
    assert sum(len(one.rows.reads) for one in (world, *backups)) == 1
    assert world.spent == PRICE
