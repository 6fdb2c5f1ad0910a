"""Confidence sets against the obvious way: try every value and keep those that the test does not reject."""

import numpy as np
import pytest

from coordinator.estimates.sets import (
    Z95,
    Floats,
    Noise,
    Sampling,
    bounded_share,
    confidence_set,
    constant,
    proportional,
)

GRID = np.arange(-40_000, 60_001) / 10_000
"""Every value that is tried: -4 to 6 in steps of 0.0001."""


def _row(*values: float) -> Floats:
    return np.array(values, np.float64)


def _tried(a: float, b: float, noise: Noise, sampling: Sampling) -> tuple[float, float]:
    kept = GRID[(a - GRID * b) ** 2 <= Z95**2 * (noise.at(GRID) + sampling.at(GRID))]
    return float(kept.min()), float(kept.max())


def _share_noise(sn: float, sd: float) -> Noise:
    return Noise(_row((sn**2 + sd**2) / 4), _row(sd**2), _row(sd**2 / 2))


@pytest.mark.parametrize(
    ("a", "b"), [(12.5, 60.0), (0.5, 47.0), (-3.0, 55.0), (58.0, 52.0), (30.0, 61.0), (-20.0, 70.0), (20.0, -45.0)]
)
@pytest.mark.parametrize(("sn", "sd"), [(2.0, 3.0), (9.0, 8.0), (14.0, 15.0)])
@pytest.mark.parametrize("law", ["share", "constant", "none"])
def test_ends_are_those_of_trying_every_value(a: float, b: float, sn: float, sd: float, law: str) -> None:
    n = _row(max(b, 0))
    laws = {"share": bounded_share(n, 1.0), "constant": constant(0.2 * n), "none": constant(0 * n)}
    noise = _share_noise(sn, sd)
    low, high = confidence_set(_row(a), _row(b), noise, laws[law])
    assert (low[0], high[0]) == pytest.approx(_tried(a, b, noise, laws[law]), abs=1.01e-4)


@pytest.mark.parametrize("a", [-2.5, -0.5, 0.0, 0.7, 3.0])
def test_a_count_below_zero_has_its_noise_only(a: float) -> None:
    noise, sampling = Noise(_row(0.25), _row(0.0), _row(0.0)), proportional(_row(0.3))
    low, high = confidence_set(_row(a), _row(1.0), noise, sampling)
    assert (low[0], high[0]) == pytest.approx(_tried(a, 1.0, noise, sampling), abs=1.01e-4)


def test_without_noise_a_share_has_wilsons_score_interval() -> None:
    n, yes = 57.0, np.arange(0.0, 58.0)
    p, z2 = yes / n, Z95**2
    centre, spread = p + z2 / (2 * n), Z95 * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    zero, units = np.zeros_like(yes), np.full_like(yes, n)
    low, high = confidence_set(yes, units, Noise(zero, zero, zero), bounded_share(units, 1.0))
    np.testing.assert_allclose(low, (centre - spread) / (1 + z2 / n), rtol=0, atol=1e-12)
    np.testing.assert_allclose(high, (centre + spread) / (1 + z2 / n), rtol=0, atol=1e-12)


def test_without_sampling_a_ratio_has_fiellers_interval() -> None:
    a, b, va, vb, cab = 13.0, 66.0, 90.0, 170.0, 60.0
    g = Z95**2 * vb / b**2
    p = a / b
    centre = p - g * cab / vb
    spread = Z95 / b * np.sqrt(va - 2 * p * cab + p * p * vb - g * (va - cab**2 / vb))
    low, high = confidence_set(_row(a), _row(b), Noise(_row(va), _row(vb), _row(cab)), constant(_row(0.0)))
    assert (low[0], high[0]) == pytest.approx(((centre - spread) / (1 - g), (centre + spread) / (1 - g)), abs=1e-12)


@pytest.mark.parametrize("b", [0.0, 1.95, -1.95])
def test_a_denominator_that_may_be_zero_has_no_interval(b: float) -> None:
    noise = Noise(_row(1.0), _row(1.0), _row(0.5))
    ends = confidence_set(_row(3.0), _row(b), noise, bounded_share(_row(max(b, 0)), 1.0))
    assert [bool(np.isnan(end[0])) for end in ends] == [True, True]


def test_no_noise_and_no_units_is_unbounded_and_not_an_error() -> None:
    zero = _row(0.0)
    low, high = confidence_set(zero, zero, Noise(zero, zero, zero), bounded_share(zero, 1.0))
    assert np.isnan(low[0])
    assert np.isnan(high[0])


def test_sixty_three_bits_stay_finite() -> None:
    a, b = _row(2.0**61), _row(2.0**62)
    noise = Noise(_row(2.0**100), _row(2.0**100), _row(2.0**99))
    low, high = confidence_set(a, b, noise, constant(_row(0.0)))
    assert low[0] < 0.5 < high[0]
