"""Regions that did not answer: what they add to the variance of a national figure.

The figure is to be that of every region asked, theta = sum(W_r theta_r), with public weights W_r that are proportional
to weight times expected units and add to 1. Of the missing ones nothing is known, so the estimate is that of the
others, and it is off by f (mean of the answered - mean of the missing), where f is the share of W that is missing.
Take the regions' own values as drawn alike, with variance tau^2 between regions, and missing at random: the error has
mean zero and variance (two-stage sampling, Cochran 1977, section 11.3)

    f^2 tau^2 (1/m + 1/k),    m, k: effective numbers, (sum W)^2 / sum W^2, of answered and missing regions.

tau^2 is estimated by moments from what each region answered (DerSimonian and Laird 1986), on the scale of e_r = A_r -
theta B_r, so that nobody divides by one region's noisy denominator. With v_r the variance that noise and sampling give
e_r, and N_r the region's part of the noisy units by public expected numbers,

    Q = sum(e_r^2 / v_r),    E Q = K tau^2 + L,    tau^2 = max(0, (Q - L) / K)

where K and L take into account that theta is estimated too: with p_r = N_r / sum(w N), the variance of e_r is
V_r (1 - 2 w_r p_r) + p_r^2 sum(w^2 V), for V_r = v_r + N_r^2 tau^2. Var Q is taken as 2 sum((V_r / v_r)^2) (n - 1) / n
for n answered regions, which is exact where they are alike.

That estimate has few degrees of freedom, and it is the only one in the interval: noise is public, and sampling is that
of the hypothesis. So the quantile is that of t with 2 V^2 / Var(estimated part) degrees of freedom (Satterthwaite
1946), where V is the whole variance. With every region in, nothing of this is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from scipy.special import stdtrit

from coordinator.estimates import histogram, mean, paired_change, proportion, transition
from coordinator.estimates.ratio import Absent, Figures, Ratio
from coordinator.estimates.sets import Z95, Floats
from policies.statistics.blocks import Unit
from policies.statistics.programme import WEIGHT_GRID
from policies.study.calendar import Expected

AVERAGES = frozenset(
    (proportion.MEASURE, mean.MEASURE, transition.MEASURE, histogram.SHARE, paired_change.CHANGE, paired_change.SHARE)
)
"""Measures that are an average over units, so that a region's own one may differ from the country's."""
FEWEST = 4
"""Regions that must have answered for a variance between them to be estimated."""
_UPPER = 0.975
_SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Split:
    """The regions asked: public weight and expected units of those that answered, in their order, and of the others."""

    weights: Floats
    units: Floats
    missing_weights: Floats
    missing_units: Floats

    @classmethod
    def of(
        cls, weights: Mapping[str, int], answered: Sequence[str], expected: Mapping[str, Expected], unit: Unit
    ) -> Self:
        """`weights` in thousandths, of every region asked; `answered` are some of those."""
        absent = [region for region in weights if region not in answered]
        here, gone = (np.array([weights[r] for r in some], np.float64) / WEIGHT_GRID for some in (answered, absent))
        there, away = (np.array([expected[r].of(unit) for r in some], np.float64) for some in (answered, absent))
        return cls(here, there, gone, away)

    @property
    def factor(self) -> float:
        """f^2 (1/m + 1/k): what tau^2 is multiplied with; 0 where nobody is missing."""
        here, gone = self.weights * self.units, self.missing_weights * self.missing_units
        if not len(gone):
            return 0.0
        share = float(gone.sum() / (here.sum() + gone.sum()))
        return share**2 * float((here**2).sum() / here.sum() ** 2 + (gone**2).sum() / gone.sum() ** 2)


@dataclass(frozen=True, slots=True)
class Between:
    """tau^2 and the variance of its estimate (0 where it is planned), in squared steps of the ratio's grid."""

    squared: Floats
    variance: Floats


def widened(pooled: Ratio, here: Ratio | None, split: Split, planned: float | None) -> Ratio:
    """The national ratio with what the missing regions add; as it is where none is missing, and for totals.

    `here` is what each region answered (regions x cells), None where only their sum is known. `planned` is the public
    planning deviation between regions of a share; it is used where nothing can be estimated. A total of the regions
    that answered is no estimate of the others': nothing is added to it.
    """
    factor = split.factor
    if factor == 0 or pooled.total:
        return pooled
    if here is not None and len(split.units) >= FEWEST:
        return replace(pooled, absent=_absent(pooled, estimated(here, pooled, split), factor, "estimated"))
    if planned is not None:
        return replace(pooled, absent=_absent(pooled, _planned(pooled, planned), factor, "planned"))
    nothing = np.zeros_like(pooled.a)
    return replace(pooled, absent=Absent(nothing, Z95, nothing, "none"))


def estimated(here: Ratio, pooled: Ratio, split: Split) -> Between:
    """The variance between the regions' own values, by moments; never below zero. Arrays are cells."""
    parts = (split.units / split.units.sum())[:, np.newaxis]
    units, theta = parts * np.maximum(here.b.sum(axis=0), 0.0), _estimate(pooled)
    own = np.maximum(_variance(replace(here, n=parts * here.n.sum(axis=0)), theta), _SMALLEST)
    w, shares = split.weights[:, np.newaxis], parts / (split.weights[:, np.newaxis] * parts).sum(axis=0)
    off = (here.a - theta * here.b) ** 2

    def expectation(each: Floats) -> Floats:
        """Of Q, where A_r - theta B_r has these variances."""
        around = each * (1 - 2 * w * shares) + shares**2 * (w * w * each).sum(axis=0)
        return np.asarray((around / own).sum(axis=0))

    slope = expectation(units**2)
    known = slope > 0
    squared = np.divide((off / own).sum(axis=0) - expectation(own), slope, out=np.zeros_like(slope), where=known)
    squared = np.maximum(squared, 0.0)
    spread = 2 * ((1 + units**2 * squared / own) ** 2).sum(axis=0) * (1 - 1 / len(parts))
    return Between(squared, np.divide(spread, slope**2, out=np.zeros_like(slope), where=known))


def spread(ratio: Ratio) -> float | Floats:
    """What a deviation of a share is multiplied with: 1 for shares, twice the planning deviation of a number's units.

    A share's units deviate by at most a half, so a planned .02 of a share is .04 of such a deviation; for a number
    without a planning deviation the largest possible is half its range. In steps of the grid.
    """
    return ratio.top if ratio.law == "share" else 2 * float(np.sqrt(ratio.per_unit))


def _planned(pooled: Ratio, planned: float) -> Between:
    zero = np.zeros_like(pooled.a)
    return Between(zero + (planned * spread(pooled)) ** 2, zero)


def _absent(pooled: Ratio, between: Between, factor: float, source: Literal["estimated", "planned"]) -> Absent:
    added = factor * between.squared * pooled.b**2
    whole = _variance(pooled, _estimate(pooled)) + added
    guessed = factor**2 * between.variance * pooled.b**4
    freedom = np.divide(2 * whole**2, guessed, out=np.full_like(whole, np.inf), where=guessed > 0)
    # Fewer than one happens only where the denominator drowns in noise; its quantile would be beyond any number.
    freedom = np.maximum(freedom, 1.0)
    return Absent(added, t95(freedom), np.sqrt(between.squared) * pooled.step, source)


def t95(freedom: Floats) -> Floats:
    """The 0.975 quantile of t; with infinitely many degrees of freedom exactly the normal one."""
    finite = np.isfinite(freedom)
    return np.where(finite, stdtrit(np.where(finite, freedom, 1.0), _UPPER), Z95)


def _estimate(ratio: Ratio) -> Floats:
    """Theta within the bounds of its sampling law: it serves in variances only."""
    theta = np.divide(ratio.a, ratio.b, out=np.zeros_like(ratio.a), where=ratio.b != 0)
    return np.clip(theta, ratio.sampling.low, ratio.sampling.high)


def _variance(ratio: Ratio, theta: Floats) -> Floats:
    """Of A - theta B: noise and sampling."""
    return ratio.noise.at(theta) + ratio.sampling.at(theta)


def remark(missing: Sequence[str], found: Ratio | Figures, cell: int) -> str:
    """What a national figure assumes of the regions that are missing from it; empty where none is."""
    if not missing:
        return ""
    without = f"without {', '.join(missing)}"
    if isinstance(found, Ratio) and found.total:
        return f"{without}: a number of the other regions, not of them all"
    alike = f"{without}, taken to be like the other regions"
    absent = found.absent
    if absent is None or absent.source == "none":
        return f"{alike}; the interval has nothing for how they may differ"
    return f"{alike} but for a deviation between regions of {absent.deviation[cell]:.2g} ({absent.source})"
