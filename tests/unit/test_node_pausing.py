"""A node that rests decides on nothing, charges nothing and forgets nothing."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from node.cli import app
from node.errors import BadHome
from node.home import Config, Home, write_config
from node.pausing import FILE, Pause, QuietHours, pause, paused, resting, resume, until_of
from policies.rules.refusals import Reason, Refused
from tests.node_world import World, make_home, ordered, put_snapshot
from tests.small_study import OPEN, heading, planned

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHT = QuietHours.model_validate({"from": "18:00", "to": "08:00"})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(tmp_path / "home")
    put_snapshot(made)
    return made


def local(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).timestamp())


def test_a_paused_node_answers_nothing_new_and_charges_nothing(home: Home) -> None:
    world = World(home)
    pause(home, OPEN, None)
    refused = world.ask()
    assert isinstance(refused, Refused)
    assert (refused.reason, world.spent, world.rows.reads) == (Reason.PAUSED, 0, [])
    assert resume(home)
    assert isinstance(world.ask(), bytes)


def test_what_was_answered_before_is_given_again_meanwhile(home: Home) -> None:
    world = World(home)
    answer = world.ask()
    pause(home, OPEN, None)
    assert world.ask() == answer
    new = ordered(planned().model_copy(update={"programme": heading(id="another")}), "run-00000000000000aa")
    assert isinstance(world.asked(new), Refused)


def test_a_pause_ends_by_itself(home: Home) -> None:
    world = World(home)
    pause(home, OPEN, OPEN + 100)
    world.clock.now = OPEN + 99
    assert isinstance(world.ask(), Refused)
    world.clock.now = OPEN + 100
    assert isinstance(world.ask(), bytes)


def test_a_price_says_that_the_node_rests(home: Home) -> None:
    world = World(home)
    pause(home, OPEN, None)
    quoted = world.answering().quote(ordered(planned()).asked)
    assert quoted.refused is not None
    assert quoted.refused.reason is Reason.PAUSED
    assert quoted.charge.nano == planned().charge.rho


def test_quiet_hours_hold_by_the_settings(home: Home) -> None:
    write_config(home, home.config().model_copy(update={"quiet_hours": NIGHT}))
    assert Home(home.root).config().quiet_hours == NIGHT
    world = World(Home(home.root))
    world.clock.now = local("2026-03-01 17:59")
    assert isinstance(world.ask(), bytes)
    world.clock.now = local("2026-03-01 18:00")
    new = ordered(planned().model_copy(update={"programme": heading(id="another")}), "run-00000000000000aa")
    refused = world.asked(new)
    assert isinstance(refused, Refused)
    assert "quiet hours" in refused.sentence


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-03-02 07:59", True), ("2026-03-02 08:00", False), ("2026-03-02 18:00", True), ("2026-03-02 00:00", True),
        # The clocks go forward and back on these days: it is the clock on the wall that counts.
        ("2026-03-29 07:59", True), ("2026-03-29 08:00", False), ("2026-10-25 07:59", True),
        ("2026-10-25 08:00", False),
    ],
)  # fmt: skip
def test_a_night_runs_over_midnight_by_the_clock_on_the_wall(moment: str, quiet: bool) -> None:
    assert NIGHT.quiet(local(moment)) is quiet


def test_whole_days_are_quiet() -> None:
    weekend = QuietHours(days=("sat", "sun"))
    assert [weekend.quiet(local(f"2026-03-{day:02} 12:00")) for day in range(2, 9)] == [False] * 5 + [True] * 2


@given(st.integers(0, 2**32), st.integers(0, 1439), st.integers(0, 1439))
def test_quiet_and_waking_hours_share_the_day_between_them(now: int, one: int, other: int) -> None:
    if one == other:
        return
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (one, other))
    hours = QuietHours.model_validate({"from": start, "to": end})
    turned = QuietHours.model_validate({"from": end, "to": start})
    assert hours.quiet(now) is not turned.quiet(now)


@pytest.mark.parametrize(
    "bad",
    [
        {}, {"from": "18:00"}, {"from": "18:00", "to": "18:00"}, {"from": "25:00", "to": "08:00"}, {"days": ["zat"]},
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, {"days": ["sat"], "zone": "Europe/Nergens"},
        {"from": "18:00+01:00", "to": "08:00"}, {"days": ["sat"], "zone": "../etc/passwd"},
    ],
)  # fmt: skip
def test_quiet_hours_that_cannot_be_meant_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QuietHours.model_validate(bad)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8h", OPEN + 8 * 3600), ("3d", OPEN + 3 * 86400), ("2w", OPEN + 14 * 86400), ("1999-01-01", None),
        ("morgen", None), ("", None), ("-3d", None), ("99999d", None), ("2099-01-01T12:00Z", 4070952000), ("d", None),
    ],
)  # fmt: skip
def test_the_end_of_a_pause_is_written_as_a_date_or_a_span(text: str, found: int | None) -> None:
    assert until_of(text, OPEN) == found


def test_a_pause_that_cannot_be_read_is_no_leave_to_answer(home: Home) -> None:
    (home.root / FILE).write_text("{half", encoding="utf-8")
    with pytest.raises(BadHome):
        resting(home, None, OPEN)
    world = World(home)
    assert isinstance(world.ask(), Refused)
    assert world.spent == 0


def test_the_verbs_pause_and_resume(home: Home) -> None:
    def verb(*words: str) -> dict[str, object]:
        told = CliRunner().invoke(app, [*words, "--home", str(home.root), "--json"], env={"RONDGANG_HOME": ""})
        assert told.exit_code == 0, told.output
        found: dict[str, object] = json.loads(told.stdout)
        return found

    until = verb("pause", "--until", "3d")["until"]
    assert isinstance(until, int)
    held = paused(home, until - 1)
    assert held == Pause(since=held.since, until=until) if held else False
    assert paused(home, until) is None
    assert verb("resume") == {"paused": False, "ended": True}
    assert verb("resume") == {"paused": False, "ended": False}


def test_a_pause_into_the_past_is_a_slip(home: Home) -> None:
    told = CliRunner().invoke(app, ["pause", "--until", "2001-01-01", "--home", str(home.root)], env={})
    assert told.exit_code == 2
    assert "no moment that is still to come" in told.output
    assert paused(home, OPEN) is None


def test_settings_without_quiet_hours_stay_as_they_were(home: Home) -> None:
    assert "quiet_hours" not in home.config_file.read_text(encoding="utf-8")
    assert isinstance(home.config(), Config)
