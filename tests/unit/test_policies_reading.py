"""What a price means to somebody who guesses: never less than an exact Gaussian answer gives, and never too small."""

from __future__ import annotations

from decimal import Decimal
from math import exp, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.units.money import NANO, NanoRho
from policies.units.reading import best_guess, odds_factor, rightly_at_most

NORMAL = NormalDist()
PRICES = st.integers(1, 20 * NANO).map(NanoRho)
CHANCES = st.decimals("0.0001", "0.5", places=4)


@given(PRICES, CHANCES)
def test_a_gaussian_answer_of_that_price_gives_nobody_more_than_it_says(rho: NanoRho, falsely: Decimal) -> None:
    # A Gaussian answer of price rho shifts by sqrt(2 rho) standard deviations (Bun and Steinke 2016, Prop. 1.6).
    shift = sqrt(2 * float(rho.rho))
    exact = NORMAL.cdf(NORMAL.inv_cdf(float(falsely)) + shift)
    assert exact <= float(rightly_at_most(rho, falsely)) <= 1
    assert NORMAL.cdf(shift / 2) <= float(best_guess(rho)) <= 1


@given(PRICES, PRICES, CHANCES)
def test_a_higher_price_never_says_less(one: NanoRho, other: NanoRho, falsely: Decimal) -> None:
    low, high = sorted((one, other))
    assert rightly_at_most(low, falsely) <= rightly_at_most(high, falsely)
    assert best_guess(low) <= best_guess(high)


def test_nothing_spent_says_nothing() -> None:
    assert rightly_at_most(NanoRho(0), Decimal("0.01")) == Decimal("0.01")
    assert best_guess(NanoRho(0)) == Decimal("0.5")
    assert odds_factor(Decimal(0)) == 1


def test_the_figures_of_the_shipped_caps() -> None:
    """Worked out apart: exp(-(sqrt(ln 100) - sqrt(rho))^2), and (1 + sqrt(rho/2))/2."""
    for rho in ("0.185", "0.4", "0.8"):
        money = NanoRho(int(Decimal(rho) * NANO))
        least = exp(-((sqrt(4.605170185988092) - sqrt(float(rho))) ** 2))
        assert least <= float(rightly_at_most(money, Decimal("0.01"))) < least + 2e-4
        assert abs(float(best_guess(money)) - (1 + sqrt(float(rho) / 2)) / 2) < 2e-4
    assert odds_factor(Decimal(3)) == Decimal("20.1")


def test_a_price_without_privacy_is_said_to_be_one() -> None:
    assert rightly_at_most(NanoRho(10 * NANO), Decimal("0.01")) == 1
    assert best_guess(NanoRho(1000 * NANO)) == 1
    assert odds_factor(Decimal(61)) is None


@pytest.mark.parametrize("falsely", [0, 1, 2])
def test_a_chance_that_is_none_is_a_fault(falsely: int) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        rightly_at_most(NanoRho(1), Decimal(falsely))
