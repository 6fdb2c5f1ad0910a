"""The desk conducts attempts at national sums: when it begins, whom it waits for, and what it does when things fail."""

from __future__ import annotations

from pathlib import Path

from coordinator.gather import FIRST_PAUSE_S, Asked, State
from coordinator.secure.national import WAIT_S, Where
from policies.rules.refusals import Reason
from policies.secure.messages import Aborted, Begin, Done, ShowList
from tests.national_study import codes
from tests.secure_lines import TIMEOUT_S, World, is_exact, play, programme_of, refusing, silent


def test_four_honest_regions_have_their_sum_and_each_is_given_it_until_it_keeps_it(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["DD"].keeps = False
        await made.join()
        await made.submit()
        assert is_exact(made)
        progress = await made.progress()
        assert progress.state is State.COMPLETE
        assert {one.state for one in progress.regions} == {Asked.ANSWERED}
        assert progress.national is not None
        assert (progress.national.where, progress.national.attempt, progress.national.replied) == (Where.SUMMED, 1, 4)
        assert all(end.told(Done) == [1] for end in made.ends.values())
        await made.join("AA", "DD")
        assert made.ends["AA"].told(Done) == [1]
        assert made.ends["DD"].told(Done) == [1, 1]
        await made.restart()
        made.ends["DD"].keeps = True
        await made.join("DD")
        await made.join("DD")
        assert made.ends["DD"].told(Done) == [1, 1, 1]

    play(tmp_path, scenario)


def test_an_attempt_begins_once_n_less_d_are_on_the_line_and_waits_a_short_while_for_the_rest(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        await made.submit()
        await made.join("AA", "BB")
        await made.wait(60)
        assert (await made.national()).where is Where.WAITING
        await made.join("CC")
        await made.wait(WAIT_S - 1)
        assert made.attempts() == []
        await made.wait(1)
        assert made.sum() is None
        await made.wait(WAIT_S)
        found = made.sum()
        assert found is not None
        assert found.regions == ("AA", "BB", "CC")
        assert is_exact(made)
        await made.join("DD")
        assert made.ends["DD"].told(Done) == [1]

    play(tmp_path, scenario)


def test_whoever_comes_while_keys_are_gathered_takes_part(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        await made.submit()
        await made.join("AA", "BB", "CC")
        await made.wait(WAIT_S)
        assert made.ends["AA"].told(Begin) == [1]
        await made.join("DD")
        found = made.sum()
        assert found is not None
        assert found.regions == codes(4)

    play(tmp_path, scenario)


def test_who_says_not_yet_is_asked_again_and_nothing_is_used_up_meanwhile(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = refusing(Reason.AWAITING_APPROVAL)
        await made.join()
        await made.submit()
        await made.wait(TIMEOUT_S)
        progress = await made.progress()
        assert [one.state for one in progress.regions] == [Asked.SENT, Asked.PENDING, Asked.PENDING, Asked.SENT]
        assert progress.state is State.ASKING
        assert (await made.national()).where is Where.WAITING
        assert made.ends["BB"].told(Begin) == [1, 1]
        made.ends["BB"].says.clear()
        await made.wait(FIRST_PAUSE_S * 2)
        assert made.ends["BB"].told(Begin) == [1, 1, 1]
        found = made.sum()
        assert found is not None
        assert (found.attempt, found.regions) == (1, ("AA", "BB", "DD"))

    play(tmp_path, scenario)


def test_where_too_many_refuse_for_good_the_run_is_complete_until_it_is_asked_again(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = refusing(Reason.FORBIDDEN_KIND)
        await made.join()
        await made.submit()
        progress = await made.progress()
        assert progress.state is State.COMPLETE
        assert progress.national is not None
        assert "BB (forbidden_kind), CC (forbidden_kind)" in progress.national.sentence
        assert made.ends["AA"].told(Aborted) == []
        await made.restart()
        await made.join()
        assert (await made.progress()).state is State.COMPLETE
        made.ends["BB"].says.clear()
        await made.submit()
        await made.wait(WAIT_S)
        found = made.sum()
        assert found is not None
        assert (found.attempt, found.regions) == (1, ("AA", "BB", "DD"))

    play(tmp_path, scenario)


def test_a_number_that_was_begun_at_too_many_regions_before_gives_way_to_the_next(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = refusing(Reason.MALFORMED)
        await made.join()
        await made.submit()
        for region in ("BB", "CC"):
            made.ends[region].says.clear()
        await made.wait(1)
        await made.wait(WAIT_S)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "aborted"), (2, "summed")]

    play(tmp_path, scenario)


def test_at_the_deadline_nothing_is_begun_and_nobody_is_waited_for(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        await made.join("AA", "BB")
        await made.submit()
        await made.wait(made.programme.programme.deadline - made.time.now + 1)
        progress = await made.progress()
        assert progress.national is not None
        assert progress.national.where is Where.FAILED
        assert "deadline" in progress.national.sentence
        await made.join()
        await made.wait(WAIT_S)
        assert made.attempts() == []

    play(tmp_path, scenario)


def test_an_attempt_that_goes_on_at_the_deadline_is_brought_to_its_end(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[ShowList] = silent
        await made.join()
        await made.submit()
        made.time.now = made.programme.programme.deadline + 1
        await made.wait(1)
        assert (await made.progress()).state is State.CLOSED
        await made.wait(TIMEOUT_S)
        assert is_exact(made)
        assert (await made.progress()).state is State.COMPLETE
        assert [made.runs.closed.get_nowait() for _ in range(made.runs.closed.qsize())] == [made.run]

    play(tmp_path, scenario)


def test_a_run_of_both_kinds_is_complete_when_all_of_both_is_there(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        await made.join("AA", "BB", "CC")
        await made.submit()
        assert all(len(made.ends[region].orders) == 1 for region in ("AA", "BB", "CC"))
        await made.wait(WAIT_S)
        await made.wait(WAIT_S)
        assert is_exact(made)
        assert (await made.progress()).state is State.ASKING
        await made.join("DD")
        assert (await made.progress()).state is State.COMPLETE
        found = await made.runs.answered(made.run)
        assert (found.revision, found.signed_sum is not None, found.no_sum) == (5, True, "")

    play(tmp_path, scenario, programme_of(mixed=True))
