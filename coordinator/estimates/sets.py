"""Confidence sets of a ratio by inverting its test, in closed form, for any number of ratios at once.

The hypothesis "the ratio is t" says that A - t*B has mean zero. Its variance is known or follows from t:

    noise(t)    = vA - 2 t cAB + t^2 vB         the public noise (Fieller 1954)
    sampling(t) = s0 + s1 t + s2 t^2            for low <= t <= high, zero outside

where sampling is that of the hypothesis itself, not of the estimate (Wilson 1927): n (t - low)(high - t) for a share,
a constant for a mean with a planning deviation, proportional to t for a count. The set is every t that is not rejected,

    (A - t B)^2 <= z^2 (noise(t) + sampling(t)).

Collecting powers of t gives one quadratic, a t^2 - 2 h t + c <= 0, inside [low, high] and another outside it:

    outside: a = B^2 - z^2 vB           h = A B - z^2 cAB              c = A^2 - z^2 vA
    inside:  a = outside - z^2 s2       h = outside + z^2 s1 / 2       c = outside - z^2 s0

They agree at low and high, where a share has no sampling variance. The outside quadratic decides whether the set is
bounded: only if a > 0, that is if B lies more than z deviations of its own noise from zero. Then each part is an
interval, and their hull is returned (it is the set itself, except that with noise far below one unit an estimate just
outside [low, high] can leave a gap). No noise gives the score interval of Wilson, no sampling gives Fieller's.

A and B are raw noisy numbers: nothing is clamped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z95 = 1.959963984540054
"""The normal quantile of 0.975."""
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Noise:
    """Variances and covariance of the noise in A and B, in their units; of the shape of A."""

    va: Floats
    vb: Floats
    cab: Floats

    def at(self, theta: Floats) -> Floats:
        """The noise variance of A - theta*B; never below zero (rounding)."""
        return np.maximum(self.va - 2 * theta * self.cab + theta * theta * self.vb, 0.0)


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sampling variance s0 + s1 t + s2 t^2 of A - t*B for t in [low, high]; zero outside. Never negative inside."""

    s0: Floats
    s1: Floats
    s2: Floats
    low: float
    high: float | Floats

    def at(self, theta: Floats) -> Floats:
        inside = (theta >= self.low) & (theta <= self.high)
        return np.where(inside, np.maximum(self.s0 + self.s1 * theta + self.s2 * theta * theta, 0.0), 0.0)


def bounded_share(n: Floats, high: float | Floats) -> Sampling:
    """n t (high - t): binomial for high = 1, and the largest for n values in [0, high] (Bhatia-Davis 2000)."""
    zero = np.zeros_like(n)
    return Sampling(zero, n * high, -n, 0.0, high)


def constant(variance: Floats) -> Sampling:
    """The same sampling variance under every hypothesis."""
    zero = np.zeros_like(variance)
    return Sampling(variance, zero, zero, -np.inf, np.inf)


def proportional(slope: Floats) -> Sampling:
    """slope * t, for a total (B = 1); Poisson for slope 1."""
    zero = np.zeros_like(slope)
    return Sampling(zero, slope, zero, 0.0, np.inf)


def confidence_set(
    a: Floats, b: Floats, noise: Noise, sampling: Sampling, z: float | Floats = Z95
) -> tuple[Floats, Floats]:
    """The ends of {t: (A - t B)^2 <= z^2 (noise(t) + sampling(t))}; NaN where the set is unbounded.

    `z` is one quantile for all ratios, or one each. Where the set is bounded it contains A/B, and it grows with every
    variance and with z. Formulas: see the top of this file.
    """
    z2 = z * z
    square, half, rest = b * b - z2 * noise.vb, a * b - z2 * noise.cab, a * a - z2 * noise.va
    bounded = square > 0
    estimate = np.divide(a, b, out=np.full_like(a, np.nan), where=bounded)
    left, right = _roots(square, half, rest, bounded)
    first, last = _roots(square - z2 * sampling.s2, half + z2 * sampling.s1 / 2, rest - z2 * sampling.s0, bounded)
    first, last = np.maximum(first, sampling.low), np.minimum(last, sampling.high)
    apart = ~(first <= last)
    first, last = np.where(apart, estimate, first), np.where(apart, estimate, last)
    # The estimate is always in the set; taking it in again only undoes rounding where the set is a single point.
    low = np.fmin(np.fmin(estimate, first), np.where(left < sampling.low, left, estimate))
    low = np.fmin(low, np.where(left > sampling.high, left, estimate))
    high = np.fmax(np.fmax(estimate, last), np.where(right > sampling.high, right, estimate))
    high = np.fmax(high, np.where(right < sampling.low, right, estimate))
    return np.where(bounded, low, np.nan), np.where(bounded, high, np.nan)


def _roots(square: Floats, half: Floats, rest: Floats, bounded: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The roots of square t^2 - 2 half t + rest, without cancellation; NaN where there are none or none is wanted."""
    under = half * half - square * rest
    far = half + np.where(half < 0, -1.0, 1.0) * np.sqrt(np.where(under > 0, under, 0.0))
    wanted = bounded & (under >= 0)
    one = np.divide(far, square, out=np.full_like(far, np.nan), where=wanted)
    # far is zero only when both roots are zero.
    two = np.divide(rest, far, out=np.where(wanted, 0.0, np.nan), where=wanted & (far != 0))
    return np.minimum(one, two), np.maximum(one, two)
