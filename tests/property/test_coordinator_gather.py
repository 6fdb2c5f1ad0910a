"""Whatever happens in whatever order: nobody is asked without cause, and no answer is lost or replaced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordinator.gather import Asked, Gathering, State
from policies.rules.refusals import Reason, Refused

REGIONS = ("AA", "BB", "CC")
DEADLINE = 100
LATE = Refused(Reason.LATE, "")

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(("send", "answer", "repeat", "other", "refuse", "lose", "again", "again_all", "tick")),
        st.sampled_from(REGIONS),
    ),
    max_size=40,
)


def test_every_operation_is_drawn() -> None:
    drawn: set[str] = set()

    @given(OPERATIONS)
    def collect(operations: list[tuple[str, str]]) -> None:
        drawn.update(name for name, _ in operations)

    collect()
    assert len(drawn) == 9


@given(OPERATIONS)
def test_no_answer_is_lost_and_nobody_is_asked_twice(operations: list[tuple[str, str]]) -> None:
    run, now, kept = Gathering("run-00", REGIONS, DEADLINE), 0, set[str]()
    for name, region in operations:
        before = run.state(now)
        now += 20 * (name == "tick")
        run = _after(run, name, region, now)
        kept |= {region} if name == "answer" else set()
        assert run.answered == kept
        assert not run.answered & set(run.refused)
        assert run.again <= run.answered
        assert now <= DEADLINE or (run.to_send(REGIONS, now) == () and run.state(now) is not State.ASKING)
        if before is State.COMPLETE and not name.startswith("again"):
            assert run.state(now) is State.COMPLETE


def _after(run: Gathering, name: str, region: str, now: int) -> Gathering:
    match name:
        case "send":
            for chosen in run.to_send(REGIONS, now):
                assert run.asked(chosen) is Asked.WAITING
                run = run.order_sent(chosen)
            assert run.to_send(REGIONS, now) == ()
        case "answer" if region not in run.answered:
            return run.answer_kept(region)
        case "repeat" | "other" if region in run.answered:
            return run.answer_repeated(region, same=name == "repeat")
        case "refuse":
            return run.refusal_kept(region, LATE)
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
        run = run.answer_kept(region)
    assert run.state(DEADLINE) is State.ASKING
    run = run.refusal_kept("CC", LATE)
    assert run.state(DEADLINE) is State.COMPLETE
    assert run.state(DEADLINE + 1) is State.COMPLETE
    run = run.ask_again()
    assert run.state(DEADLINE) is State.ASKING
    assert run.state(DEADLINE + 1) is State.CLOSED
    assert run.answer_kept("CC").state(DEADLINE + 1) is State.COMPLETE


def test_a_region_that_is_away_is_sent_nothing() -> None:
    run = Gathering("run-00", REGIONS, DEADLINE)
    assert run.to_send({"BB", "ZZ"}, 0) == ("BB",)
    assert run.order_sent("BB").line_lost("BB").to_send({"BB"}, 0) == ("BB",)
