"""Attempts at national sums in which something goes wrong: silence, rubbish, broken lines, a desk that is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.gather import State
from coordinator.secure.national import WAIT_S, Where
from node.secure.party import Party
from policies.rules.refusals import Reason
from policies.secure.messages import (
    Aborted,
    Begin,
    BoxesSaid,
    Done,
    KeysSaid,
    Round,
    Send,
    ShowList,
    Unmask,
    VectorSaid,
)
from tests.national_study import codes
from tests.secure_lines import ROUNDS, TIMEOUT_S, End, World, is_exact, play, refusing, silent
from tests.secure_play import reply_to
from tests.secure_world import NoNoise


@pytest.mark.parametrize("kind", ROUNDS, ids=lambda kind: kind.__name__)
def test_who_says_nothing_is_out_after_the_public_time(tmp_path: Path, kind: type[Round]) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[kind] = silent
        await made.join()
        await made.submit()
        await made.wait(TIMEOUT_S - 1)
        assert made.sum() is None
        await made.wait(1)
        assert is_exact(made)
        assert made.ends["BB"].told(Aborted) == ([] if kind is Unmask else [1])
        assert [record.state for record in made.attempts()] == ["summed"]

    play(tmp_path, scenario)


@pytest.mark.parametrize("kind", ROUNDS, ids=lambda kind: kind.__name__)
def test_too_few_end_the_attempt_by_name_and_the_next_is_announced_before_it_begins(
    tmp_path: Path, kind: type[Round]
) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[kind] = silent
        await made.join()
        await made.submit()
        await made.wait(TIMEOUT_S)
        told = await made.national()
        assert (told.where, told.attempt, told.attempts) == (Where.WAITING, 2, 2)
        assert "Missing: BB (no reply in time), CC (no reply in time)." in told.sentence
        assert made.ends["AA"].told(Begin) == [1]
        assert all(end.told(Aborted)[-1] == 1 for end in made.ends.values())
        for region in ("BB", "CC"):
            made.ends[region].says.clear()
        await made.wait(WAIT_S)
        assert is_exact(made)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "aborted"), (2, "summed")]
        assert made.ends["AA"].told(Begin) == [1, 2]

    play(tmp_path, scenario)


def test_when_all_attempts_are_used_up_the_run_is_complete_and_says_why(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Send] = silent
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

    play(tmp_path, scenario)


@pytest.mark.parametrize("kind", ROUNDS, ids=lambda kind: kind.__name__)
def test_a_desk_that_is_stopped_in_a_round_begins_another_attempt(tmp_path: Path, kind: type[Round]) -> None:
    async def scenario(made: World) -> None:
        for end in made.ends.values():
            end.says[kind] = silent
        await made.join()
        await made.submit()
        await made.restart()
        for end in made.ends.values():
            end.says.clear()
        await made.join()
        assert all(end.told(Aborted) == [1] for end in made.ends.values())
        assert (await made.national()).attempt == 2
        assert made.ends["AA"].told(Begin) == [1]
        await made.wait(WAIT_S)
        assert is_exact(made)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "aborted"), (2, "summed")]

    play(tmp_path, scenario)


def test_a_desk_that_is_stopped_while_it_gathers_keys_goes_on_with_that_attempt(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        for region in ("BB", "CC"):
            made.ends[region].says[Begin] = refusing(Reason.UNWITNESSED)
        await made.join()
        await made.submit()
        parties = {region: made.ends[region].party for region in ("AA", "DD")}
        made.time.now += 60
        await made.restart()
        for region in ("BB", "CC"):
            made.ends[region].says.clear()
        await made.join()
        assert {region: made.ends[region].party for region in ("AA", "DD")} == parties
        assert is_exact(made)
        assert [(record.attempt, record.state) for record in made.attempts()] == [(1, "summed")]
        first, *_, last = [said for _, said in made.ends["BB"].heard if isinstance(said, Begin)]
        assert first == last

    play(tmp_path, scenario)


def test_a_region_without_witnesses_may_send_its_vector_a_little_later(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[Send] = refusing(Reason.UNWITNESSED)
        await made.join()
        await made.submit()
        await made.wait(1)
        made.ends["BB"].says.clear()
        await made.wait(1)
        found = made.sum()
        assert found is not None
        assert found.regions == codes(4)

    play(tmp_path, scenario)


@pytest.mark.parametrize("kind", ROUNDS, ids=lambda kind: kind.__name__)
def test_a_line_that_breaks_is_not_waited_for(tmp_path: Path, kind: type[Round]) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[kind] = silent
        await made.join()
        await made.submit()
        assert made.sum() is None
        await made.leave("BB")
        assert is_exact(made)
        await made.join("BB")
        assert made.ends["BB"].told(Done) == [1]

    play(tmp_path, scenario)


def test_keys_of_a_region_that_left_are_asked_for_again(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["DD"].says[Begin] = silent
        await made.join()
        await made.submit()
        party = made.ends["AA"].party
        await made.leave("AA")
        await made.join("AA")
        assert made.ends["AA"].told(Begin) == [1, 1]
        assert made.ends["AA"].party is party
        await made.leave("BB")
        made.ends["BB"].party = None
        await made.join("BB")
        made.ends["DD"].says.clear()
        await made.wait(TIMEOUT_S)
        assert is_exact(made)

    play(tmp_path, scenario)


def test_rubbish_and_strangers_change_nothing(tmp_path: Path) -> None:
    async def scenario(made: World) -> None:
        made.ends["BB"].says[Send] = lambda _said: VectorSaid(b"short")
        made.ends["CC"].says[Unmask] = silent
        await made.join()
        made.say("AA", 1, KeysSaid(b"before the run"))
        await made.submit()
        made.say("AA", 7, BoxesSaid({}))
        made.say("ZZ", 1, VectorSaid(b""))
        made.runs.national.take("AA", "run-none", 1, BoxesSaid({}))
        await made.wait(TIMEOUT_S)
        told = await made.national()
        assert "BB (another length), CC (no reply in time)" in told.sentence

    play(tmp_path, scenario)


def test_a_store_that_is_away_for_a_moment_holds_everything_up_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_work: object) -> None:
        raise OSError("the disk is away")

    async def scenario(made: World) -> None:
        for end in made.ends.values():
            end.says[Send] = silent
        await made.join()
        await made.submit()
        with monkeypatch.context() as patched:
            patched.setattr(made.store, "within", broken)
            for region, end in made.ends.items():
                said = next(said for _, said in end.heard if isinstance(said, Send))
                made.say(region, 1, reply_to(said, _party(end), made.who, NoNoise(), end.sums))
            await made.pump()
            await made.wait(1)
            assert not any(end.told(ShowList) for end in made.ends.values())
        await made.wait(1)
        assert is_exact(made)

    play(tmp_path, scenario)


def _party(end: End) -> Party:
    assert end.party is not None
    return end.party
