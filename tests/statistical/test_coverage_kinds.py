"""Do the 95% intervals of tables, totals, changes, spreads and pooled waves hold the truth 95% of the time?

Surveys, noise and false alarms as in test_coverage.py. Where the planned sampling variance is the population's own, the
share of intervals that hold is in 93-97%; where it is the largest that bounds allow, or assumes nothing about waves, it
may be more, and must not be less. Intervals for what the data themselves have (noise only) are always 93-97%, but for
spreads, whose set is wider by design.
"""

from collections.abc import Callable
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from coordinator.estimates import cross_table, histogram, mean, paired_change, proportion, standard_deviation, variance
from coordinator.estimates import sum as total
from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import Ints, NoisyBlock, Ratio, figures, noise_interval, pool
from coordinator.estimates.sets import Floats
from tests.surveys import DRAWS, EQUAL, HOUSEHOLDS, REGIONS, UNEQUAL, block, hits, noise, survey, weighted

SHAPE = (REGIONS, DRAWS)
EACH = HOUSEHOLDS[:, np.newaxis]
EVERYONE = np.broadcast_to(EACH, SHAPE)
HUNDRED = Grid(Fraction(0), Fraction(1), 100, None)


def _assert_held(
    ratio: Ratio, weights: NDArray[np.int64], population: float, data: Floats, here: float, most: float = 0.97
) -> None:
    """National intervals hold `population`, noise-only ones `data`; each region's own hold `here`."""
    everywhere = pool(ratio, weights)
    found = figures(everywhere)
    assert 0.93 <= hits(found.low, found.high, population) <= most
    assert 0.93 <= hits(*noise_interval(everywhere), data) <= 0.97
    regional = figures(ratio)
    has = ~np.isnan(regional.low)
    assert ((regional.low <= here) & (here <= regional.high))[has].mean() >= 0.93


@pytest.mark.parametrize(("low", "weights"), [(0, UNEQUAL), (-50, EQUAL)], ids=["from-zero", "negative"])
def test_sums_at_the_largest_variance_their_bounds_allow(low: int, weights: NDArray[np.int64]) -> None:
    """Families come by themselves, each at one end of the bounds; about 60 in every region."""
    numbers = survey(21).poisson(60, SHAPE)
    high = survey(22).binomial(numbers, 0.6)
    grid = Grid(Fraction(low), Fraction(1), 100, None)
    ratio = total.ratio(block(100 * (2 * high - numbers), 1400, 3), block(numbers, 16, 2), grid)
    sums = low * numbers + 100 * high
    here = 60 * (low + 100 * 0.6)
    scale = weights.sum() / 1000
    _assert_held(ratio, weights, scale * here, (weights[:, np.newaxis] * sums).sum(axis=0) / 1000, here)


TABLES: dict[str, tuple[Callable[[NoisyBlock], Ratio], Callable[[NoisyBlock], Ratio]]] = {
    "histogram": (histogram.counts, lambda table: histogram.shares(table, 4)),
    "cross_table": (cross_table.counts, lambda table: cross_table.shares(table, (2, 2))),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables(kind: str) -> None:
    """Four cells, counted in families that come by themselves."""
    weights = EQUAL if kind == "histogram" else UNEQUAL
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    cells = survey(23).poisson(60 * shares, (*SHAPE, 4))
    noises = np.stack([noise(14, copy) for copy in (1, 3, 4, 5)], axis=-1)
    table = NoisyBlock.answered((cells + noises).reshape(REGIONS, DRAWS * 4), Fraction(14))
    counted, shared = (of(table) for of in TABLES[kind])
    sums = (weights[:, np.newaxis, np.newaxis] * cells).sum(axis=0) / 1000
    for place, share in enumerate(shares):
        scale = 60 * weights.sum() / 1000
        at = slice(place, None, 4)
        _assert_held(_cells(counted, at), weights, scale * share, sums[:, place], 60 * share)
        _assert_held(_cells(shared, at), weights, share, sums[:, place] / sums.sum(axis=1), share)


def _cells(ratio: Ratio, at: slice) -> Ratio:
    """Some of the cells, for a look at one share."""
    noises = type(ratio.noise)(ratio.noise.va[:, at], ratio.noise.vb[:, at], ratio.noise.cab[:, at])
    return Ratio(ratio.a[:, at], ratio.b[:, at], noises, ratio.n[:, at], ratio.law, top=ratio.top, total=ratio.total)


def _directions(changes: Ints, improved: Ints) -> tuple[NoisyBlock, Ints]:
    """Noisy counts of improved, same and worse; and the exact ones."""
    cells = np.stack([improved, np.zeros_like(improved), changes - improved], axis=-1)
    noises = np.stack([noise(14, copy) for copy in (1, 4, 5)], axis=-1)
    return NoisyBlock.answered((cells + noises).reshape(REGIONS, DRAWS * 3), Fraction(14)), cells


@pytest.mark.parametrize(("planned", "weights"), [(True, EQUAL), (False, UNEQUAL)], ids=["planning-sd", "no-sd"])
def test_mean_changes(planned: bool, weights: NDArray[np.int64]) -> None:
    """Unrelated values of 0-100 at both waves: twice the planned variance. Without one, changes from end to end."""
    sd = Fraction(1549, 100)
    if planned:
        steps = 10 * (survey(24).binomial(10 * EACH, 0.3, SHAPE) - survey(25).binomial(10 * EACH, 0.6, SHAPE))
        truth = -30.0
        grid = Grid(Fraction(0), Fraction(1), 100, sd * Fraction(1458, 1549))
    else:
        steps = 100 * (2 * survey(26).binomial(EACH, 0.35, SHAPE) - EACH)
        truth, grid = -30.0, HUNDRED
    directions, _ = _directions(EVERYONE, survey(27).binomial(EACH, 0.7, SHAPE))
    ratio = paired_change.change(block(steps, 1400, 3), directions, grid)
    data = (weights[:, np.newaxis] * steps).sum(axis=0) / (weights * HOUSEHOLDS).sum()
    _assert_held(ratio, weights, truth, data, truth, most=0.975)


def test_shares_that_improved() -> None:
    directions, cells = _directions(EVERYONE, survey(28).binomial(EACH, 0.7, SHAPE))
    ratio = paired_change.shares(directions)
    for place, share in enumerate((0.7, 0.0, 0.3)):
        exact = weighted(cells[..., place], HOUSEHOLDS, UNEQUAL)
        _assert_held(_cells(ratio, slice(place, None, 3)), UNEQUAL, share, exact, share)


@pytest.mark.parametrize(("tries", "weights"), [(10, UNEQUAL), (1, EQUAL)], ids=["grades", "ends"])
def test_variances_and_deviations(tries: int, weights: NDArray[np.int64]) -> None:
    """Values 0-100, as sums of `tries` coins at .6. The sampling variance is the largest possible, so more may hold."""
    draw, size = survey(29), 100 // tries
    first, second = np.zeros(SHAPE, np.int64), np.zeros(SHAPE, np.int64)
    left = np.array(EVERYONE)
    coins = np.arange(tries + 1)
    for k, p in zip(coins, _conditional(tries), strict=True):
        here = draw.binomial(left, p)
        z = 2 * size * int(k) - 100
        first, second, left = first + z * here, second + z * z * here, left - here
    blocks = (
        block(2 * second - 100**2 * EVERYONE, 140_000, 6),
        block(first, 1400, 3),
        block(EVERYONE, 16, 2),
    )
    ratio, everywhere = variance.ratio(*blocks, HUNDRED), variance.pooled(*blocks, HUNDRED, weights)
    population = tries * size**2 * 0.24
    w = weights[:, np.newaxis]
    n = (weights * HOUSEHOLDS).sum()
    data = ((w * second).sum(axis=0) / n - ((w * first).sum(axis=0) / n) ** 2) / 4
    assert hits(*noise_interval(everywhere), data) >= 0.93
    for found in (figures(everywhere), figures(ratio)):
        has = ~np.isnan(found.low)
        assert ((found.low <= population) & (population <= found.high))[has].mean() >= 0.93
        root = standard_deviation.root(found)
        has = ~np.isnan(root.low)
        assert ((root.low <= population**0.5) & (population**0.5 <= root.high))[has].mean() >= 0.93
    # The bias of a ratio with a noisy denominator, and no more: a small part of the deviation.
    estimates = figures(everywhere).estimate
    assert abs(float(estimates.mean()) - population) <= 0.12 * float(estimates.std())


def _conditional(tries: int) -> list[float]:
    """P(k | at least k) of a binomial, so that multinomial counts can be drawn place by place."""
    mass = [comb(tries, k) * 0.6**k * 0.4 ** (tries - k) for k in range(tries + 1)]
    return [min(1.0, mass[k] / max(sum(mass[k:]), 1e-300)) for k in range(tries + 1)]


@pytest.mark.parametrize(("alike", "most"), [(True, 0.97), (False, 0.999)])
def test_pooled_waves_of_people_who_say_the_same_twice(alike: bool, most: float) -> None:
    """Twice the variance is exact where both waves agree, and more than enough where they are unrelated."""
    first = survey(30).binomial(EACH, 0.21, SHAPE)
    yes = first + (first if alike else survey(31).binomial(EACH, 0.21, SHAPE))
    ratio = proportion.ratio(block(2 * yes - 2 * EVERYONE, 28, 7), block(2 * EVERYONE, 32, 8), 2.0)
    _assert_held(ratio, UNEQUAL, 0.21, weighted(yes, 2 * HOUSEHOLDS, UNEQUAL), 0.21, most)


def test_pooled_waves_of_means() -> None:
    grid = Grid(Fraction(0), Fraction(1), 100, Fraction(1549, 100))
    sums = 2 * 10 * survey(32).binomial(10 * EACH, 0.6, SHAPE)
    ratio = mean.ratio(block(2 * sums - 200 * EVERYONE, 1400, 3), block(2 * EVERYONE, 32, 8), grid, 2.0)
    _assert_held(ratio, EQUAL, 60.0, weighted(sums, 2 * HOUSEHOLDS, EQUAL), 60.0)
