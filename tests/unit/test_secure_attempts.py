"""A real node in attempts at national sums: what is charged, what is read, what leaves, and how often."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from node.answering import FAULT
from node.home import Home
from node.region import InForce
from node.secure.masking import SecureStep, SecureSteps
from policies.rules.entries import Debited
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import Aborted, Begin, BoxesSaid, KeysSaid, Send, Share, SharesSaid, Unmask, VectorSaid
from policies.secure.rounds import MOST_AT_ONCE
from policies.statistics.blocks import Block
from tests import national_study, small_study
from tests.node_notes import Notes
from tests.node_world import COHORT, RUN, SNAPSHOT, World, ordered, signed_order
from tests.secure_node import PROGRAMME, Attempt, Numbered, bodies, make_secure_home, others_of, own, why
from tests.secure_world import attempt_order
from tests.witnesses import Fault

OWN, EACH = PROGRAMME.charge.of_answer.nano, PROGRAMME.charge.of_attempt.nano
LATER = "run-" + "b" * 16
AFTER_THE_DEBIT = ("debited", "cosigned", "read", "noised", "attempted", "released")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secure_home(tmp_path_factory.mktemp("homes") / "aa").root


@pytest.fixture
def world(tmp_path: Path, template: Path) -> Iterator[World]:
    shutil.copytree(template, tmp_path / "aa")
    made = World(Home(tmp_path / "aa"), rows=Numbered(), journal=Notes())
    assert made.witnesses.watch() is None
    yield made
    made.region.close()


def events(world: World) -> list[str]:
    """What was logged after the home was made."""
    entries = [str(entry.body.event) for entry in world.region.ledger.last_entries(100)]
    return entries[entries.index("imported") + 1 :]


def others(attempt: Attempt, *regions: str) -> list[int]:
    given = (others_of(region, attempt.programme) for region in regions)
    rows = [[value for values in one.values() for value in values] for one in given]
    return [sum(column) for column in zip(*rows, strict=True)]


def test_the_whole_of_an_attempt_is_charged_once_reads_once_and_is_exact(world: World) -> None:
    steps: list[SecureStep] = []
    attempt = Attempt(world.attempts(steps.append))
    assert isinstance(attempt.through(), SharesSaid)
    assert attempt.finish() == tuple(map(sum, zip(own(), others(attempt, "BB", "CC", "DD"), strict=True)))
    assert steps == list(get_args(SecureStep))
    assert events(world) == ["asked", "debited", "attempted"]
    assert world.spent == EACH
    assert world.rows.reads == [SNAPSHOT]
    assert isinstance(world.rows, Numbered)
    assert world.rows.seen == [block.id for block in PROGRAMME.of_mode("national")]
    assert world.region.ledger.cosigned == world.region.ledger.head().size
    assert world.region.ledger.book.unanswered == {}


def test_a_region_counts_by_its_weight(world: World) -> None:
    heavy = national_study.planned_at({"AA": "1.5", "BB": "0.5", "CC": "0.5", "DD": "0.5"})
    attempt = Attempt(world.attempts(), heavy)
    attempt.through()
    assert attempt.finish() == tuple(map(sum, zip(own(heavy, 3), others(attempt, "BB", "CC", "DD"), strict=True)))


def test_the_answer_and_the_attempts_of_a_programme_are_charged_apart(world: World) -> None:
    assert isinstance(world.ask(PROGRAMME), bytes)
    assert isinstance(world.rows, Numbered)
    assert world.rows.seen == [block.id for block in PROGRAMME.of_mode("regional")]
    Attempt(world.attempts()).through()
    assert isinstance(world.ask(PROGRAMME), bytes)
    assert [one.charge for one in bodies(world, Debited) if isinstance(one, Debited)] == [OWN, EACH]
    assert events(world) == ["asked", "debited", "answered", "debited", "attempted"]


@pytest.mark.parametrize("last", ["begin", "share", "send", "list_", "unmask"])
def test_an_attempt_that_is_given_up_leaves_the_ledger_right_and_the_next_one_goes_through(
    world: World, last: str
) -> None:
    attempts = world.attempts()
    first = Attempt(attempts)
    first.through(last)
    assert first.say(Aborted("It is over.")) is None
    assert attempts.running() == ()
    charged = last not in ("begin", "share")
    assert world.spent == (EACH if charged else 0)
    assert len(world.rows.reads) == int(charged)
    assert world.region.ledger.book.unanswered == {}
    assert why(first.say(Unmask(()))) is Reason.MALFORMED
    second = Attempt(attempts, number=2)
    assert isinstance(second.through(), SharesSaid)
    assert world.spent == EACH * (2 if charged else 1)
    assert second.finish() == tuple(map(sum, zip(own(), others(second, "BB", "CC", "DD"), strict=True)))


class Ended(BaseException):
    """The process was killed here. No part of a node may catch it."""


def ends(at: SecureStep) -> SecureSteps:
    def stop(step: SecureStep) -> None:
        if step == at:
            raise Ended

    return stop


@pytest.mark.parametrize("step", get_args(SecureStep))
def test_a_process_that_ends_forgets_its_attempt_and_its_debit_is_dead(world: World, step: SecureStep) -> None:
    first = Attempt(world.attempts(ends(step)))
    with pytest.raises(Ended):
        first.through("send")
    sent = world.region.ledger.book.vectors
    world.restart()
    attempts = world.attempts()
    first.attempts = attempts
    charged = step in AFTER_THE_DEBIT
    assert world.spent == (EACH if charged else 0)
    assert len(world.region.ledger.book.unanswered) == int(charged and step not in ("attempted", "released"))
    reads = len(world.rows.reads)
    if step != "begun":
        assert why(first.resend()) is Reason.MALFORMED
    again = Attempt(attempts)
    assert isinstance(again.begin(), Refused if charged else KeysSaid)
    assert (world.spent, len(world.rows.reads)) == (EACH if charged else 0, reads)
    assert world.region.ledger.book.vectors == sent
    assert isinstance(Attempt(attempts, number=2).through(), SharesSaid)
    assert world.spent == EACH * (1 + charged)


@pytest.mark.parametrize("fault", ["lost_request", "lost_reply"])
def test_an_outage_that_is_known_costs_nothing(world: World, fault: Fault) -> None:
    attempt = Attempt(world.attempts())
    attempt.through("share")
    world.befall(fault)
    assert world.witnesses.watch() is not None
    assert why(attempt.send()) is Reason.UNWITNESSED
    assert (world.spent, world.rows.reads) == (0, [])
    assert why(Attempt(world.attempts(), run=LATER).begin()) is Reason.UNWITNESSED
    world.befall("none")
    assert isinstance(attempt.resend(), VectorSaid)
    assert world.spent == EACH


@pytest.mark.parametrize("fault", ["lost_request", "lost_reply"])
@pytest.mark.parametrize("step", ["debited", "attempted"])
def test_an_outage_after_the_debit_is_charged_once_and_one_vector_leaves(
    world: World, step: SecureStep, fault: Fault
) -> None:
    away = [True]

    def gone(reached: SecureStep) -> None:
        if reached == step and away.pop():
            world.befall(fault)

    attempt = Attempt(world.attempts(gone))
    attempt.through("share")
    assert why(attempt.send()) is Reason.UNWITNESSED
    assert why(attempt.resend()) is Reason.UNWITNESSED
    assert len(world.rows.reads) == int(step == "attempted")
    world.befall("none")
    away.append(False)
    assert isinstance(attempt.resend(), VectorSaid)
    assert why(attempt.resend()) is Reason.MALFORMED
    assert (world.spent, len(world.rows.reads)) == (EACH, 1)
    assert events(world) == ["asked", "debited", "attempted"]
    attempt.list_()
    assert isinstance(attempt.unmask(), SharesSaid)
    assert attempt.finish() == tuple(map(sum, zip(own(), others(attempt, "BB", "CC", "DD"), strict=True)))


def test_a_debit_in_hand_is_not_used_for_other_data_than_were_charged(world: World) -> None:
    attempt = Attempt(world.attempts(lambda step: world.befall("lost_request") if step == "debited" else None))
    attempt.through("share")
    attempt.send()
    world.befall("none")
    world.region.record_import("6" * 32, COHORT, PROGRAMME.codebook_hash)
    assert why(attempt.resend()) is Reason.NO_SNAPSHOT
    assert why(attempt.resend()) is Reason.MALFORMED, "it is over"
    assert (world.rows.reads, len(world.region.ledger.book.unanswered)) == ([], 1)


def test_what_changed_after_the_keys_counts_before_anything_is_charged(world: World) -> None:
    attempt, late = Attempt(world.attempts()), Attempt(world.attempts(), run=LATER)
    attempt.through("share")
    late.through("share")
    strict = national_study.region_policy(policy={"version": 2}, secure=None)
    assert isinstance(world.region.adopt_policy(strict), InForce)
    assert why(attempt.send()) is Reason.FORBIDDEN_KIND
    world.clock.now += 3601
    assert why(late.send()) is Reason.DEADLINE_PASSED
    assert (world.spent, world.rows.reads) == (0, [])
    assert events(world)[-2:] == ["refused", "refused"]


class Broken(Numbered):
    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        super().sums(snapshot, blocks)
        raise ValueError("household 4711")


class Silent(Numbered):
    def draw(self, cells: int, sigma: object) -> list[int]:
        raise OSError("no entropy")


@pytest.mark.parametrize("rows", [Broken(), Silent()], ids=["rows", "noise"])
def test_whatever_breaks_is_one_refusal_and_the_debit_stays(world: World, rows: Numbered) -> None:
    attempts = world.attempts(rows=rows, noise=rows)
    attempt = Attempt(attempts)
    attempt.through("share")
    assert attempt.send() is FAULT
    assert why(attempt.resend()) is Reason.MALFORMED
    assert (world.spent, len(rows.reads), attempts.running()) == (EACH, 1, ())
    assert len(world.region.ledger.book.unanswered) == 1
    assert "4711" not in str(world.journal)
    assert why(Attempt(attempts).begin()) is Reason.MALFORMED
    assert isinstance(Attempt(world.attempts(), number=2).through(), SharesSaid)


def test_each_round_is_gone_through_once(world: World) -> None:
    attempt = Attempt(world.attempts())
    attempt.through("begin")
    for name, wanted in (("share", BoxesSaid), ("send", VectorSaid)):
        assert isinstance(getattr(attempt, name)(), wanted)
        again = attempt.resend() if name == "send" else attempt.attempts.take(RUN, 1, _share(attempt)).reply
        assert why(again) is Reason.MALFORMED
    attempt.list_()
    assert why(attempt.resend()) is Reason.MALFORMED
    assert isinstance(attempt.unmask(), SharesSaid)
    assert why(attempt.say(Unmask(tuple(attempt.server.seen.values())))) is Reason.MALFORMED
    assert (world.spent, len(world.rows.reads)) == (EACH, 1)


def _share(attempt: Attempt) -> Share:
    assert attempt.server.participants is not None
    return Share(attempt.server.participants.to_bytes(), tuple(attempt.server.keys.values()))


def test_another_sharing_does_not_take_the_place_of_one_that_waits_for_witnesses(world: World) -> None:
    attempt = Attempt(world.attempts(lambda step: world.befall("lost_request") if step == "debited" else None))
    attempt.through("share")
    attempt.send()
    world.befall("none")
    boxes = {name: box for name, box in attempt.server.boxes_for("AA").items() if name != "DD"}
    del attempt.server.boxes["DD"]
    assert why(attempt.say(Send(attempt.server.name_sharing(), boxes))) is Reason.MALFORMED
    assert world.rows.reads == []


def test_an_attempt_is_begun_once_and_in_order(world: World) -> None:
    attempts = world.attempts()
    assert isinstance(Attempt(attempts, number=2).begin(), KeysSaid)
    for number in (1, 2):
        assert why(Attempt(attempts, number=number).begin()) is Reason.MALFORMED
    assert why(Attempt(attempts, number=3).begin()) is Reason.MALFORMED, "the programme allows two"
    assert isinstance(Attempt(attempts, run=LATER).begin(), KeysSaid)
    assert world.spent == 0


def test_an_order_is_what_it_says_it_is(world: World) -> None:
    attempt = Attempt(world.attempts())
    signed_programme = attempt.ordered.asked.signed
    plain = Begin(signed_order(signed_programme).to_bytes(), signed_programme.to_bytes())
    for number in (0, 1):
        assert why(attempt.attempts.take(RUN, number, plain).reply) is Reason.MALFORMED
    own_order = Begin(attempt.ordered.signed_order.to_bytes(), signed_programme.to_bytes())
    assert why(attempt.attempts.take(RUN, 2, own_order).reply) is Reason.MALFORMED
    assert why(attempt.attempts.take(LATER, 1, own_order).reply) is Reason.MALFORMED
    assert why(attempt.attempts.take(RUN, 1, Begin(b"", b"")).reply) is Reason.MALFORMED
    assert why(world.asked(attempt.ordered)) is Reason.MALFORMED, "an attempt is no answer"
    regional = attempt_order(small_study.planned(), run=LATER)
    asked = Begin(regional.signed_order.to_bytes(), regional.asked.signed.to_bytes())
    assert why(attempt.attempts.take(LATER, 1, asked).reply) is Reason.MALFORMED, "nothing in it is national"
    assert (world.spent, world.rows.reads) == (0, [])


def test_a_programme_that_is_all_national_has_no_answer_of_its_own(world: World) -> None:
    programme = national_study.planned(rho="0.1", national=("*",))
    assert why(world.ask(programme)) is Reason.MALFORMED
    assert isinstance(Attempt(world.attempts(), programme).through(), SharesSaid)
    assert world.spent == programme.charge.amount.nano


def test_a_node_without_national_statistics_in_its_policy_takes_no_part(tmp_path: Path) -> None:
    made = World(make_secure_home(tmp_path / "strict", secure=None), rows=Numbered())
    assert why(Attempt(made.attempts()).begin()) is Reason.FORBIDDEN_KIND
    assert events(made) == ["asked", "refused"]
    made.region.close()


def test_more_attempts_than_fit_in_memory_make_the_oldest_one_go(world: World) -> None:
    attempts = world.attempts()
    all_ = [Attempt(attempts, run=f"run-{number:016x}") for number in range(MOST_AT_ONCE + 1)]
    for one in all_:
        assert isinstance(one.begin(), KeysSaid)
    assert [one.run for one in attempts.running()] == [one.run for one in all_[1:]]
    assert why(all_[0].share()) is Reason.MALFORMED
    assert isinstance(all_[1].share(), BoxesSaid)


def test_other_orders_go_on_between_the_rounds(world: World) -> None:
    attempt, other = Attempt(world.attempts()), ordered(small_study.planned(), LATER)
    for name in ("begin", "share", "send", "list_"):
        getattr(attempt, name)()
        assert isinstance(world.asked(other), bytes)
    assert isinstance(attempt.unmask(), SharesSaid)


def test_a_contradiction_with_the_witnesses_stops_everything_and_nothing_is_logged(
    world: World, tmp_path: Path
) -> None:
    copy = world.copied(tmp_path / "copy")
    assert isinstance(world.asked(ordered(small_study.planned())), bytes)
    before = copy.region.ledger.head()
    assert copy.witnesses.watch() is not None
    assert why(Attempt(copy.attempts()).begin()) is Reason.BEHIND_WITNESSES
    assert copy.region.ledger.head() == before
    copy.region.close()
