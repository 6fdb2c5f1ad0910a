"""Quantiles from a tree of noisy counts: least squares, where they lie, and when their interval is open."""

from fractions import Fraction

import numpy as np
import pytest

from coordinator.estimates.mean import Grid
from coordinator.estimates.quantile import OPEN_ABOVE, OPEN_BELOW, Leaves, figures, leaves
from coordinator.estimates.ratio import Figures, NoisyBlock
from coordinator.estimates.sets import Floats

AT = (0.25, 0.5, 0.9)
SINGLE = tuple(range(9))
"""Eight leaves of one value each."""
COUNTS = np.array([4.0, 0, 6, 20, 30, 20, 12, 8])
VARIANCES = (9.0, 16.0, 4.0)


def levels(counts: Floats, variances: tuple[float, ...], noise: np.random.Generator | None = None) -> list[NoisyBlock]:
    """The tree over these leaves (... x leaves), the coarsest level first."""
    found = []
    for depth, variance in enumerate(variances, 1):
        sums = counts.reshape(*counts.shape[:-1], 2**depth, -1).sum(axis=-1)
        drawn = 0.0 if noise is None else noise.normal(0, np.sqrt(variance), sums.shape)
        found.append(NoisyBlock(sums + drawn, variance))
    return found


def told(counts: Floats, variance: float, edges: tuple[int, ...] = SINGLE, at: tuple[float, ...] = AT) -> Figures:
    grid = Grid(Fraction(10), Fraction(1, 2), edges[-1] - 1, None)
    return figures(leaves(levels(counts, (variance,) * 3), 1.0), edges, at, grid)


def test_without_noise_a_quantile_is_that_of_the_units_themselves() -> None:
    values = np.sort(np.repeat(np.arange(8), COUNTS.astype(int)))
    found = told(COUNTS, 0.0)
    assert found.estimate.tolist() == [10 + values[int(part * len(values)) - 1] / 2 for part in AT]
    assert found.noise_sd.tolist() == [0.0] * 3
    assert found.denominator.tolist() == [100.0] * 3


def test_within_a_leaf_it_lies_on_a_straight_line() -> None:
    """The second leaf has the values 10..29 and half of the units: the median is in its middle."""
    wide = (0, 10, 30, 31, 32, 33, 34, 35, 36)
    found = told(np.array([25.0, 50, 25, 0, 0, 0, 0, 0]), 0.0, wide, (0.5,))
    assert found.estimate.tolist() == [10 + 19.5 / 2]


def test_leaves_are_the_least_squares_of_every_level_and_their_noise_is_known() -> None:
    noisy = levels(COUNTS, VARIANCES, np.random.default_rng(1))
    rows = np.vstack([np.kron(np.eye(2**depth), np.ones(8 >> depth)) for depth in (1, 2, 3)])
    sd = np.sqrt(np.repeat(VARIANCES, (2, 4, 8)))
    seen = np.concatenate([block.base for block in noisy])
    plain, *_ = np.linalg.lstsq(rows / sd[:, np.newaxis], seen / sd, rcond=None)
    found = leaves(noisy, 1.0)
    assert np.allclose(found.counts, plain)
    many = leaves(levels(np.tile(COUNTS, (40_000, 1)), VARIANCES, np.random.default_rng(2)), 1.0).counts[:, 0]
    # 40,000 draws: an entry deviates by at most sqrt(2 / 40,000) = .71% of the largest; six of those are a 1e-7 event.
    assert np.abs(np.cov(many.T) - found.covariance).max() < 6 * 0.0071 * found.covariance.max()


def test_regions_are_pooled_by_their_weights() -> None:
    weights = np.array([500, 2000])
    apart = levels(np.stack([COUNTS, COUNTS[::-1]]), VARIANCES)
    found = leaves(apart, 1.5, weights)
    assert np.allclose(found.counts, 0.5 * COUNTS + 2 * COUNTS[::-1])
    assert np.allclose(found.covariance, (0.25 + 4) * leaves(apart, 1.5).covariance)
    assert np.isclose(found.spread, 1.5 * (0.25 + 4) * 100)


def test_an_interval_holds_the_estimate_and_grows_with_the_noise() -> None:
    less, more = told(COUNTS, 4.0), told(COUNTS, 64.0)
    for found in (less, more):
        assert np.all((found.low <= found.estimate) & (found.estimate <= found.high))
    assert np.all(more.high - more.low >= less.high - less.low)
    assert np.all(more.std_error > less.std_error)
    assert np.allclose(less.noise_sd**2 + less.sampling_sd**2, less.std_error**2)


def test_an_open_end_is_the_end_of_the_range_and_says_so() -> None:
    found = told(COUNTS, 60.0, at=(0.02, 0.5, 0.99))
    assert (found.low[0], found.high[2]) == (10.0, 13.5)
    assert (found.remarks[0,], found.remarks[2,]) == (OPEN_BELOW, OPEN_ABOVE)
    assert (1,) not in found.remarks


@pytest.mark.parametrize(("variance", "readable"), [(4.0, True), (900.0, False)])
def test_a_row_that_drowns_in_noise_is_withheld(variance: float, readable: bool) -> None:
    found = told(COUNTS, variance, at=(0.5,))
    assert found.readable is not None
    assert found.readable.tolist() == [readable]


def test_a_regions_row_is_withheld_where_regions_are_weak_on_average() -> None:
    """One region escapes the noise by itself; the mean of both does not."""
    noise = np.full((8, 8), 0.0) + np.diag(np.full(8, 100.0))
    counts = np.stack([COUNTS, -0.6 * COUNTS])[:, np.newaxis]
    found = figures(Leaves(counts, noise, counts.sum(axis=-1)), SINGLE, (0.5,), Grid(Fraction(0), Fraction(1), 7, None))
    assert found.readable is not None
    assert not found.readable.any()


def test_a_number_of_units_below_zero_has_no_interval() -> None:
    found = told(-COUNTS, 4.0, at=(0.5,))
    assert np.isnan(found.low).all()
    assert found.readable is not None
    assert not found.readable.any()
