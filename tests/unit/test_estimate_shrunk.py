"""Small-area shrinkage: against published figures, against brute force, and as rows beside the direct ones."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from coordinator.estimates import proportion, shrunk
from coordinator.estimates.fay_herriot import (
    adjusted_likelihood,
    model_variance,
    predict,
    residual_likelihood,
    shrink,
)
from coordinator.estimates.ratio import NoisyBlock, figures
from coordinator.estimates.rows import Row
from coordinator.estimates.sets import Floats
from coordinator.estimates.shrunk import denominators, pull
from tests.beside_study import REGIONS, found, planned

# Thirteen trials of a vaccine against tuberculosis (Colditz et al. 1994): log relative risks and their variances, as in
# the data set dat.bcg of the R package metafor (Viechtbauer 2010, J. Stat. Softw. 36(3)). A meta-analysis with random
# effects is a Fay-Herriot model with a mean alone.
TRIALS = np.fromstring(
    "-0.88931133 -1.5853887 -1.3480731 -1.4415512 -0.21754732 -0.78611559 -1.6208982 0.011952334 "
    "-0.46941765 -1.3713448 -0.33935883 0.4459134 -0.017313948",
    sep=" ",
)
THEIR_VARIANCES = np.fromstring(
    "0.32558477 0.19458112 0.41536797 0.020010032 0.051210172 0.0069056185 0.22301725 0.0039615793 "
    "0.05643421 0.073024794 0.012412214 0.53250585 0.07140466",
    sep=" ",
)
REML = 0.31324333
"""tau^2 of metafor 3.8, `rma(yi, vi)`; 0.3132 in its manual."""
BLUPS = np.fromstring(
    "-0.80023357 -1.251706 -0.98690313 -1.3978977 -0.28737979 -0.78457153 -1.2439635 0.0028792498 "
    "-0.50683635 -1.247173 -0.3536584 -0.28473366 -0.14674305",
    sep=" ",
)
"""Of `blup(rma(yi, vi))`, and the standard errors below: without the part that tau^2 was estimated."""
BLUP_ERRORS = np.fromstring(
    "0.40993047 0.35322732 0.4348316 0.13756842 0.21131176 0.082290353 0.36859198 0.062587094 "
    "0.22039127 0.24571222 0.10948097 0.45830051 0.2434403",
    sep=" ",
)


def _highest(likelihood: object, figures_: Floats, variances: Floats) -> float:
    """By a bounded search on its own, over A up to a thousand times the mean variance."""
    assert callable(likelihood)
    top = float(variances.mean())
    grid = top * np.concatenate(([1e-9], np.geomspace(1e-6, 1e3, 4000)))
    heights = [float(likelihood(figures_, variances, np.array(a))) for a in grid]
    best = int(np.argmax(heights))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(
        lambda a: -float(likelihood(figures_, variances, np.array(a))),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-12 * top},
    )
    return float(found.x)


def test_the_likelihood_predictions_and_errors_are_those_published() -> None:
    assert _highest(residual_likelihood, TRIALS, THEIR_VARIANCES) == pytest.approx(REML, abs=1e-6)
    found = predict(TRIALS, THEIR_VARIANCES, np.array(REML))
    assert found.estimate == pytest.approx(BLUPS, abs=1e-6)
    precision = 1 / (REML + THEIR_VARIANCES)
    third = THEIR_VARIANCES**2 * precision**3 * 2 / (precision**2).sum()
    assert np.sqrt(found.mse - 2 * third) == pytest.approx(BLUP_ERRORS, abs=1e-6)


def test_the_model_variance_is_the_highest_point_found_by_brute_force() -> None:
    rng = np.random.default_rng(3)
    for regions in (5, 13, 26):
        variances = rng.uniform(0.5, 2, (20, regions))
        values = rng.normal(size=(20, regions)) * np.sqrt(variances + rng.choice([0, 0.3, 3.0], (20, 1)))
        found = model_variance(values, variances)
        for one in range(20):
            brute = _highest(adjusted_likelihood, values[one], variances[one])
            assert found[one] == pytest.approx(brute, rel=1e-4, abs=1e-7)


def test_regions_that_look_alike_keep_an_interval() -> None:
    """Plain maximum likelihood says A = 0 here, and then knows every region as well as all of them together."""
    values, variances = np.full(13, 0.21), np.full(13, 0.01)
    found = shrink(values, variances)
    assert found.model > 0
    assert found.estimate == pytest.approx(values)
    assert (found.mse > 2 * 0.01 / 13).all()


def test_too_few_regions_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 regions"):
        shrink(np.zeros((3, 4)), np.ones((3, 4)))


def test_what_independent_errors_leave_is_what_the_weights_say() -> None:
    rng = np.random.default_rng(4)
    values, variances = rng.normal(size=13), rng.uniform(0.5, 2, 13)
    found = predict(values, variances, np.array(0.4))
    unit = [predict(np.eye(13)[place], variances, np.array(0.4)).estimate for place in range(13)]
    assert found.variance(variances) == pytest.approx((np.array(unit).T ** 2 * variances).sum(axis=1))


def test_with_little_noise_a_region_is_divided_by_its_own_denominator_and_else_by_the_expected_one() -> None:
    noisy = np.array([[90.0], [40.0], [60.0], [50.0], [70.0]])
    expected = np.array([60.0, 60.0, 60.0, 60.0, 70.0])
    assert denominators(noisy, np.full((5, 1), 1e-6), expected) == pytest.approx(noisy)
    assert denominators(noisy, np.full((5, 1), 1e6), expected)[:, 0] == pytest.approx(np.full(5, 1e3))
    many = denominators(noisy, np.full((5, 1), 400.0), expected)[:, 0]
    assert many == pytest.approx(expected)


def test_shrinking_does_not_depend_on_the_scale_of_the_figure() -> None:
    rng = np.random.default_rng(5)
    units = np.array([[67.0], [45], [60], [55], [50], [75]])
    ratio = proportion.ratio(
        NoisyBlock(rng.normal(-30, 8, (6, 4)), 64.0), NoisyBlock(units + rng.normal(0, 4, (6, 4)), 16.0)
    )
    plain = pull(ratio, units[:, 0])
    grown = pull(replace(ratio, lower=7.0, step=-3.0), units[:, 0])
    assert grown.estimate == pytest.approx(7 - 3 * plain.estimate)
    assert grown.std_error == pytest.approx(3 * plain.std_error)
    assert (grown.noise_sd < 3 * figures(ratio).noise_sd).all()


STATISTICS = """
  - {id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1}
  - {id: incidents, kind: mean, of: incidents, unit: household, wave: T1}
  - {id: by_help, kind: histogram, of: help, unit: household, wave: T1}
  - {id: households, kind: count, unit: household, wave: T1}
  - {id: total, kind: sum, of: incidents, unit: household, wave: T1}
"""


def _rows(without: tuple[str, ...] = ()) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The direct rows, and the shrunk ones."""
    came = found(planned(STATISTICS), without=without)
    return came.rows, tuple(shrunk.rows(came))


def test_every_region_that_answered_has_a_row_for_each_average_and_only_those() -> None:
    rows, others = _rows(without=("AA",))
    assert {row.scope for row in others} == set(REGIONS) - {"AA"}
    asked_for = {(row.statistic, row.measure) for row in others}
    assert asked_for == {("stopped", "share"), ("incidents", "mean"), ("by_help", "share")}
    beside = {(r.statistic, r.measure, r.cell, r.scope): r for r in others}
    direct = {(r.statistic, r.measure, r.cell, r.scope): r for r in rows}
    assert len(beside) == len(others)
    for place, row in beside.items():
        raw = direct[place]
        kept = (row.numerator_noisy, row.denominator_noisy, row.rho)
        assert kept == (raw.numerator_noisy, raw.denominator_noisy, raw.rho)
        assert (row.status, row.estimator) == ("ok", "shrunk")
        assert "the region's own figure" in row.note
        assert row.noise_sd < raw.noise_sd
        assert row.ci_low < row.estimate < row.ci_high
    assert all(
        one.scope < other.scope
        for one, other in pairwise(others)
        if (one.statistic, one.cell) == (other.statistic, other.cell)
    )


def test_four_regions_are_too_few_for_shrunk_rows() -> None:
    direct, others = _rows(without=REGIONS[4:])
    assert direct
    assert not others


def test_denominators_that_drown_in_noise_give_no_shrunk_rows() -> None:
    came = found(planned(STATISTICS, rho="0.002"))
    assert not [row for row in shrunk.rows(came) if row.statistic == "stopped"]
