"""Replies leave on ticks that the programme fixes."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules.tick import Tick, tick_of
from tests import small_study


@given(st.floats(0, 1e6), st.integers(5, 60_000), st.integers(1, 1000))
@settings(deadline=None)
def test_a_departure_is_the_first_whole_tick_that_is_not_too_early(elapsed: float, length: int, last: int) -> None:
    departure = Tick(length, last).departure_ms(elapsed)
    if departure is None:
        assert elapsed > length * last
    else:
        assert departure % length == 0
        assert 0 < departure <= length * last
        assert departure - length < elapsed <= departure or (elapsed == 0 and departure == length)


@pytest.mark.parametrize(
    ("elapsed", "departure"), [(0, 25), (0.001, 25), (25, 25), (26, 50), (75, 75), (75.5, None), (10**9, None)]
)
def test_past_the_last_tick_there_is_none(elapsed: float, departure: int | None) -> None:
    assert Tick(25, 3).departure_ms(elapsed) == departure


def test_regression_a_reply_that_is_a_hair_late_waits_for_the_next_tick() -> None:
    """Less than a microsecond past a tick used to count as on it."""
    assert Tick(25, 3).departure_ms(25.0000001) == 50
    assert Tick(25, 3).departure_ms(75.0000001) is None


def test_the_tick_depends_on_the_programme_and_the_policy_alone() -> None:
    signed = small_study.planned()
    assert tick_of(signed, 25) == Tick(25, 400 + sum(block.cells for block in signed.blocks) // 25)
    other_noise = small_study.planned(rho="0.1")
    assert tick_of(other_noise, 25) == tick_of(signed, 25)
    assert tick_of(signed, 40).length_ms == 40
    departures = [tick_of(signed, 25).departure_ms(elapsed) or 0 for elapsed in range(0, 9000, 7)]
    assert all(before <= after for before, after in pairwise(departures))
