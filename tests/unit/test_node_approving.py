"""The steward's word: what is put before a steward, what a word changes, and whose word counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.signed import Signed, sign

from node.approving import FRESH_S, Heard, NotFound, Proposal, Unheard, hear, proposal, waiting
from node.operations import perform
from node.region import InForce
from policies.documents import to_canonical
from policies.rules.approval import DECLINED_SENTENCES, Approval, DeclineReason
from policies.rules.entries import Approved, Declined, Entry
from policies.rules.refusals import Reason, Refused
from policies.study.roster import Member
from tests.applicants import signing_key
from tests.node_world import (
    CHECKPOINT,
    COHORT,
    CONSORTIUM,
    REGION,
    RESEARCHER,
    STEWARD,
    World,
    make_home,
    member,
    ordered,
    put_snapshot,
    roster,
    signed_programme,
)
from tests.small_study import OPEN, hashes, heading, planned, region_policy

NAME = signed_programme(planned()).digest
ANOTHER = planned().model_copy(update={"programme": heading(id="another", purpose="Something else")})
NEXT_RUN = "run-00000000000000ff"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A region where the steward decides."""
    home = make_home(tmp_path / "home", approval="steward")
    put_snapshot(home)
    made = World(home)
    yield made
    made.region.close()


def word(
    decision: str = "approve",
    reason: DeclineReason | None = None,
    *,
    programme: str = NAME,
    key: SigningKey = STEWARD,
    at: int = OPEN,
    region: str = REGION,
) -> bytes:
    """A signed word on a programme."""
    fields = {"region": region, "programme": programme, "decision": decision, "reason": reason, "decided": at}
    return sign("approval", to_canonical(Approval.model_validate(fields)), key).to_bytes()


def refused(outcome: bytes | Refused) -> Reason | None:
    return outcome.reason if isinstance(outcome, Refused) else None


def found(world: World, programme: str = NAME) -> Proposal:
    one = proposal(world.region, programme)
    assert isinstance(one, Proposal)
    return one


def decisions(world: World) -> list[Approved | Declined]:
    entries: tuple[Entry, ...] = world.region.ledger.last_entries(1000)
    return [entry.body for entry in entries if isinstance(entry.body, Approved | Declined)]


def hashes_of(world: World) -> list[str]:
    return [one.hash for one in waiting(world.region).pending]


def test_what_waits_is_shown_in_full_before_anything_is_charged_or_read(world: World) -> None:
    world.clock.now = OPEN + 5
    assert refused(world.ask()) is Reason.AWAITING_APPROVAL
    world.clock.now = OPEN + 50
    assert refused(world.ask(run=NEXT_RUN)) is Reason.AWAITING_APPROVAL
    (one,) = waiting(world.region).pending
    asked = planned()
    assert (one.hash, one.state, one.came, one.charged) == (NAME, "pending", OPEN + 5, False)
    assert (one.purpose, one.requester, one.researcher) == ("To have something small to check", "Tests", "researcher")
    assert (one.cohort, one.regions, one.deadline) == (COHORT, 3, asked.programme.deadline)
    assert one.price.rho == asked.charge.amount.text()
    left = (500_000_000 - asked.charge.rho, 800_000_000 - asked.charge.rho)
    assert (one.left_cohort.rho, one.left_lifetime.rho) == tuple(f"{nano / 10**9:.9f}".rstrip("0") for nano in left)
    assert [question.statistic for question in one.questions] == list(asked.statistics)
    change = next(one for one in one.questions if one.statistic.id == "change")
    assert set(change.variables) == {"state", "profile"}
    assert (world.spent, world.rows.reads) == (0, [])


def test_an_approved_programme_is_answered_in_every_run_and_paid_for_once(world: World) -> None:
    world.ask()
    book = world.region.ledger.book
    heard = hear(world.region, word())
    assert heard == Heard(word="approved", programme=NAME, new=True, charged=False, entry=book.size - 1, leaf=book.head)
    assert found(world).state == "approved"
    assert hashes_of(world) == []
    first = world.ask()
    assert isinstance(first, bytes)
    assert world.ask(run=NEXT_RUN) == first
    assert world.spent == planned().charge.rho
    assert found(world).state == "answered"
    assert refused(world.ask(ANOTHER)) is Reason.AWAITING_APPROVAL


def test_the_ledger_holds_the_word_and_the_document_it_rests_on_also_after_a_restart(world: World) -> None:
    world.ask()
    said = word("decline", "detail")
    hear(world.region, said)
    (entry,) = decisions(world)
    assert isinstance(entry, Declined)
    assert (entry.programme, entry.reason) == (NAME, "detail")
    assert world.region.ledger.document("approval", entry.approval) == Signed.from_bytes(said)
    world.restart()
    assert (found(world).state, found(world).reason) == ("declined", "detail")
    assert refused(world.ask()) is Reason.DECLINED


@pytest.mark.parametrize("why", get_args(DeclineReason))
def test_whoever_asked_is_told_one_of_a_few_reasons(world: World, why: DeclineReason) -> None:
    world.ask()
    hear(world.region, word("decline", why))
    assert world.ask() == Refused(Reason.DECLINED, DECLINED_SENTENCES[why])


def test_a_steward_may_change_their_mind_until_the_answer_is_there(world: World) -> None:
    world.ask()
    for said, expected in (
        (word("decline", "price"), Reason.DECLINED),
        (word("decline", "timing"), Reason.DECLINED),
        (word(), None),
    ):
        assert isinstance(hear(world.region, said), Heard)
        assert refused(world.ask()) is expected
    assert hear(world.region, word("decline", "price")) == Unheard(why="answered", programme=NAME)
    assert isinstance(world.ask(), bytes)
    assert len(decisions(world)) == 3


def test_refusing_what_was_charged_and_not_answered_stops_a_second_charge(world: World) -> None:
    world.ask()
    hear(world.region, word())
    # The witnesses are there when the node looks, and gone when the debit is to be cosigned: it stays in hand.
    broken = world.answering(steps=lambda step: world.befall("lost_request") if step == "debited" else None)
    (outcome,) = broken.answer([ordered(planned())])
    assert refused(outcome) is Reason.UNWITNESSED
    world.befall("none")
    world.restart()
    paid = world.spent
    assert paid == planned().charge.rho
    assert (found(world).state, found(world).charged) == ("approved", True)
    outcome_of_word = hear(world.region, word("decline", "other"))
    assert isinstance(outcome_of_word, Heard)
    assert (outcome_of_word.word, outcome_of_word.new, outcome_of_word.charged) == ("declined", True, True)
    assert refused(world.ask()) is Reason.DECLINED
    assert world.spent == paid


def test_the_same_word_again_is_no_new_entry(world: World) -> None:
    world.ask()
    for at in (OPEN, OPEN + 1):
        hear(world.region, word(at=at))
    assert len(decisions(world)) == 1
    said: list[DeclineReason] = ["price", "price", "detail"]
    outcomes = [hear(world.region, word("decline", why)) for why in said]
    assert [isinstance(one, Heard) and one.new for one in outcomes] == [True, False, True]


def test_an_earlier_word_is_not_repeated_behind_the_stewards_back(world: World) -> None:
    world.ask()
    yes = word()
    hear(world.region, yes)
    hear(world.region, word("decline", "purpose", at=OPEN + 1))
    assert hear(world.region, yes) == Unheard(why="stale", programme=NAME)
    assert refused(world.ask()) is Reason.DECLINED
    assert isinstance(hear(world.region, word(at=OPEN + 2)), Heard)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"{}", "malformed"),
        (sign("policy", to_canonical(region_policy()), STEWARD).to_bytes(), "malformed"),
        (sign("approval", to_canonical(region_policy()), STEWARD).to_bytes(), "malformed"),
        (word(region="BB"), "other_region"),
        (word(key=CHECKPOINT), "not_steward"),
        (word(key=RESEARCHER), "not_steward"),
        (word(key=signing_key("a stranger")), "not_steward"),
        (word(at=OPEN - FRESH_S - 1), "stale"),
        (word(at=OPEN + FRESH_S + 1), "stale"),
        (word(programme="0" * 64), "unknown"),
    ],
)
def test_a_word_that_is_not_this_stewards_fresh_word_changes_nothing(world: World, said: bytes, why: str) -> None:
    world.ask()
    outcome = hear(world.region, said)
    assert isinstance(outcome, Unheard)
    assert outcome.why == why
    assert decisions(world) == []
    assert refused(world.ask()) is Reason.AWAITING_APPROVAL


def test_what_the_rules_forbid_is_not_put_before_a_steward_and_cannot_be_approved(world: World) -> None:
    dear = planned(rho="0.31")
    name = signed_programme(dear).digest
    assert refused(world.ask(dear)) is Reason.OVER_PROGRAMME_CAP
    assert hashes_of(world) == []
    outcome = hear(world.region, word(programme=name))
    assert isinstance(outcome, Unheard)
    assert (outcome.why, outcome.reason) == ("refused", "over_programme_cap")
    assert "Lower the price" in outcome.sentence
    assert isinstance(hear(world.region, word("decline", "price", programme=name)), Heard)
    assert refused(world.ask(dear)) is Reason.OVER_PROGRAMME_CAP


def test_what_no_longer_waits_is_no_longer_shown(world: World) -> None:
    world.ask()
    world.ask(ANOTHER)
    assert len(hashes_of(world)) == 2
    hear(world.region, word("decline", "other"))
    assert hashes_of(world) == [signed_programme(ANOTHER).digest]
    world.clock.now = planned().programme.deadline + 1
    assert hashes_of(world) == []


def test_an_approval_counts_under_a_later_policy_and_a_no_does_too(world: World) -> None:
    world.ask()
    world.ask(ANOTHER)
    hear(world.region, word())
    hear(world.region, word("decline", "other", programme=signed_programme(ANOTHER).digest))
    for version, approval in ((2, "automatic"), (3, "steward")):
        policy = region_policy(policy={"version": version}, approval=approval)
        assert isinstance(world.region.adopt_policy(policy), InForce)
        assert found(world).state == "approved"
        assert refused(world.ask(ANOTHER)) is Reason.DECLINED
    assert isinstance(world.ask(), bytes)


def test_a_steward_of_their_own_on_the_roster_may_decide_until_revoked(world: World) -> None:
    world.ask()
    world.ask(ANOTHER)
    own = signing_key("a steward of their own")
    steward = member(Role.STEWARD, {"steward": own}, region=REGION, name="De gegevensbeheerder")
    elsewhere = member(Role.STEWARD, {"steward": signing_key("of BB")}, region="BB", name="BB's")
    _adopt(world, 2, steward, elsewhere)
    assert isinstance(hear(world.region, word(key=own)), Heard)
    outcome = hear(world.region, word("decline", "other", key=signing_key("of BB")))
    assert (isinstance(outcome, Unheard) and outcome.why) == "not_steward"
    _adopt(world, 3, steward.model_copy(update={"revoked": True}))
    late = hear(world.region, word(programme=signed_programme(ANOTHER).digest, key=own))
    assert (isinstance(late, Unheard) and late.why) == "not_steward"
    assert isinstance(world.ask(), bytes), "what was approved in time stays approved"


def _adopt(world: World, serial: int, *more: Member) -> None:
    document = roster(*more, serial=serial)
    assert isinstance(world.region.adopt(sign("roster", to_canonical(document), CONSORTIUM).to_bytes()), InForce)


def test_a_new_snapshot_is_a_new_charge_and_needs_no_new_approval(world: World) -> None:
    world.ask()
    hear(world.region, word())
    world.ask()
    world.region.record_import("6" * 32, COHORT, hashes()[0])
    assert found(world).state == "approved"
    assert isinstance(world.ask(), bytes)
    assert world.spent == 2 * planned().charge.rho


def test_a_programme_is_found_by_the_first_digits_of_its_hash(world: World) -> None:
    world.ask()
    assert found(world, NAME[:8]).hash == NAME
    for given in (NAME[:7], "zz" * 8, NAME[:8].upper(), "0" * 8, ""):
        assert proposal(world.region, given) == NotFound()


def test_what_is_told_is_the_same_over_the_control_channel(world: World) -> None:
    """As JSON and back: a serving node answers in text."""
    world.ask()
    one = found(world)
    assert Proposal.model_validate_json(perform(world.region, "proposal", {"programme": NAME}).model_dump_json()) == one
    assert "variables" in one.model_dump_json()


def test_a_researcher_who_was_revoked_is_no_longer_worth_a_decision(world: World) -> None:
    world.ask()
    kept = [one for one in roster().members if one.role is not Role.RESEARCHER]
    gone = next(one for one in roster().members if one.role is Role.RESEARCHER).model_copy(update={"revoked": True})
    document = roster(serial=2).model_copy(update={"members": (*kept, gone)})
    world.region.adopt(sign("roster", to_canonical(document), CONSORTIUM).to_bytes())
    assert hashes_of(world) == []
    assert (found(world).state, found(world).refused) == ("refused", "revoked")
