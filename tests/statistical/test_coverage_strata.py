"""Do the 95% intervals of adjusted differences and quantiles hold the truth 95% of the time?

Surveys and weights as in test_coverage.py: thirteen regions, noise from the product's own sampler. Adjusted differences
at an expected 20 units or more in each cell of all regions together: of 10,000 surveys 93-97% hold, before any row is
withheld, an unbounded interval counted as one that holds. Those of quantiles end at the ends of leaves, so they hold
more often, and never less than 93%.

False alarm: with 40,000 draws a case, coverage of differences was 94.9-95.1% (0.1% unbounded), that of quantiles 99.1%
or more. A share of 10,000 draws then leaves 93-97% with probability below 1e-13 (8 deviations of 0.22%), so any of the
seven assertions here fails by chance with probability below 1e-6. Fresh noise every time; the surveys have fixed seeds.
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from coordinator.estimates.adjusted_difference import YES_OR_NO, cells
from coordinator.estimates.adjusted_difference import figures as differences
from coordinator.estimates.mean import Grid
from coordinator.estimates.quantile import figures, leaves
from coordinator.estimates.ratio import Figures, NoisyBlock
from tests.surveys import DRAWS, EQUAL, HOUSEHOLDS, REGIONS, UNEQUAL, noise, survey

SHARES = np.array([[0.0325, 0.0375], [0.11, 0.07], [0.4, 0.35]])
"""Strata x groups: who is worse off gets more help. The least cell has 27 of 819 expected units."""
SIGMA = 1
"""In one region. In the sum of all a cell then has a deviation of 4 households, where the least has 27 of them."""
STOPPED = np.array([[0.55, 0.63], [0.37, 0.45], [0.12, 0.16]])


def drawn(seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Units and those that stopped: regions x (draws and cells, row-major)."""
    draw = survey(seed)
    units = np.stack([draw.multinomial(n, SHARES.ravel(), DRAWS) for n in HOUSEHOLDS])
    yes = draw.binomial(units, STOPPED.ravel())
    return units.reshape(REGIONS, -1), yes.reshape(REGIONS, -1)


def noisy(values: NDArray[np.int64], copy: int, places: int) -> NoisyBlock:
    """With noise of one household in every cell: one set of draws, for each cell shifted against the surveys."""
    own = noise(SIGMA, copy)
    added = np.stack([np.roll(own, 997 * place, axis=1) for place in range(places)], axis=-1)
    return NoisyBlock.answered(values.reshape(REGIONS, -1) + added.reshape(REGIONS, -1), Fraction(SIGMA))


def held(found: Figures, truth: float) -> float:
    """Rows that hold it; an unbounded interval does."""
    inside = (found.low <= truth) & (truth <= found.high)
    return float((inside | np.isnan(found.low)).mean())


@pytest.mark.parametrize("weights", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
def test_adjusted_and_naive_differences(weights: NDArray[np.int64]) -> None:
    units, yes = drawn(40)
    pooled = cells(noisy(2 * yes - units, 0, 6), noisy(units, 1, 6), 3, 2, 1.0, weights)
    adjusted, naive = differences(pooled, YES_OR_NO, ["none", "some", "frequent"], ["without", "with"])
    truth = float(SHARES.sum(axis=1) @ (STOPPED[:, 1] - STOPPED[:, 0]))
    plain = (SHARES * STOPPED).sum(axis=0) / SHARES.sum(axis=0)
    assert 0.93 <= held(adjusted, truth) <= 0.97
    assert 0.93 <= held(naive, float(plain[1] - plain[0])) <= 0.97


def test_quantiles_of_a_tree() -> None:
    """Sixteen leaves of four values each, of which the first holds a tenth of all units at its lowest value."""
    at = np.array([0.1, *np.full(63, 0.9 / 63)])
    draw = survey(50)
    counts = np.stack([draw.multinomial(n, at.reshape(16, 4).sum(axis=1), DRAWS) for n in HOUSEHOLDS])
    levels = [counts.reshape(REGIONS, DRAWS, 2**depth, -1).sum(axis=-1, dtype=np.int64) for depth in range(1, 5)]
    tree = leaves([noisy(level, place, level.shape[-1]) for place, level in enumerate(levels)], 1.0, UNEQUAL)
    found = figures(tree, range(0, 65, 4), (0.25, 0.5, 0.9), Grid(Fraction(0), Fraction(1), 63, None))
    for place, part in enumerate((0.25, 0.5, 0.9)):
        truth = float(np.searchsorted(np.cumsum(at), part))
        low, high = (values.reshape(DRAWS, 3)[:, place] for values in (found.low, found.high))
        assert float(((low <= truth) & (truth <= high)).mean()) >= 0.93
