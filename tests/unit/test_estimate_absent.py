"""Regions that did not answer: what they add to a national interval, and what is said of them."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm, t

from coordinator.estimates import count, mean, proportion
from coordinator.estimates.absent import Split, estimated, remark, spread, t95, widened
from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import NoisyBlock, Ratio, figures, pool
from coordinator.estimates.sets import Z95
from policies.study.calendar import Expected

Array = NDArray[np.float64]
UNITS = np.array([60.0, 40, 50, 70, 80, 55])
EQUAL = np.full(6, 1000)
REGIONS = ("AA", "BB", "CC", "DD", "EE", "FF")


def shares(values: list[float], sigma: float = 3.0, units: Array = UNITS) -> Ratio:
    """One cell: each region's share, without any noise drawn."""
    theta = np.array(values)
    yes = NoisyBlock(((2 * theta - 1) * units)[:, np.newaxis], sigma**2)
    return proportion.ratio(yes, NoisyBlock(units[:, np.newaxis], sigma**2))


def split(missing: int = 2, units: Array = UNITS) -> Split:
    return Split(np.ones(len(units)), units, np.ones(missing), np.full(missing, 50.0))


def test_with_every_region_in_nothing_changes() -> None:
    ratio = shares([0.1, 0.3, 0.2, 0.4, 0.1, 0.3])
    everywhere = pool(ratio, EQUAL)
    assert widened(everywhere, ratio, split(0), 0.1) is everywhere


def test_the_factor_is_that_of_two_stage_sampling() -> None:
    """Ten equal regions, two missing: f = .2, m = 8, k = 2."""
    ten = Split(np.ones(8), np.full(8, 50.0), np.ones(2), np.full(2, 50.0))
    assert ten.factor == pytest.approx(0.2**2 * (1 / 8 + 1 / 2))
    heavy = Split(np.ones(8), np.full(8, 50.0), np.array([3.0, 1.0]), np.full(2, 50.0))
    assert heavy.factor == pytest.approx((4 / 12) ** 2 * (1 / 8 + 10 / 16))


def test_the_variance_between_regions_is_theirs_less_what_noise_and_sampling_explain() -> None:
    values = [0.1, 0.3, 0.2, 0.4, 0.15, 0.35]
    big = UNITS * 10_000
    ratio = shares(values, units=big)
    found = estimated(ratio, pool(ratio, EQUAL), split(units=big))
    mean_share = (np.array(values) * big).sum() / big.sum()
    assert found.squared[0] == pytest.approx(np.var(values, ddof=1), rel=0.1)
    assert 0.1 < mean_share < 0.4
    alike = shares([0.25] * 6)
    assert estimated(alike, pool(alike, EQUAL), split()).squared[0] == 0.0


def test_it_is_unbiased_where_nothing_is_cut_off() -> None:
    """20,000 surveys with a deviation of .1 between regions; the mean of tau^2 has a relative error of half a percent.

    False alarm: 4% is eight standard errors, below 1e-6.
    """
    draw, tau, p = np.random.default_rng(1), 0.1, 0.4
    k = p * (1 - p) / tau**2 - 1
    units = (UNITS * 20).astype(int)[:, np.newaxis]
    theta = draw.beta(p * k, (1 - p) * k, (6, 20_000))
    yes = draw.binomial(units, theta)
    noise = draw.normal(0, 5, (2, 6, 20_000))
    ratio = proportion.ratio(
        NoisyBlock(2 * yes - units + noise[0], 25.0), NoisyBlock(np.broadcast_to(units, yes.shape) + noise[1], 25.0)
    )
    found = estimated(ratio, pool(ratio, EQUAL), split(units=units[:, 0].astype(float)))
    assert found.squared.mean() == pytest.approx(tau**2, rel=0.04)


def test_the_quantile_goes_from_t_to_the_normal_one() -> None:
    freedom = np.array([1.0, 5.0, 30.0, 1e6, np.inf])
    found = t95(freedom)
    assert found[:4] == pytest.approx(t.ppf(0.975, freedom[:4]))
    assert found[4] == Z95
    assert found[3] == pytest.approx(norm.ppf(0.975), rel=1e-5)
    assert (np.diff(found) < 0).all()


def test_where_only_the_regions_differ_degrees_of_freedom_are_regions_less_one() -> None:
    ratio = shares([0.1, 0.3, 0.2, 0.4, 0.15, 0.35], sigma=0.01, units=np.full(6, 1e9))
    big = Split(np.ones(6), np.full(6, 1e9), np.ones(2), np.full(2, 1e9))
    found = widened(pool(ratio, EQUAL), ratio, big, None)
    assert found.absent is not None
    assert found.absent.quantile == pytest.approx(t.ppf(0.975, 5), rel=1e-4)


def test_a_planned_deviation_has_the_normal_quantile_and_serves_where_regions_are_not_known() -> None:
    ratio = shares([0.1, 0.3, 0.2, 0.4, 0.1, 0.3])
    everywhere = pool(ratio, EQUAL)
    found = widened(everywhere, None, split(), 0.05)
    assert found.absent is not None
    assert found.absent.source == "planned"
    assert found.absent.quantile == pytest.approx(Z95)
    added = split().factor * 0.05**2
    plain, wider = figures(everywhere), figures(found)
    assert wider.std_error[0] ** 2 == pytest.approx(plain.std_error[0] ** 2 + added)
    assert wider.noise_sd == plain.noise_sd
    assert wider.sampling_sd[0] ** 2 == pytest.approx(plain.sampling_sd[0] ** 2 + added)
    few = shares([0.1, 0.3, 0.2], units=UNITS[:3])
    three = Split(np.ones(3), UNITS[:3], np.ones(1), np.full(1, 50.0))
    unplanned = widened(pool(few, EQUAL[:3]), few, three, None)
    assert unplanned.absent is not None
    assert unplanned.absent.source == "none"
    assert figures(unplanned).low == figures(pool(few, EQUAL[:3])).low


def test_a_number_is_that_of_the_regions_that_answered() -> None:
    units = NoisyBlock(UNITS[:, np.newaxis], 9.0)
    everywhere = pool(count.ratio(units), EQUAL)
    assert widened(everywhere, count.ratio(units), split(), 0.1) is everywhere
    assert remark(["GG"], everywhere, 0) == "without GG: a number of the other regions, not of them all"


def test_a_planned_share_becomes_a_deviation_of_means_by_that_of_their_units() -> None:
    units = NoisyBlock(UNITS[:, np.newaxis], 9.0)
    centred = NoisyBlock(0 * UNITS[:, np.newaxis], 100.0)
    planned = mean.ratio(centred, units, Grid(Fraction(0), Fraction(1, 10), 100, Fraction(17, 10)))
    assert spread(planned) == pytest.approx(2 * 17)
    assert spread(mean.ratio(centred, units, Grid(Fraction(0), Fraction(1, 10), 100, None))) == 100
    assert spread(shares([0.5] * 6)) == 1


def test_the_note_says_what_is_assumed() -> None:
    ratio = shares([0.1, 0.3, 0.2, 0.4, 0.1, 0.3])
    everywhere = pool(ratio, EQUAL)
    assert remark([], everywhere, 0) == ""
    assert "nothing for how they may differ" in remark(["GG"], everywhere, 0)
    assert "a deviation between regions of 0.05 (planned)" in remark(
        ["GG"], widened(everywhere, None, split(), 0.05), 0
    )
    assert "(estimated)" in remark(["GG", "HH"], widened(everywhere, ratio, split(), None), 0)


def test_weights_and_expected_units_are_taken_by_region() -> None:
    expected = {code: Expected(household=10 + place, adult=1, child=1) for place, code in enumerate(REGIONS)}
    weights = dict(zip(REGIONS, (1000, 500, 2000, 1000, 1000, 1000), strict=True))
    found = Split.of(weights, ("CC", "AA"), expected, "household")
    assert found.weights.tolist() == [2.0, 1.0]
    assert found.units.tolist() == [12.0, 10.0]
    assert found.missing_units.tolist() == [11.0, 13.0, 14.0, 15.0]
