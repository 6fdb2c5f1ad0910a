"""The desk conducts attempts at national sums: when it begins, whom it waits for, and what it does when things fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from coordinator.gather import FIRST_PAUSE_S, Asked, State
from coordinator.secure.messages import (
    Begin,
    BoxesSaid,
    Done,
    KeysSaid,
    Over,
    Round,
    Send,
    Share,
    ShowList,
    Unmask,
    VectorSaid,
)
from coordinator.secure.national import WAIT_S, Where
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Programme, Secure
from tests.national_study import codes
from tests.secure_lines import TIMEOUT_S, World, world
from tests.secure_world import Sums, national

ROUNDS: tuple[type[Round], ...] = (Share, Send, ShowList, Unmask)
"""What the desk says in the rounds after the first."""
Scenario = Callable[[World], Coroutine[None, None, None]]


def _programme(attempts: int = 2, *, mixed: bool = False) -> Programme:
    made = national(4, Secure(colluders=1, dropouts=1, attempts=attempts))
    if not mixed:
        return made
    own, *rest = made.blocks
    return made.model_copy(update={"blocks": (own.model_copy(update={"mode": "regional"}), *rest)})


def _sums(place: int) -> Sums:
    return {"block_0": (place, -place, 7), "block_1": (10 * place, 0)}


def _play(folder: Path, scenario: Scenario, programme: Programme | None = None) -> None:
    async def played() -> None:
        sums = {region: _sums(place) for place, region in enumerate(codes(4), 1)}
        async with world(folder, programme or _programme(), sums) as made:
            await scenario(made)

    asyncio.run(played())


def _is_exact(made: World) -> bool:
    """Whether the finished sum is that of its regions, to the last digit."""
    found = made.sum()
    assert found is not None
    wanted = [
        [sum(column) for column in zip(*(made.ends[region].sums[block.id] for region in found.regions), strict=True)]
        for block in found.blocks
    ]
    return [list(block.numbers()) for block in found.blocks] == wanted


def _silent(_said: Round) -> None:
    return None


def _refusing(reason: Reason) -> Callable[[Round], Refused]:
    return lambda _said: Refused(reason, "")


def test_four_honest_regions_have_their_sum_and_each_is_given_it_until_it_keeps_it(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["DD"].keeps = False
        await made.join()
        await made.submit()
        assert _is_exact(made)
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

    _play(tmp_path, scenario)


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
        assert _is_exact(made)
        await made.join("DD")
        assert made.ends["DD"].told(Done) == [1]

    _play(tmp_path, scenario)


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

    _play(tmp_path, scenario)


@pytest.mark.parametrize("silent", ROUNDS, ids=lambda kind: kind.__name__)
def test_who_says_nothing_is_out_after_the_public_time(tmp_path: Path, silent: type[Round]) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[silent] = _silent
        await made.join()
        await made.submit()
        await made.wait(TIMEOUT_S - 1)
        assert made.sum() is None
        await made.wait(1)
        assert _is_exact(made)
        assert made.ends["BB"].told(Over) == ([] if silent is Unmask else [1])
        assert [record.state for record in made.attempts()] == ["summed"]

    _play(tmp_path, scenario)


@pytest.mark.parametrize("silent", ROUNDS, ids=lambda kind: kind.__name__)
def test_too_few_end_the_attempt_by_name_and_the_next_is_announced_before_it_begins(
    tmp_path: Path, silent: type[Round]
) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[silent] = _silent
        await made.join()
        await made.submit()
        await made.wait(TIMEOUT_S)
        told = await made.national()
        assert (told.where, told.attempt, told.attempts) == (Where.WAITING, 2, 2)
        assert "Missing: BB (no reply in time), CC (no reply in time)." in told.sentence
        assert made.ends["AA"].told(Begin) == [1]
        assert all(end.told(Over)[-1] == 1 for end in made.ends.values())
        for region in ("BB", "CC"):
            made.ends[region].says.clear()
        await made.wait(WAIT_S)
        assert _is_exact(made)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "aborted"), (2, "summed")]
        assert made.ends["AA"].told(Begin) == [1, 2]

    _play(tmp_path, scenario)


def test_when_all_attempts_are_used_up_the_run_is_complete_and_says_why(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Send] = _silent
        await made.join()
        await made.submit()
        for _ in range(2):
            await made.wait(TIMEOUT_S)
            await made.wait(WAIT_S)
        progress = await made.progress()
        assert progress.state is State.COMPLETE
        assert progress.national is not None
        assert progress.national.where is Where.FAILED
        assert (await made.runs.answered(made.run)).no_sum == progress.national.sentence
        await made.submit()
        assert made.ends["AA"].told(Begin) == [1, 2]
        assert (await made.national()).where is Where.FAILED

    _play(tmp_path, scenario)


def test_who_says_not_yet_is_asked_again_and_nothing_is_used_up_meanwhile(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = _refusing(Reason.AWAITING_APPROVAL)
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

    _play(tmp_path, scenario)


def test_where_too_many_refuse_for_good_the_run_is_complete_until_it_is_asked_again(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = _refusing(Reason.FORBIDDEN_KIND)
        await made.join()
        await made.submit()
        progress = await made.progress()
        assert progress.state is State.COMPLETE
        assert progress.national is not None
        assert "BB (forbidden_kind), CC (forbidden_kind)" in progress.national.sentence
        assert made.ends["AA"].told(Over) == []
        await made.restart()
        await made.join()
        assert (await made.progress()).state is State.COMPLETE
        made.ends["BB"].says.clear()
        await made.submit()
        await made.wait(WAIT_S)
        found = made.sum()
        assert found is not None
        assert (found.attempt, found.regions) == (1, ("AA", "BB", "DD"))

    _play(tmp_path, scenario)


def test_a_number_that_was_begun_at_too_many_regions_before_gives_way_to_the_next(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = _refusing(Reason.MALFORMED)
        await made.join()
        await made.submit()
        for region in ("BB", "CC"):
            made.ends[region].says.clear()
        await made.wait(1)
        await made.wait(WAIT_S)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "aborted"), (2, "summed")]

    _play(tmp_path, scenario)


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

    _play(tmp_path, scenario)


def test_an_attempt_that_goes_on_at_the_deadline_is_brought_to_its_end(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[ShowList] = _silent
        await made.join()
        await made.submit()
        made.time.now = made.programme.programme.deadline + 1
        await made.wait(1)
        assert (await made.progress()).state is State.CLOSED
        await made.wait(TIMEOUT_S)
        assert _is_exact(made)
        assert (await made.progress()).state is State.COMPLETE
        assert [made.runs.closed.get_nowait() for _ in range(made.runs.closed.qsize())] == [made.run]

    _play(tmp_path, scenario)


@pytest.mark.parametrize("stopped", ROUNDS, ids=lambda kind: kind.__name__)
def test_a_desk_that_is_stopped_in_a_round_begins_another_attempt(tmp_path: Path, stopped: type[Round]) -> None:
    async def scenario(made: World) -> None:
        for end in made.ends.values():
            end.says[stopped] = _silent
        await made.join()
        await made.submit()
        await made.restart()
        for end in made.ends.values():
            end.says.clear()
        await made.join()
        assert all(end.told(Over) == [1] for end in made.ends.values())
        assert (await made.national()).attempt == 2
        assert made.ends["AA"].told(Begin) == [1]
        await made.wait(WAIT_S)
        assert _is_exact(made)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "aborted"), (2, "summed")]

    _play(tmp_path, scenario)


def test_a_desk_that_is_stopped_while_it_gathers_keys_goes_on_with_that_attempt(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = _refusing(Reason.UNWITNESSED)
        await made.join()
        await made.submit()
        made.time.now += 60
        await made.restart()
        for region in ("BB", "CC"):
            made.ends[region].says.clear()
        await made.join()
        assert _is_exact(made)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "summed")]
        first, *_, last = [said for _, said in made.ends["BB"].heard if isinstance(said, Begin)]
        assert first == last

    _play(tmp_path, scenario)


def test_a_region_without_witnesses_may_send_its_vector_a_little_later(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[Send] = _refusing(Reason.UNWITNESSED)
        await made.join()
        await made.submit()
        await made.wait(1)
        made.ends["BB"].says.clear()
        await made.wait(1)
        found = made.sum()
        assert found is not None
        assert found.regions == codes(4)

    _play(tmp_path, scenario)


@pytest.mark.parametrize("lost", ROUNDS, ids=lambda kind: kind.__name__)
def test_a_line_that_breaks_is_not_waited_for(tmp_path: Path, lost: type[Round]) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[lost] = _silent
        await made.join()
        await made.submit()
        assert made.sum() is None
        await made.leave("BB")
        assert _is_exact(made)
        await made.join("BB")
        assert made.ends["BB"].told(Done) == [1]

    _play(tmp_path, scenario)


def test_keys_of_a_region_that_left_are_asked_for_again(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["DD"].says[Begin] = _silent
        await made.join()
        await made.submit()
        await made.leave("AA")
        await made.join("AA")
        assert made.ends["AA"].told(Begin) == [1, 1]
        made.ends["DD"].says.clear()
        await made.wait(TIMEOUT_S)
        assert _is_exact(made)

    _play(tmp_path, scenario)


def test_rubbish_and_strangers_change_nothing(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[Send] = lambda _said: VectorSaid(b"short")
        made.ends["CC"].says[Unmask] = _silent
        await made.join()
        made.say("AA", 1, KeysSaid(b"before the run"))
        await made.submit()
        made.say("AA", 7, BoxesSaid({}))
        made.say("ZZ", 1, VectorSaid(b""))
        made.runs.national.take("AA", "run-none", 1, BoxesSaid({}))
        await made.wait(TIMEOUT_S)
        told = await made.national()
        assert "BB (another length), CC (no reply in time)" in told.sentence

    _play(tmp_path, scenario)


def test_a_run_of_both_kinds_is_complete_when_all_of_both_is_there(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        await made.join("AA", "BB", "CC")
        await made.submit()
        assert all(len(made.ends[region].orders) == 1 for region in ("AA", "BB", "CC"))
        await made.wait(WAIT_S)
        await made.wait(WAIT_S)
        assert _is_exact(made)
        assert (await made.progress()).state is State.ASKING
        await made.join("DD")
        assert (await made.progress()).state is State.COMPLETE
        found = await made.runs.answered(made.run)
        assert (found.revision, found.signed_sum is not None, found.no_sum) == (5, True, "")

    _play(tmp_path, scenario, _programme(mixed=True))
