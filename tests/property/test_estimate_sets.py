"""Laws of confidence sets, on any noisy numbers."""

from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from coordinator.estimates import proportion
from coordinator.estimates.ratio import Absent, NoisyBlock, Ratio, figures, noise_interval, pool
from coordinator.estimates.sets import Z95, Noise

sums = st.integers(-3_000, 3_000)
units = st.integers(-500, 3_000)
deviations = st.floats(0.25, 200, allow_nan=False)
weights = st.lists(st.integers(1, 10**6), min_size=1, max_size=5)


def _ratio(centred: list[int], counted: list[int], sn: float, sd: float) -> Ratio:
    return proportion.ratio(
        NoisyBlock(np.array(centred, np.float64)[:, np.newaxis], sn**2),
        NoisyBlock(np.array(counted, np.float64)[:, np.newaxis], sd**2),
    )


@given(sums, units, deviations, deviations)
def test_an_interval_holds_its_estimate_and_the_noise_only_interval(n: int, d: int, sn: float, sd: float) -> None:
    ratio = _ratio([n], [d], sn, sd)
    found, (low, high) = figures(ratio), noise_interval(ratio)
    assert np.isnan(found.low[0, 0]) == np.isnan(found.high[0, 0]) == (abs(d) <= 1.959963984540054 * sd)
    assume(not np.isnan(found.low[0, 0]))
    slack = 1e-9 * (1 + abs(found.estimate[0, 0]))
    assert found.low[0, 0] <= low[0, 0] + slack
    assert low[0, 0] <= found.estimate[0, 0] <= high[0, 0]
    assert high[0, 0] <= found.high[0, 0] + slack


@given(sums, units, deviations, deviations, st.floats(1.0, 3.0))
def test_more_noise_never_gives_a_narrower_interval(n: int, d: int, sn: float, sd: float, more: float) -> None:
    few, many = figures(_ratio([n], [d], sn, sd)), figures(_ratio([n], [d], sn * more, sd * more))
    assume(not np.isnan(many.low[0, 0]))
    slack = 1e-9 * (1 + abs(many.high[0, 0] - many.low[0, 0]))
    assert many.low[0, 0] <= few.low[0, 0] + slack
    assert few.high[0, 0] <= many.high[0, 0] + slack


@given(sums, units, deviations, st.floats(0, 1e6), st.floats(1, 3), st.floats(1.0, 4.0))
def test_neither_missing_regions_nor_fewer_degrees_of_freedom_ever_give_a_narrower_interval(
    n: int, d: int, sigma: float, added: float, times: float, quantile: float
) -> None:
    ratio = pool(_ratio([n], [d], sigma, sigma), np.array([1000]))
    less, more = (
        figures(replace(ratio, absent=Absent(np.array([variance]), np.array([z]), np.zeros(1), "estimated")))
        for variance, z in ((added, Z95), (added * times, Z95 * quantile))
    )
    plain = figures(ratio)
    np.testing.assert_array_equal(plain.estimate, less.estimate)
    np.testing.assert_array_equal(plain.estimate, more.estimate)
    for narrow, wide in ((plain, less), (less, more)):
        if not np.isnan(wide.low[0]):
            slack = 1e-9 * (1 + abs(wide.high[0] - wide.low[0]))
            assert wide.low[0] <= narrow.low[0] + slack
            assert narrow.high[0] <= wide.high[0] + slack
    if added == 0:
        assert (less.low, less.high) == (plain.low, plain.high) or np.isnan(plain.low[0])


@given(st.lists(st.tuples(sums, units, deviations), min_size=2, max_size=6), st.floats(0.5, 5.0))
def test_one_quantile_for_each_ratio_is_as_good_as_one_at_a_time(many: list[tuple[int, int, float]], z: float) -> None:
    zs = np.linspace(z, z + 1, len(many))
    ratios = [pool(_ratio([n], [d], sigma, sigma), np.array([1000])) for n, d, sigma in many]
    joined = [np.concatenate([getattr(one, name) for one in ratios]) for name in ("a", "b", "n")]
    noise = Noise(*(np.concatenate([getattr(one.noise, name) for one in ratios]) for name in ("va", "vb", "cab")))
    together = Ratio(joined[0], joined[1], noise, joined[2], "share")
    found = figures(together, zs)
    for place, one in enumerate(ratios):
        alone = figures(one, float(zs[place]))
        np.testing.assert_array_equal(found.low[place], alone.low[0])
        np.testing.assert_array_equal(found.high[place], alone.high[0])


@given(st.lists(st.tuples(sums, units), min_size=5, max_size=5), weights, st.integers(2, 9))
def test_only_the_ratios_of_the_weights_matter(blocks: list[tuple[int, int]], w: list[int], times: int) -> None:
    centred, counted = [list(column) for column in zip(*blocks[: len(w)], strict=True)]
    ratio = _ratio(centred, counted, 9.0, 7.0)
    one = figures(pool(ratio, np.array(w)))
    other = figures(pool(ratio, times * np.array(w)))
    assume(abs(one.denominator[0]) > 1e-6)
    np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-9)
    np.testing.assert_allclose(one.low, other.low, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(one.high, other.high, rtol=1e-6, atol=1e-6)
