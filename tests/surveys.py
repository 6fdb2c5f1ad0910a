"""Surveys of thirteen regions with noise from the product's own sampler: what tests of coverage draw from."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from coordinator.estimates.ratio import Ints, NoisyBlock
from coordinator.estimates.sets import Floats
from node.mechanism import noisy
from policies.statistics.programme import PlannedBlock
from policies.units.noise import Sigma

DRAWS = 10_000
HOUSEHOLDS = np.array([67, 45, 60, 55, 50, 75, 78, 50, 68, 78, 62, 63, 68])
ADULTS = np.array([70, 47, 63, 58, 52, 79, 82, 52, 71, 82, 65, 66, 71])
CHILDREN = np.array([78, 53, 70, 64, 58, 88, 91, 58, 79, 91, 72, 74, 79])
REGIONS = len(HOUSEHOLDS)
EQUAL = np.full(REGIONS, 1000)
UNEQUAL = np.array([600, 1000, 1500, 800, 1200, 2000, 700, 900, 1100, 1300, 500, 1700, 1000])
WEIGHTS = pytest.mark.parametrize("weights", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
SIGMAS = {"household": (14, 16), "adult": (20, 26), "child": (30, 39)}
"""Noise of a unit's numerators and denominators in the shipped programme, rounded."""


@lru_cache(maxsize=8)
def noise(sigma: int, copy: int) -> Ints:
    """Noise of one coordinate, regions x draws; `copy` numbers independent draws."""
    planned = PlannedBlock(id=f"b{copy}", cells=1, multiplier=1, bound_squared=1, sigma=(sigma, 0))
    assert planned.scale == Sigma(sigma, 0)
    return np.array(noisy([0] * (REGIONS * DRAWS), planned), np.int64).reshape(REGIONS, DRAWS)


def block(values: Ints, sigma: int, copy: int, multiplier: int = 1) -> NoisyBlock:
    """Exact sums (regions x draws) as a node answers them. Every draw stands in its own cell."""
    return NoisyBlock.answered(multiplier * values + noise(sigma, copy), Fraction(sigma), multiplier)


def survey(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def hits(low: Floats, high: Floats, truth: Floats | float) -> float:
    return float(np.mean((low <= truth) & (truth <= high)))


def weighted(yes: Ints, units: Ints, weights: NDArray[np.int64]) -> Floats:
    return np.asarray((weights[:, np.newaxis] * yes).sum(axis=0) / (weights * units).sum(), np.float64)
