"""Finished sums at a node, and what a steward and the desk are told of attempts: prices, states, decisions."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rondgang.signed import Signed, sign

from node.approving import Heard, hear, proposal, waiting
from node.home import Home
from node.secure.sums import sum_file
from node.status import AttemptShown, attempts_of, status_of
from policies.documents import to_canonical
from policies.rules.approval import Approval
from policies.rules.entries import Summed
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import Aborted, AnyReply, KeysSaid, SumKept
from policies.secure.rounds import NationalSum
from tests import national_study
from tests.node_notes import Notes
from tests.node_world import DESK, RUN, STEWARD, World, ordered
from tests.secure_node import PROGRAMME, Attempt, Numbered, make_secure_home
from tests.secure_world import checkpoint_key
from tests.small_study import planned

OWN, EACH = PROGRAMME.charge.of_answer.nano, PROGRAMME.charge.of_attempt.nano
LATER = "run-" + "b" * 16


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


def why(reply: AnyReply | None) -> Reason:
    assert isinstance(reply, Refused), reply
    return reply.reason


def finished(world: World) -> Attempt:
    attempt = Attempt(world.attempts())
    attempt.through()
    return attempt


def test_a_finished_sum_is_stored_and_logged_once_and_costs_nothing(world: World) -> None:
    attempt = finished(world)
    document = attempt.sum_document()
    signed = sign("national_sum", to_canonical(document), DESK)
    assert attempt.done(document) == SumKept(signed.digest)
    size = world.region.ledger.head().size
    assert attempt.done(document) == SumKept(signed.digest)
    assert (world.region.ledger.head().size, world.spent) == (size, EACH)
    event = Summed(event="summed", programme=attempt.ordered.asked.digest, run=RUN, attempt=1, hash=signed.digest)
    assert world.region.ledger.last_entries(1)[0].body == event
    path = sum_file(world.home, RUN)
    assert Signed.from_bytes(path.read_bytes()) == signed
    assert path.stat().st_mode & 0o077 == 0
    world.restart()
    attempt.attempts = world.attempts()
    assert attempt.done(document) == SumKept(signed.digest)
    assert why(Attempt(world.attempts(), number=2).begin()) is Reason.MALFORMED, "the run has its sum"


def test_a_sum_of_others_is_kept_by_whoever_was_asked(world: World) -> None:
    """A region that was lost on the way gets the sum all the same, and is not in it."""
    attempt = Attempt(world.attempts())
    attempt.through("send")
    del attempt.server.vectors["AA"]
    survivors = attempt.server.name_survivors()
    for name in ("BB", "CC", "DD"):
        seen = attempt.played.parties[name].see(survivors)
        assert isinstance(seen, bytes)
        attempt.server.seen[name] = seen
    attempt.say(Aborted("You are late."))
    attempt.played.unmask()
    document = attempt.sum_document()
    assert document.regions == ("BB", "CC", "DD")
    assert isinstance(attempt.done(document), SumKept)


Change = Callable[[Attempt], Signed]


def _changed(**changes: object) -> Change:
    return lambda attempt: sign("national_sum", to_canonical(attempt.sum_document(**changes)), DESK)


def _fewer(attempt: Attempt) -> Signed:
    whole = attempt.sum_document()
    return sign("national_sum", to_canonical(whole.model_copy(update={"blocks": whole.blocks[1:]})), DESK)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda attempt: sign("national_sum", to_canonical(attempt.sum_document()), checkpoint_key("BB")),
         Reason.WRONG_ROLE),
        (lambda attempt: sign("national_sum", to_canonical(attempt.sum_document())), Reason.UNSIGNED),
        (lambda attempt: sign("survivors", to_canonical(attempt.sum_document()), DESK), Reason.MALFORMED),
        (_changed(run=LATER), Reason.MALFORMED),
        (_changed(attempt=2), Reason.MALFORMED),
        (_changed(programme="e" * 64), Reason.UNKNOWN_PROGRAMME),
        (_changed(cohort="c2"), Reason.MALFORMED),
        (_changed(regions=("AA", "BB")), Reason.MALFORMED),
        (_changed(taken_back={"AA": 2, "BB": 1, "CC": 1, "DD": 1}), Reason.MALFORMED),
        (_fewer, Reason.MALFORMED),
    ],
)  # fmt: skip
def test_a_sum_that_cannot_be_is_not_kept(world: World, change: Change, reason: Reason) -> None:
    attempt = finished(world)
    size = world.region.ledger.head().size
    assert why(attempt.done(signed=change(attempt))) is reason
    assert world.region.ledger.head().size == size
    assert not sum_file(world.home, RUN).exists()


def test_a_sum_in_which_this_region_has_no_part_as_it_knows_is_not_kept(world: World) -> None:
    attempt = finished(world)
    document = attempt.sum_document()
    second = document.model_copy(update={"attempt": 2})
    other = Attempt(attempt.attempts, number=2)
    assert why(other.done(second)) is Reason.MALFORMED


def test_a_second_sum_of_a_run_is_not_kept(world: World) -> None:
    attempt = finished(world)
    assert isinstance(attempt.done(), SumKept)
    changed = attempt.sum_document(taken_back=dict.fromkeys(("AA", "BB", "CC", "DD"), 0))
    assert changed.fits(PROGRAMME)
    assert why(attempt.done(changed)) is Reason.MALFORMED
    assert (
        NationalSum.model_validate_json(Signed.from_bytes(sum_file(world.home, RUN).read_bytes()).document) != changed
    )


def test_a_ledger_that_is_behind_takes_no_sum_in(world: World, tmp_path: Path) -> None:
    attempt = finished(world)
    copy = world.copied(tmp_path / "copy")
    assert isinstance(world.asked(ordered(planned(), LATER)), bytes)
    assert copy.witnesses.watch() is not None
    size, attempt.attempts = copy.region.ledger.head().size, copy.attempts()
    assert why(attempt.done()) is Reason.BEHIND_WITNESSES
    assert copy.region.ledger.head().size == size
    copy.region.close()


def test_a_quote_has_the_answer_and_one_attempt_until_each_is_there(world: World) -> None:
    def quoted() -> int:
        return world.answering().quote(ordered(PROGRAMME).asked).charge.nano

    assert quoted() == OWN + EACH
    assert isinstance(world.ask(PROGRAMME), bytes)
    assert quoted() == EACH
    assert isinstance(finished(world).done(), SumKept)
    assert quoted() == 0
    assert world.answering().quote(ordered(planned()).asked).charge == planned().charge.amount


def test_a_quote_of_a_programme_that_is_all_national_is_of_its_first_attempt(world: World) -> None:
    programme = national_study.planned(rho="0.1", national=("*",))
    found = world.answering().quote(ordered(programme).asked)
    assert (found.charge, found.refused) == (programme.charge.amount, None)
    dear = national_study.planned(rho="0.2", national=("*",))
    refused = world.answering().quote(ordered(dear).asked).refused
    assert refused is not None
    assert refused.reason is Reason.OVER_PROGRAMME_CAP, "two attempts come to 0.4"


def test_status_shows_how_far_every_attempt_came(world: World) -> None:
    def shown() -> list[tuple[str, int, str]]:
        logged = status_of(world.region).attempts
        assert all(isinstance(one, AttemptShown) for one in logged)
        return [(one.run, one.attempt, one.state) for one in attempts_of(logged, attempts.running())]

    attempts = world.attempts()
    first = Attempt(attempts)
    assert shown() == []
    first.begin()
    assert shown() == [(RUN, 1, "running")]
    first.share()
    first.send()
    first.say(Aborted("over"))
    assert shown() == [(RUN, 1, "sent")]
    second = Attempt(attempts, number=2)
    second.through()
    second.done()
    dead = Attempt(world.attempts(lambda step: world.befall("lost_request") if step == "debited" else None), run=LATER)
    dead.through("share")
    dead.send()
    assert shown() == [(RUN, 2, "summed"), (LATER, 1, "charged")]


def test_an_attempt_waits_for_the_steward_and_goes_on_after_a_yes(tmp_path: Path) -> None:
    made = World(make_secure_home(tmp_path / "aa", approval="steward"), rows=Numbered())
    attempt = Attempt(made.attempts())
    assert why(attempt.begin()) is Reason.AWAITING_APPROVAL
    (one,) = waiting(made.region).pending
    assert one.hash == attempt.ordered.asked.digest
    assert one.price.rho == PROGRAMME.most_charge.text(), "with every attempt"
    facts = {"region": "AA", "programme": one.hash, "decision": "approve", "decided": made.clock.now}
    word = sign("approval", to_canonical(Approval.model_validate(facts)), STEWARD)
    assert isinstance(hear(made.region, word.to_bytes()), Heard)
    assert isinstance(attempt.begin(), KeysSaid)
    made.region.close()


def test_a_programme_is_answered_for_the_steward_when_answer_and_sums_are_there(world: World) -> None:
    def state() -> str:
        found = proposal(world.region, ordered(PROGRAMME).asked.digest)
        return getattr(found, "state", "")

    assert isinstance(world.ask(PROGRAMME), bytes)
    assert state() == "allowed"
    assert isinstance(finished(world).done(), SumKept)
    assert state() == "answered"
