"""Noisy blocks and the ratios made of them, per region and pooled over regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

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

Ints = NDArray[np.int64]
Law = Literal["share", "constant", "poisson"]
Source = Literal["estimated", "planned", "none"]


@dataclass(frozen=True, slots=True)
class NoisyBlock:
    """One block as the regions answered it, in base units: values (regions x cells) with noise of this variance each.

    The values are raw: noisy, never clamped, possibly negative.
    """

    base: Floats
    variance: float

    @classmethod
    def answered(cls, values: Ints, sigma: Fraction, multiplier: int = 1) -> Self:
        """From the integers as sent and the signed sigma, both in multiplied units; dividing leaks nothing."""
        return cls(np.asarray(values / multiplier, np.float64), float(sigma / multiplier) ** 2)


@dataclass(frozen=True, slots=True)
class Absent:
    """What regions that did not answer add to a national ratio, by cell; see coordinator/estimates/absent.py.

    `variance` is added to that of A - theta*B, and `quantile` takes the place of the normal one. `deviation` between
    regions is in the units people know; `source` says where it comes from.
    """

    variance: Floats
    quantile: float | Floats
    deviation: Floats
    source: Source


@dataclass(frozen=True, slots=True)
class Ratio:
    """theta = a/b with its noise and its sampling law; arrays are regions x cells, or cells once pooled.

    `n` is what the sampling variance is proportional to: units (share, constant), or the slope of a count. It is raw,
    so it may be negative; only its use in a variance stops at zero. `per_unit` is the variance of one unit (constant).
    Theta is on the grid; `lower + step * theta` is the value people know. `top` is the largest theta of a share. A
    `total` has no denominator: b is 1, also when regions are pooled. `absent` is None where every region is in.
    """

    a: Floats
    b: Floats
    noise: Noise
    n: Floats
    law: Law
    top: float | Floats = 1.0
    per_unit: float = 0.0
    lower: float = 0.0
    step: float = 1.0
    note: str = ""
    total: bool = False
    absent: Absent | None = None

    @property
    def sampling(self) -> Sampling:
        n = np.maximum(self.n, 0.0)
        match self.law:
            case "share":
                return bounded_share(n, self.top)
            case "constant":
                return constant(n * self.per_unit)
            case "poisson":
                return proportional(n)

    @property
    def denominator_sd(self) -> Floats:
        """The deviation of the noise in b."""
        return np.sqrt(self.noise.vb)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a table shows, of the shape of the ratio. low and high are NaN where the set is unbounded.

    The deviations are those of the linearised ratio at the estimate; that of sampling holds what regions that did not
    answer add. `numerator` and `denominator` are raw noisy numbers with estimate = numerator / denominator; a count has
    no denominator, and what is no ratio has no numerator.

    Of what is no ratio, `readable` says which rows may be read (elsewhere the denominator does, see status), `remarks`
    what is to be said of some of them (by their place), and `note` what is to be said of all; `absent` as of a ratio.
    """

    estimate: Floats
    low: Floats
    high: Floats
    noise_sd: Floats
    sampling_sd: Floats
    std_error: Floats
    numerator: Floats
    denominator: Floats
    denominator_sd: Floats
    readable: NDArray[np.bool_] | None = None
    remarks: Mapping[tuple[int, ...], str] = field(default_factory=dict)
    note: str = ""
    absent: Absent | None = None


def pool(ratio: Ratio, weights: Ints, grid: int = 1000) -> Ratio:
    """The national ratio over the regions (rows): sums weighted by public integers on a grid of 1/1000.

    Noise is independent between regions, so variances add with the squares of the weights; so does sampling.
    """
    w = (np.asarray(weights, np.float64) / grid)[:, np.newaxis]
    noise = Noise(*((w * w * v).sum(axis=0) for v in (ratio.noise.va, ratio.noise.vb, ratio.noise.cab)))
    a, b, n = (w * ratio.a).sum(axis=0), (w * ratio.b).sum(axis=0), (w * w * ratio.n).sum(axis=0)
    if ratio.law == "poisson":
        n = _pooled_slope(ratio, w)
    return replace(ratio, a=a, b=np.ones_like(a) if ratio.total else b, noise=noise, n=n)


def pool_block(block: NoisyBlock, weights: Ints, grid: int = 1000) -> NoisyBlock:
    """The national sum of a block over the regions (rows), weighted as in `pool`; one row of cells."""
    w = np.asarray(weights, np.float64) / grid
    return NoisyBlock((w[:, np.newaxis] * block.base).sum(axis=0), float((w * w).sum()) * block.variance)


def _pooled_slope(ratio: Ratio, w: Floats) -> Floats:
    """sum(w^2 d) / sum(w d), a mean of the weights by noisy counts; kept within the weights, where it must lie."""
    slope = ratio.n[0]
    total = (w * ratio.a).sum(axis=0)
    plain = np.full_like(total, (w * w).sum() / w.sum())
    mean = np.divide((w * w * ratio.a).sum(axis=0), total, out=plain, where=total > 0)
    return np.asarray(slope * np.clip(mean, w.min(), w.max()))


def figures(ratio: Ratio, z: float | Floats = Z95) -> Figures:
    """Estimates, confidence intervals and deviations, in the units people know.

    `z` is the quantile, one for all cells or one each; where regions are absent theirs is used.
    """
    absent = ratio.absent
    widened = ratio.noise if absent is None else replace(ratio.noise, va=ratio.noise.va + absent.variance)
    quantile = z if absent is None else absent.quantile
    low, high = confidence_set(ratio.a, ratio.b, widened, ratio.sampling, quantile)
    theta = np.divide(ratio.a, ratio.b, out=np.full_like(ratio.a, np.nan), where=ratio.b != 0)
    scale = np.divide(ratio.step, np.abs(ratio.b), out=np.full_like(ratio.a, np.nan), where=ratio.b != 0)
    noise, sampling = ratio.noise.at(theta), ratio.sampling.at(theta)
    if absent is not None:
        sampling = sampling + absent.variance
    return Figures(
        estimate=ratio.lower + ratio.step * theta,
        low=ratio.lower + ratio.step * low,
        high=ratio.lower + ratio.step * high,
        noise_sd=np.sqrt(noise) * scale,
        sampling_sd=np.sqrt(sampling) * scale,
        std_error=np.sqrt(noise + sampling) * scale,
        numerator=ratio.lower * ratio.b + ratio.step * ratio.a,
        denominator=np.full_like(ratio.b, np.nan) if ratio.total else ratio.b,
        denominator_sd=ratio.denominator_sd,
    )


def noise_interval(ratio: Ratio, z: float = Z95) -> tuple[Floats, Floats]:
    """The interval for what the data themselves would give without noise (no sampling variance); Fieller 1954.

    NaN where it is unbounded. Values in the units people know.
    """
    none = constant(np.zeros_like(ratio.a))
    low, high = confidence_set(ratio.a, ratio.b, ratio.noise, none, z)
    return ratio.lower + ratio.step * low, ratio.lower + ratio.step * high
