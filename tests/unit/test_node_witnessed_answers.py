"""Answers and their two cosignatures: outages cost nothing twice, and of all copies of a node one at most answers."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from rondgang.canonical import digest
from rondgang.signed import Signed

from node.answering import FAULT, Step
from node.home import Witnessing, write_config
from node.region import InForce
from policies.documents import from_canonical, to_canonical
from policies.rules.entries import Debited, RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import VariableRule
from policies.statistics.answer import Answer
from policies.statistics.blocks import Block
from policies.statistics.programme import Programme
from tests.node_notes import Notes
from tests.node_world import COHORT, SNAPSHOT, CountedRows, World, make_home, ordered, put_snapshot
from tests.small_study import heading, planned, region_policy
from tests.witnesses import Fault

PRICE = planned().charge.amount.nano
RUNS = tuple(f"run-{number:016x}" for number in range(100))
LOST: tuple[Fault, ...] = ("lost_request", "lost_reply")


class Noisy(CountedRows):
    """Rows with other noise each time, as they are; copies of a world share what was drawn."""

    drawn = 0

    def noisy(self, values: Sequence[int], planned_block: object) -> list[int]:
        Noisy.drawn += 1
        return [value + Noisy.drawn for value in values]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home = make_home(tmp_path / "home", cohorts={COHORT: {"rho": "9"}}, lifetime={"rho": "9"})
    put_snapshot(home)
    made = World(home, rows=Noisy(), journal=Notes())
    assert made.witnesses.watch() is None
    yield made
    made.region.close()


def another(number: int) -> Programme:
    return planned().model_copy(update={"programme": heading(id=f"another_{number}")})


def why(outcome: bytes | Refused) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def events(world: World) -> list[str]:
    return [str(entry.body.event) for entry in world.region.ledger.last_entries(1000)][6:]


def debits(world: World) -> list[Debited]:
    bodies = [entry.body for entry in world.region.ledger.last_entries(1000)]
    return [body for body in bodies if isinstance(body, Debited)]


def at(step: Step, do: Callable[[], object]) -> Callable[[Step], None]:
    """Steps that do something the first time that they come here."""
    due = [do]

    def after(found: Step) -> None:
        if found == step and due:
            due.pop()()

    return after


# Outages


def test_an_outage_that_is_known_costs_nothing_and_ends_by_itself(world: World) -> None:
    world.befall("lost_request")
    assert world.witnesses.watch() is not None
    for run in RUNS[:3]:
        assert why(world.ask(run=run)) is Reason.UNWITNESSED
    assert (world.spent, world.rows.reads) == (0, [])
    assert events(world) == ["asked", "refused"] * 3
    world.befall("none")
    assert isinstance(world.ask(run=RUNS[0]), bytes)
    assert world.spent == PRICE


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("which", [(0,), (1,), (0, 1)])
def test_an_outage_after_the_debit_is_charged_once_and_reads_nothing(
    world: World, fault: Fault, which: tuple[int, ...]
) -> None:
    order = ordered(planned())
    answering = world.answering(at("debited", lambda: world.befall(fault, *which)))
    (outcome,) = answering.answer([order])
    assert why(outcome) is Reason.UNWITNESSED
    for run in RUNS[:3]:
        assert why(world.ask(run=run)) is Reason.UNWITNESSED
    assert (world.spent, world.rows.reads) == (PRICE, [])
    quoted = world.answering().quote(order.asked)
    assert quoted.charge.nano == 0
    assert quoted.refused is not None
    assert quoted.refused.reason is Reason.UNWITNESSED
    world.befall("none")
    reply = world.ask(run=RUNS[5])
    assert isinstance(reply, bytes)
    assert world.ask() == reply
    assert (world.spent, len(world.rows.reads)) == (PRICE, 1)
    assert events(world) == ["asked", "debited", "answered"]


def test_a_debit_in_hand_does_not_outlive_its_process(world: World) -> None:
    world.answering(at("debited", lambda: world.befall("lost_request"))).answer([ordered(planned())])
    world.befall("none")
    world.restart()
    assert isinstance(world.ask(), bytes)
    assert [debit.charge for debit in debits(world)] == [PRICE, PRICE]
    assert world.spent == 2 * PRICE
    assert len(world.region.ledger.book.unanswered) == 1


@pytest.mark.parametrize("fault", LOST)
def test_an_outage_before_the_reply_keeps_the_answer_until_it_is_cosigned(world: World, fault: Fault) -> None:
    (outcome,) = world.answering(at("stored", lambda: world.befall(fault, 1))).answer([ordered(planned())])
    assert why(outcome) is Reason.UNWITNESSED
    assert why(world.ask()) is Reason.UNWITNESSED
    assert why(world.ask(another(1))) is Reason.UNWITNESSED
    quoted = world.answering().quote(ordered(planned()).asked)
    assert (quoted.charge.nano, why(quoted.refused or b"")) == (0, Reason.UNWITNESSED)
    world.restart()
    assert why(world.ask()) is Reason.UNWITNESSED
    world.befall("none")
    reply = world.ask()
    assert isinstance(reply, bytes)
    assert world.ask() == reply
    assert (world.spent, len(world.rows.reads)) == (PRICE, 1)


@pytest.mark.parametrize("step", ["authenticated", "decided", "debited", "cosigned", "read", "noised", "stored"])
@pytest.mark.parametrize("fault", LOST)
def test_wherever_one_reply_is_lost_there_is_one_answer_in_the_end(world: World, step: Step, fault: Fault) -> None:
    """A witness that was not heard may have cosigned, or not: that makes no difference to anybody."""
    world.answering(at(step, lambda: world.befall(fault, 0))).answer([ordered(planned())])
    world.befall("none")
    first = world.ask()
    assert isinstance(first, bytes)
    world.restart()
    assert world.ask() == first
    assert [debit.charge for debit in debits(world)] == [PRICE]


def test_a_witness_that_is_slow_costs_a_bounded_time_and_its_late_word_does_no_harm(world: World) -> None:
    write_config(world.home, world.home.config().model_copy(update={"witnessing": Witnessing(within_ms=50)}))
    world.restart()
    assert world.witnesses.watch() is None
    (outcome,) = world.answering(at("debited", lambda: world.befall("slow", 1))).answer([ordered(planned())])
    assert why(outcome) is Reason.UNWITNESSED
    assert [one.problem for one in world.witnesses.watchers] == ["", "slow"]
    for say in world.lines[1].held_back:
        say()
    world.befall("none")
    assert isinstance(world.ask(), bytes)
    assert (world.spent, len(world.rows.reads)) == (PRICE, 1)


def test_a_debit_in_hand_is_used_only_if_nothing_else_stands_against_it(world: World) -> None:
    """The policy may forbid by now what was charged; what the debit itself cost is no objection to it."""
    tight = region_policy(policy={"version": 2}, cohorts={COHORT: {"rho": planned().charge.amount.text()}})
    assert isinstance(world.region.adopt_policy(tight), InForce)
    world.answering(at("debited", lambda: world.befall("lost_request"))).answer([ordered(planned())])
    world.befall("none")
    strict = tight.model_copy(update={"variables": VariableRule(deny=("grade",))})
    strict = strict.model_copy(update={"policy": strict.policy.model_copy(update={"version": 3})})
    assert isinstance(world.region.adopt_policy(strict), InForce)
    assert why(world.ask()) is Reason.FORBIDDEN_VARIABLE
    assert world.rows.reads == []
    loose = tight.model_copy(update={"policy": tight.policy.model_copy(update={"version": 4})})
    assert isinstance(world.region.adopt_policy(loose), InForce)
    assert isinstance(world.ask(), bytes)
    assert world.spent == PRICE


# Batches


def test_what_waits_together_is_cosigned_together(world: World) -> None:
    programmes = [another(number) for number in range(5)]
    before = [witness.calls for witness in world.watching]
    outcomes = world.answering().answer([ordered(one) for one in programmes])
    assert all(isinstance(one, bytes) for one in outcomes)
    assert len(set(outcomes)) == 5
    assert [witness.calls - earlier for witness, earlier in zip(world.watching, before, strict=True)] == [2, 2]
    assert events(world) == ["asked", "debited"] * 5 + ["answered"] * 5
    assert world.spent == 5 * PRICE


def test_one_programme_twice_in_a_batch_is_charged_and_read_once(world: World) -> None:
    orders = [ordered(planned(), run) for run in RUNS[:3]]
    first, *others = world.answering().answer(orders)
    assert isinstance(first, bytes)
    assert others == [first, first]
    assert (world.spent, len(world.rows.reads)) == (PRICE, 1)


class BrokenOnce(Noisy):
    """Rows that break at the second programme."""

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        found = super().sums(snapshot, blocks)
        if len(self.reads) == 2:
            raise OSError("household 4711")
        return found


def test_a_fault_in_one_programme_is_not_felt_by_the_others(world: World) -> None:
    orders = [ordered(another(number)) for number in range(3)]
    outcomes = world.answering(rows=BrokenOnce()).answer(orders)
    assert [outcome is FAULT for outcome in outcomes] == [False, True, False]
    assert isinstance(outcomes[0], bytes)
    assert isinstance(outcomes[2], bytes)
    assert world.spent == 3 * PRICE
    assert world.answering().answer(orders[::2]) == outcomes[::2]


def test_a_batch_spends_no_more_than_its_orders_one_by_one(tmp_path: Path) -> None:
    cap = {"rho": (planned().charge.amount + planned().charge.amount).text()}
    home = make_home(tmp_path / "home", cohorts={COHORT: cap}, lifetime={"rho": "9"})
    put_snapshot(home)
    world = World(home)
    outcomes = world.answering().answer([ordered(another(number)) for number in range(4)])
    assert [isinstance(one, bytes) for one in outcomes] == [True, True, False, False]
    assert {why(one) for one in outcomes[2:]} == {Reason.OVER_COHORT_CAP}
    assert world.spent == 2 * PRICE
    world.region.close()


def test_a_repeat_in_a_batch_is_free_whatever_befalls_the_others(world: World) -> None:
    first = world.ask()
    orders = [ordered(planned()), ordered(another(1))]
    again, other = world.answering(at("debited", lambda: world.befall("lost_request"))).answer(orders)
    assert again == first
    assert why(other) is Reason.UNWITNESSED


# Copies


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


def test_the_order_of_the_whole(world: World) -> None:
    """Between debit and answer lies a checkpoint that enough cosigned, and one above the answer before it left."""
    assert isinstance(world.ask(), bytes)
    held = [note.checkpoint.size for note in world.region.ledger.checkpoints()]
    entries = world.region.ledger.last_entries(1000)
    (debit,) = [entry.seq for entry in entries if entry.body.event == "debited"]
    (answer,) = [entry.seq for entry in entries if entry.body.event == "answered"]
    assert any(debit < size <= answer for size in held)
    assert any(answer < size for size in held)
