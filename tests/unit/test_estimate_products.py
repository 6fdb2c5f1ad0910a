"""Covariance, correlation and regression: those of numpy without noise, noise against simulation, what is withheld."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from coordinator.estimates import correlation, covariance, regression
from coordinator.estimates.pairs import Pair, Scale
from coordinator.estimates.ratio import Figures, NoisyBlock, figures
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import clear
from tests.products import YES, as_pair, exactly, noisily, number, sums

SCALES = (number(100, 25.0), YES, number(20), number(10))
REGIONS, CELLS, UNITS = 3, 2, 400


def rows(seed: int, *more: int) -> list[Floats]:
    """An outcome 0-100, a condition, and two numbers that go along with it: units x `more`."""
    rng = np.random.default_rng(seed)
    shape = (UNITS, *more)
    yes = (rng.random(shape) < 0.3).astype(np.float64)
    one = np.clip(np.rint(9 + 4 * rng.standard_normal(shape) + 3 * yes), 0, 20)
    other = np.clip(np.rint(5 + 2 * rng.standard_normal(shape) + 0.2 * (one - 10)), 0, 10)
    outcome = 40 + 12 * yes + 1.5 * one - 3 * other + 15 * rng.standard_normal(shape)
    return [np.clip(np.rint(outcome), 0, 100), yes, one, other]


def pair(columns: Sequence[Floats], scales: Sequence[Scale]) -> Pair:
    return Pair.of(as_pair(exactly(sums(columns, scales)), scales), (scales[0], scales[1]))


@pytest.mark.parametrize("chosen", [(0, 2), (0, 1), (1, 0)], ids=["numbers", "a number", "a condition first"])
def test_without_noise_they_are_those_of_numpy(chosen: tuple[int, int]) -> None:
    data = rows(1, REGIONS, CELLS)
    columns, scales = [data[i] for i in chosen], [SCALES[i] for i in chosen]
    n = np.full((REGIONS, CELLS), float(UNITS))
    found = pair(columns, scales)
    covariances, correlations = figures(covariance.ratio(found, n)), figures(correlation.ratio(found, n))
    for region, cell in np.ndindex(REGIONS, CELLS):
        x, y = (column[:, region, cell] for column in columns)
        assert covariances.estimate[region, cell] == pytest.approx(np.cov(x, y, ddof=0)[0, 1], rel=1e-9)
        assert correlations.estimate[region, cell] == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)
    assert correlations.denominator == pytest.approx(n)
    assert correlations.numerator / correlations.denominator == pytest.approx(correlations.estimate)


def test_without_noise_coefficients_and_errors_are_those_of_least_squares() -> None:
    data = rows(2, REGIONS, CELLS)
    found = regression.coefficients(exactly(sums(data, SCALES)), SCALES, np.full((REGIONS, CELLS), float(UNITS)))
    assert found.readable is not None
    assert found.readable.all()
    for region, cell in np.ndindex(REGIONS, CELLS):
        y, *terms = (column[:, region, cell] for column in data)
        x = np.column_stack([np.ones(UNITS), *terms])
        b, rest, _, _ = np.linalg.lstsq(x, y)
        errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * rest / (UNITS - 4))
        at = slice(4 * cell, 4 * cell + 4)
        assert found.estimate[region, at] == pytest.approx(b, rel=1e-9)
        assert found.sampling_sd[region, at] == pytest.approx(errors, rel=1e-9)
    assert not found.noise_sd.any()
    assert found.denominator == pytest.approx(UNITS)


def test_two_conditions_have_the_phi_coefficient_and_its_own_sampling_error() -> None:
    """Against the spread of 4,000 samples of the same two conditions: an error is right to 1.1%; false alarm 1e-6."""
    rng = np.random.default_rng(3)
    yes = rng.random((300, 4000)) < 0.2
    other = rng.random(yes.shape) < np.where(yes, 0.5, 0.1)
    found = pair([yes.astype(np.float64), other.astype(np.float64)], (YES, YES))
    n = np.full(4000, 300.0)
    for of in (covariance, correlation):
        told = figures(of.ratio(found, n))
        assert float(np.mean(told.sampling_sd)) == pytest.approx(float(np.std(told.estimate)), rel=0.06)
    assert "normal" not in correlation.ratio(found, n).note


def test_regions_count_by_their_weights_before_anything_is_worked_out() -> None:
    """Weight 2 is the same as being there twice, but for the sampling error."""
    data = rows(4, 1)
    blocks = exactly(sums(data, SCALES))
    n = np.array([float(UNITS)])
    doubled = [NoisyBlock(2 * block.base, 0.0) for block in blocks]
    once, twice = regression.coefficients(blocks, SCALES, n), regression.coefficients(doubled, SCALES, 4 * n)
    assert twice.estimate == pytest.approx(once.estimate)
    assert twice.sampling_sd == pytest.approx(once.sampling_sd)


def test_noise_sd_is_what_noise_does_to_figures_of_one_data_set_and_leaves_them_unbiased() -> None:
    """6,000 draws on one data set: a deviation is right to 0.9%, a mean to 0.013 deviations; false alarm below 1e-6."""
    draws = 6000
    data = rows(5, 1)
    plain = sums(data, SCALES)
    spread = [np.repeat(one, draws) for one in plain]
    blocks = noisily(spread, SCALES, 2.5, np.random.default_rng(6))
    n = np.full(draws, float(UNITS))
    exact = regression.coefficients(exactly(plain), SCALES, n[:1])
    found = regression.coefficients(blocks, SCALES, n)
    _assert_unbiased(found.estimate.reshape(draws, -1), found.noise_sd.reshape(draws, -1), exact.estimate)
    pairs = [[one, two] for one, two in ((0, 2), (0, 1))]
    for chosen in pairs:
        columns, scales = [data[i] for i in chosen], [SCALES[i] for i in chosen]
        few = sums(columns, scales)
        noisy = as_pair(noisily([np.repeat(one, draws) for one in few], scales, 2.5, np.random.default_rng(7)), scales)
        for of in (covariance, correlation):
            told = figures(of.ratio(Pair.of(noisy, (scales[0], scales[1])), n))
            truth = figures(of.ratio(pair(columns, scales), n[:1])).estimate
            _assert_unbiased(told.estimate[:, np.newaxis], told.noise_sd[:, np.newaxis], truth)


def _assert_unbiased(estimates: Floats, deviations: Floats, truth: Floats) -> None:
    spread = estimates.std(axis=0)
    assert (np.abs(estimates.mean(axis=0) - truth) <= 0.1 * spread).all()
    assert np.median(deviations, axis=0) == pytest.approx(spread, rel=0.08)


def test_terms_that_noise_may_make_alike_have_estimates_and_no_interval() -> None:
    data = rows(8, 1)
    alike = [*data[:3], np.clip(data[2] // 2, 0, 10)]
    blocks = noisily(sums(alike, SCALES), SCALES, 3.0, np.random.default_rng(9))
    found = regression.coefficients(blocks, SCALES, np.array([float(UNITS)]))
    assert not clear(found).any()
    assert np.isnan([found.low, found.high]).all()
    assert np.isfinite(found.estimate).all()
    assert set(found.remarks.values()) == {regression.SINGULAR}


def test_terms_that_are_the_same_have_no_estimate_at_all() -> None:
    data = rows(10, 1)
    same = [*data[:3], data[2] / 2]
    scales = (*SCALES[:3], SCALES[2])
    found = regression.coefficients(exactly(sums([*same[:3], data[2]], scales)), scales, np.array([float(UNITS)]))
    assert not clear(found).any()
    assert np.isnan(found.estimate).all()


def test_a_region_is_withheld_where_most_regions_are() -> None:
    """One region's noise makes its smallest eigenvalue look large; the others say that it is not."""
    data = rows(11, 13)
    blocks = noisily(sums(data, SCALES), SCALES, 60.0, np.random.default_rng(12))
    lucky = [NoisyBlock(block.base.copy(), block.variance) for block in blocks]
    lucky[-1].base[0] += 5000
    for block in (*lucky[4:7],):
        block.base[0] += 5000 * np.sqrt(block.variance) / 60
    found = regression.coefficients([_by_cells(b) for b in lucky], SCALES, np.full((13, 1), float(UNITS)))
    assert not clear(found).any()


def _by_cells(block: NoisyBlock) -> NoisyBlock:
    return NoisyBlock(block.base[:, np.newaxis], block.variance)


def test_a_ridge_pulls_to_zero_and_has_no_interval() -> None:
    data = rows(13, 1)
    blocks, n = exactly(sums(data, SCALES)), np.array([float(UNITS)])
    plain = regression.coefficients(blocks, SCALES, n)
    pulled = [regression.coefficients(blocks, SCALES, n, ridge) for ridge in (0.01, 0.1, 1.0)]
    halves = np.array([scale.half for scale in SCALES[1:]])
    sizes = [float(np.sum((one.estimate[1:] * halves) ** 2)) for one in (plain, *pulled)]
    assert sizes == sorted(sizes, reverse=True)
    for one in pulled:
        _assert_bare(one)
    # The intercept is not pulled: at the mean of the terms the outcome is the mean.
    means = [float(column.mean()) for column in data]
    assert pulled[1].estimate[0] + pulled[1].estimate[1:] @ means[1:] == pytest.approx(means[0])


def _assert_bare(found: Figures) -> None:
    assert clear(found).all()
    assert np.isnan([found.low, found.high, found.noise_sd, found.sampling_sd, found.std_error]).all()
    assert np.isfinite(found.estimate).all()
    assert found.note == regression.RIDGE


def test_few_units_have_the_quantile_of_t() -> None:
    few = [column[:14] for column in rows(14, 1)]
    found = regression.coefficients(exactly(sums(few, SCALES)), SCALES, np.array([14.0]))
    # 10 degrees of freedom: 2.228 instead of 1.960.
    assert (found.high - found.estimate) / found.std_error == pytest.approx(2.2281389)
    many = regression.coefficients(exactly(sums(rows(14, 1), SCALES)), SCALES, np.array([400.0]))
    assert (many.high - many.estimate) / many.std_error == pytest.approx(Z95, rel=4e-3)


def test_a_noisy_variance_below_zero_leaves_no_correlation_and_a_weak_one_an_unbounded_interval() -> None:
    found = pair([column[:, :1] for column in rows(15, 1)[:2]], SCALES[:2])
    drowned = Pair(
        found.product, found.one, found.other, (NoisyBlock(np.array([-900.0]), 1e4), None), found.units, found.scales
    )
    told = figures(correlation.ratio(drowned, np.array([400.0])))
    assert np.isnan([told.estimate, told.low, told.high]).all()
    assert not clear(told).any()
    # 0.5 * square + 0.5 * units, so that 60 deviations of noise are a third of what is there.
    weak = Pair(found.product, found.one, found.other, (_noised(found.squares[0]), None), found.units, found.scales)
    told = figures(correlation.ratio(weak, np.array([400.0])))
    assert np.isfinite(told.estimate).all()
    assert np.isnan([told.low, told.high]).all()


def _noised(block: NoisyBlock | None) -> NoisyBlock:
    assert block is not None
    return NoisyBlock(block.base, 4e4)


def test_a_number_without_a_planned_spread_has_the_largest_sampling_error() -> None:
    data = rows(16, 1)
    columns = [data[0], data[2]]
    loose = covariance.ratio(pair(columns, (number(100), number(20))), np.array([400.0]))
    tight = covariance.ratio(pair(columns, (number(100, 25.0), number(20, 5.0))), np.array([400.0]))
    assert (loose.note, tight.note) == (covariance.LARGEST, covariance.NORMAL)
    assert figures(loose).sampling_sd > 2 * figures(tight).sampling_sd
