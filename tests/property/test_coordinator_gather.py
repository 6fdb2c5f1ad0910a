"""Whatever happens in whatever order: nobody is asked without cause, no answer is lost or replaced, and a region that
said "not yet" is neither forgotten nor pestered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordinator.gather import FIRST_PAUSE_S, LONGEST_PAUSE_S, TEMPORARY, Asked, Gathering, State
from policies.rules.refusals import Reason, Refused

REGIONS = ("AA", "BB", "CC")
DEADLINE = 100
OVER = Refused(Reason.OVER_COHORT_CAP, "")
LATE = Refused(Reason.LATE, "")
NAMES = ("send", "answer", "repeat", "other", "refuse", "not_yet", "lose", "again", "again_all", "tick")

OPERATIONS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(REGIONS)), max_size=40)


def test_every_operation_is_drawn() -> None:
    drawn: set[str] = set()

    @given(OPERATIONS)
    def collect(operations: list[tuple[str, str]]) -> None:
        drawn.update(name for name, _ in operations)

    collect()
    assert drawn == set(NAMES)


@given(OPERATIONS)
def test_no_answer_is_lost_and_nobody_is_asked_twice(operations: list[tuple[str, str]]) -> None:
    run, now, kept = Gathering("run-00", REGIONS, DEADLINE), 0, set[str]()
    for name, region in operations:
        before = run.state(now)
        now += 3 * (name == "tick")
        run = _after(run, name, region, now)
        kept |= {region} if name == "answer" else set()
        assert run.answered == kept
        assert not run.answered & set(run.refused)
        assert run.again <= run.answered
        assert set(run.retries) <= run.pending <= set(run.refused)
        assert run.state(now) is not State.COMPLETE or not run.pending
        assert all(run.asked(one) is Asked.PENDING for one in run.pending)
        assert now <= DEADLINE or (run.to_send(REGIONS, now) == () and run.state(now) is not State.ASKING)
        if before is State.COMPLETE and not name.startswith("again"):
            assert run.state(now) is State.COMPLETE


def _after(run: Gathering, name: str, region: str, now: int) -> Gathering:
    match name:
        case "send":
            for chosen in run.to_send(REGIONS, now):
                assert run.asked(chosen) in (Asked.WAITING, Asked.PENDING)
                run = run.order_sent(chosen)
            assert run.to_send(REGIONS, now) == ()
        case "answer" if region not in run.answered:
            return run.answer_kept(region, 1)
        case "repeat" | "other" if region in run.answered:
            return run.answer_repeated(region, same=name == "repeat")
        case "refuse":
            return run.refusal_kept(region, OVER, now)
        case "not_yet":
            return run.refusal_kept(region, LATE, now)
        case "lose":
            return run.line_lost(region)
        case "again":
            return run.ask_again()
        case "again_all":
            return run.ask_again(REGIONS)
    return run


def test_the_states_are_those_of_the_drawing() -> None:
    run = Gathering("run-00", REGIONS, DEADLINE)
    assert run.state(DEADLINE) is State.ASKING
    assert run.state(DEADLINE + 1) is State.CLOSED
    for region in REGIONS[:-1]:
        run = run.answer_kept(region, 1)
    assert run.state(DEADLINE) is State.ASKING
    run = run.refusal_kept("CC", OVER, 0)
    assert run.state(DEADLINE) is State.COMPLETE
    assert run.state(DEADLINE + 1) is State.COMPLETE
    run = run.ask_again()
    assert run.state(DEADLINE) is State.ASKING
    assert run.state(DEADLINE + 1) is State.CLOSED
    assert run.answer_kept("CC", 1).state(DEADLINE + 1) is State.COMPLETE


def test_a_region_that_is_away_is_sent_nothing() -> None:
    run = Gathering("run-00", REGIONS, DEADLINE)
    assert run.to_send({"BB", "ZZ"}, 0) == ("BB",)
    assert run.order_sent("BB").line_lost("BB").to_send({"BB"}, 0) == ("BB",)


@given(st.sampled_from(sorted(TEMPORARY, key=lambda reason: reason.value)), st.integers(1, 12), st.integers(0, 10**9))
def test_who_said_not_yet_is_asked_again_after_a_pause_that_doubles_to_its_longest(
    reason: Reason, times: int, now: int
) -> None:
    run, pauses = Gathering("run-00", ("AA",), now + 10**6), []
    for _ in range(times):
        assert run.to_send({"AA"}, now) == ("AA",)
        run = run.order_sent("AA").refusal_kept("AA", Refused(reason, ""), now)
        assert run.asked("AA") is Asked.PENDING
        assert run.state(now) is State.ASKING
        pause = next(pause for pause in range(1, LONGEST_PAUSE_S + 1) if run.to_send({"AA"}, now + pause))
        assert run.to_send({"AA"}, now + pause - 1) == ()
        pauses.append(pause)
        now += pause
    first = TEMPORARY[reason]
    assert pauses == [min(LONGEST_PAUSE_S, first * 2**i) for i in range(times)]
    assert FIRST_PAUSE_S <= first <= LONGEST_PAUSE_S


def test_a_region_that_comes_back_is_asked_again_at_once_and_its_next_pause_is_short_again() -> None:
    run = Gathering("run-00", ("AA",), DEADLINE)
    for _ in range(3):
        run = run.order_sent("AA").refusal_kept("AA", LATE, 10)
    assert run.to_send({"AA"}, 12) == ()
    run = run.line_lost("AA")
    assert run.to_send({"AA"}, 12) == ("AA",)
    run = run.order_sent("AA").refusal_kept("AA", LATE, 12)
    assert run.to_send({"AA"}, 12 + FIRST_PAUSE_S) == ("AA",)


def test_an_approval_that_nobody_asked_for_again_is_taken_in() -> None:
    """The steward approves while the order waits at the node, which answers by itself."""
    run = Gathering("run-00", ("AA", "BB"), DEADLINE).answer_kept("BB", 1).order_sent("AA")
    run = run.refusal_kept("AA", Refused(Reason.AWAITING_APPROVAL, ""), 1)
    assert (run.state(1), run.asked("AA")) == (State.ASKING, Asked.PENDING)
    approved, declined = run.answer_kept("AA", 1), run.refusal_kept("AA", Refused(Reason.DECLINED, ""), 2)
    assert (approved.state(2), approved.asked("AA"), approved.retries) == (State.COMPLETE, Asked.ANSWERED, {})
    assert (declined.state(2), declined.asked("AA"), declined.retries) == (State.COMPLETE, Asked.REFUSED, {})


def test_at_the_deadline_a_pending_region_is_left_and_a_submit_asks_it_at_once() -> None:
    run = Gathering("run-00", ("AA",), DEADLINE).order_sent("AA").refusal_kept("AA", LATE, DEADLINE - 1)
    assert run.state(DEADLINE + 1) is State.CLOSED
    assert run.to_send({"AA"}, DEADLINE + LONGEST_PAUSE_S) == ()
    assert run.ask_again().to_send({"AA"}, DEADLINE) == ("AA",)


def test_a_desk_that_starts_anew_asks_who_was_pending_at_once() -> None:
    run = Gathering("run-00", ("AA", "BB"), DEADLINE, refused={"AA": LATE, "BB": OVER})
    assert run.to_send(REGIONS, 0) == ("AA",)
