"""Answers and their two cosignatures: an outage costs nothing twice, and what waits together goes together."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rondgang.witnessing import Submission

from node.answering import FAULT, Step
from node.home import Witnessing, write_config
from node.region import InForce
from node.witnessing.said import Told
from policies.rules.refusals import Reason
from policies.rules.region_policy import VariableRule
from policies.statistics.blocks import Block
from tests.node_world import COHORT, World, make_home, ordered, put_snapshot
from tests.small_study import planned, region_policy
from tests.witnessed_world import PRICE, RUNS, Noisy, another, at, debits, events, watched_world, why
from tests.witnesses import Fault

LOST: tuple[Fault, ...] = ("lost_request", "lost_reply")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = watched_world(tmp_path / "home")
    yield made
    made.region.close()


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
    write_config(world.home, world.home.config().model_copy(update={"witnessing": Witnessing(within_ms=250)}))
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


# Time


class Slow(Noisy):
    """Rows that take as long as the test says, and break in the end if it says so."""

    def __init__(self, world: World, ms: float, *, breaks: bool = False) -> None:
        super().__init__()
        self._world, self._ms, self._breaks = world, ms, breaks

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        self._world.pace.at_s += self._ms / 1000
        if self._breaks:
            raise OSError
        return super().sums(snapshot, blocks)


@pytest.mark.parametrize(("ms", "ticks"), [(0, 1), (3, 1), (24.9, 1), (25.1, 2), (60, 3)])
def test_when_witnesses_hear_of_an_answer_tells_how_many_ticks_its_rows_took_and_no_more(
    world: World, ms: float, ticks: int
) -> None:
    heard: list[float] = []

    def hear(told: Told, given: Submission) -> Told:
        heard.append(world.pace.at_s)
        return told

    world.watching[0].lie = hear
    assert isinstance(world.asked(ordered(planned()), Slow(world, ms)), bytes)
    assert heard == [0.0, pytest.approx(ticks * 0.025)]
    before = world.pace.at_s
    assert world.asked(ordered(another(1)), Slow(world, ms, breaks=True)) is FAULT
    assert world.pace.at_s - before == pytest.approx(ticks * 0.025), "what breaks takes whole ticks too"


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


def test_the_order_of_the_whole(world: World) -> None:
    """Between debit and answer lies a checkpoint that enough cosigned, and one above the answer before it left."""
    assert isinstance(world.ask(), bytes)
    held = [note.checkpoint.size for note in world.region.ledger.checkpoints()]
    entries = world.region.ledger.last_entries(1000)
    (debit,) = [entry.seq for entry in entries if entry.body.event == "debited"]
    (answer,) = [entry.seq for entry in entries if entry.body.event == "answered"]
    assert any(debit < size <= answer for size in held)
    assert any(answer < size for size in held)
