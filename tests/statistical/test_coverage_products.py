"""Do the 95% intervals of covariances, correlations and regressions hold the truth 95% of the time?

Thirteen regions of study size (819 households in all) or of 3,000, of which each study is a fresh sample; every region
adds its own noise, as large as an evenly spread price of epsilon 3 makes it (rho 0.185), and all are pooled. National
sums have the noise of one such draw. 4,000 studies each: with true coverage 95% the measured one leaves 93-97% with
probability below 1e-6 (5.8 deviations). Coverage is taken before anything is withheld, except of a regression, of which
the share that is withheld is looked at; unbounded sets count as holding.
"""

from collections.abc import Sequence
from itertools import chain
from math import sqrt

import numpy as np
import pytest

from coordinator.estimates import correlation, covariance, regression
from coordinator.estimates.pairs import Pair, Scale
from coordinator.estimates.ratio import NoisyBlock, figures
from coordinator.estimates.sets import Floats
from tests.products import YES, as_pair, exactly, noisily, number, sums

STUDIES, AT_ONCE = 4000, 500
MANY = pytest.param(3000, marks=pytest.mark.slow)
REGIONS = 13
RHO = 0.185
SCALES = (number(100, 17.74), YES, number(20, 4.17), number(10, 2.15))
"""An outcome, a condition, two numbers; planning deviations about as they are in `survey`."""


def survey(rng: np.random.Generator, *shape: int) -> list[Floats]:
    yes = (rng.random(shape) < 0.3).astype(np.float64)
    one = np.clip(np.rint(9 + 4 * rng.standard_normal(shape) + 3 * yes), 0, 20)
    other = np.clip(np.rint(5 + 2 * rng.standard_normal(shape) + 0.2 * (one - 10)), 0, 10)
    outcome = 40 + 12 * yes + 1.5 * one - 3 * other + 15 * rng.standard_normal(shape)
    return [np.clip(np.rint(outcome), 0, 100), yes, one, other]


def conditions(rng: np.random.Generator, *shape: int) -> list[Floats]:
    yes = rng.random(shape) < 0.2
    other = rng.random(shape) < np.where(yes, 0.5, 0.1)
    return [yes.astype(np.float64), other.astype(np.float64)]


def deviation(scales: Sequence[Scale], national: bool) -> float:
    """Of the noise in the pooled sums over each block's bound. One draw for 9 of 13 where only the sum is seen."""
    blocks = len(sums([np.zeros(1)] * len(scales), scales))
    return sqrt(blocks / (2 * RHO)) * sqrt(REGIONS / 9 if national else REGIONS)


def population(drawn: list[Floats], scales: Sequence[Scale]) -> list[NoisyBlock]:
    return exactly(sums([column[:, np.newaxis] for column in drawn], scales))


PAIRS = {"numbers": (0, 2), "a number and a condition": (0, 1), "a condition and a number": (1, 3), "conditions": None}


@pytest.mark.parametrize("households", [819, MANY])
@pytest.mark.parametrize("kind", PAIRS)
def test_covariances_and_correlations(kind: str, households: int) -> None:
    chosen = PAIRS[kind]
    scales = (YES, YES) if chosen is None else (SCALES[chosen[0]], SCALES[chosen[1]])
    rng = np.random.default_rng(41)

    def data(*shape: int) -> list[Floats]:
        return conditions(rng, *shape) if chosen is None else [survey(rng, *shape)[i] for i in chosen]

    truth = Pair.of(as_pair(population(data(1_000_000), scales), scales), scales)
    # A correlation needs as many blocks as a regression on one term; a covariance fewer, and so it has less noise.
    sd, n = deviation(scales, national=False), np.full(AT_ONCE, float(households))
    held: dict[str, list[np.float64]] = {covariance.MEASURE: [], correlation.MEASURE: []}
    for _ in range(STUDIES // AT_ONCE):
        pair = Pair.of(as_pair(noisily(sums(data(households, AT_ONCE), scales), scales, sd, rng), scales), scales)
        for of in (covariance, correlation):
            found = figures(of.ratio(pair, n))
            true = figures(of.ratio(truth, truth.units.base)).estimate
            held[of.MEASURE] += list(((found.low <= true) & (true <= found.high)) | np.isnan(found.low))
    shares = {name: float(np.mean(hits)) for name, hits in held.items()}
    print(f"{kind}, {households} households: {shares}")
    assert all(0.93 <= share <= 0.97 for share in shares.values())


@pytest.mark.parametrize(("households", "least"), [(819, 0.85), pytest.param(3000, 0.999, marks=pytest.mark.slow)])
def test_coefficients_of_a_regression(households: int, least: float) -> None:
    """Asked nationally. At 819 households it is about what can be read at this price: one study in nine is withheld."""
    rng = np.random.default_rng(42)
    truth = regression.coefficients(population(survey(rng, 1_000_000), SCALES), SCALES, np.full(1, 1e6)).estimate
    sd, n = deviation(SCALES, national=True), np.full(AT_ONCE, float(households))
    hits, readable, errors = [], [], []
    for _ in range(STUDIES // AT_ONCE):
        blocks = noisily(sums(survey(rng, households, AT_ONCE), SCALES), SCALES, sd, rng)
        found = regression.coefficients(blocks, SCALES, n)
        assert found.readable is not None
        low, high, fine = (one.reshape(AT_ONCE, -1) for one in (found.low, found.high, found.readable))
        hits.append((low <= truth) & (truth <= high))
        readable.append(fine[:, 0])
        errors.append(found.estimate.reshape(AT_ONCE, -1) - truth)
    fine = np.array(list(chain(*readable)))
    held = np.concatenate(hits)[fine].mean(axis=0)
    off = np.concatenate(errors)[fine]
    print(f"regression, {households} households: {held} of the {fine.mean():.1%} that may be read")
    assert fine.mean() >= least
    assert ((held >= 0.93) & (held <= 0.97)).all()
    # Without the correction to second order it would be some tenths of a deviation at 819.
    assert (np.abs(off.mean(axis=0)) <= 0.12 * off.std(axis=0)).all()


def test_a_rare_condition_that_is_explained_by_a_rarer_one() -> None:
    """3% without, 28% with a term that 10% have: residuals that spread alike would hold the truth 67% of the time."""
    rng = np.random.default_rng(43)
    scales = (YES, YES, number(10, 2.0))

    def data(*shape: int) -> list[Floats]:
        term = (rng.random(shape) < 0.1).astype(np.float64)
        yes = (rng.random(shape) < 0.03 + 0.25 * term).astype(np.float64)
        return [yes, term, np.clip(np.rint(5 + 2 * rng.standard_normal(shape)), 0, 10)]

    truth = regression.coefficients(population(data(1_000_000), scales), scales, np.full(1, 1e6)).estimate
    sd, hits = 1.5, []
    for _ in range(STUDIES // AT_ONCE):
        blocks = noisily(sums(data(819, AT_ONCE), scales), scales, sd, rng)
        found = regression.coefficients(blocks, scales, np.full(AT_ONCE, 819.0))
        low, high = (one.reshape(AT_ONCE, -1) for one in (found.low, found.high))
        hits.append((low <= truth) & (truth <= high))
    intercept, term, other = np.concatenate(hits).mean(axis=0)
    print(f"rare conditions: {intercept}, {term}, {other}")
    assert 0.93 <= term <= 0.97
    assert 0.93 <= other <= 0.97
    # Wider than it need be: it holds both groups' errors as if they were the term's.
    assert intercept >= 0.93
