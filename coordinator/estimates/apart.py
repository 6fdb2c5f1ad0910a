"""Regions that did not answer: what they add to a national difference between groups, which is no ratio.

As in absent: the figure is to be that of every region asked, and the regions' own differences are taken as drawn alike
with variance tau^2 between regions, so the missing ones add f^2 tau^2 (1/m + 1/k) to the variance. What makes all
families of a region better off cancels in a difference, so tau is small; the planned deviation is that of a share.

Where four regions or more have rows of their own that may be read, tau^2 is estimated from these by moments
(DerSimonian and Laird 1986): with w = 1/v the inverses of their variances and Q = sum w (theta_r - mean)^2,

    tau^2 = max(0, (Q - (m - 1)) / C),    C = sum w - sum w^2 / sum w

    Var tau^2 = 2 (1 - 1/m) sum (1 + w tau^2)^2 / C^2

and the quantile is that of t with 2 V^2 / Var(estimated part) degrees of freedom (Satterthwaite 1946).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coordinator.estimates import adjusted_difference
from coordinator.estimates.absent import FEWEST, Between, Split, t95
from coordinator.estimates.ratio import Absent, Figures, Source
from coordinator.estimates.sets import Z95, Floats

DIFFERENCES = frozenset((adjusted_difference.MEASURE, adjusted_difference.NAIVE))
"""Measures with an interval of the estimate and its deviation, which missing regions widen."""


def widened(together: Figures, here: Figures | None, split: Split, planned: float | None) -> Figures:
    """The national difference with what the missing regions add; as it is where none is missing.

    `here` is what each region answered (regions x rows), None where only their sum is known. `planned` is the public
    planning deviation between regions in the figure's own unit; it is used where nothing can be estimated.
    """
    factor, nothing = split.factor, np.zeros_like(together.estimate)
    if factor == 0:
        return together
    if here is not None and (between := _estimated(here)) is not None:
        return _with(together, between, factor, "estimated")
    if planned is not None:
        return _with(together, Between(nothing + planned**2, nothing), factor, "planned")
    return _with(together, Between(nothing, nothing), factor, "none")


def _estimated(here: Figures) -> Between | None:
    """None where a row can be read in fewer than four regions."""
    error = here.std_error
    used = np.isfinite(error) & (error > 0)
    if here.readable is not None:
        used &= here.readable
    count = used.sum(axis=0)
    if (count < FEWEST).any():
        return None
    weight = np.where(used, 1 / np.where(used, error, 1.0) ** 2, 0.0)
    values, total = np.where(used, here.estimate, 0.0), weight.sum(axis=0)
    mean = (weight * values).sum(axis=0) / total
    slope = total - (weight**2).sum(axis=0) / total
    squared = np.maximum(((weight * (values - mean) ** 2).sum(axis=0) - (count - 1)) / slope, 0.0)
    spread = 2 * np.where(used, (1 + weight * squared) ** 2, 0.0).sum(axis=0) * (1 - 1 / count)
    return Between(squared, spread / slope**2)


def _with(together: Figures, between: Between, factor: float, source: Source) -> Figures:
    added, guessed = factor * between.squared, factor**2 * between.variance
    whole = together.std_error**2 + added
    freedom = np.divide(2 * whole**2, guessed, out=np.full_like(whole, np.inf), where=guessed > 0)
    quantile: Floats = t95(np.maximum(freedom, 1.0)) if source == "estimated" else np.full_like(whole, Z95)
    error = np.sqrt(whole)
    bounded = ~np.isnan(together.low)
    return replace(
        together,
        low=np.where(bounded, together.estimate - quantile * error, np.nan),
        high=np.where(bounded, together.estimate + quantile * error, np.nan),
        sampling_sd=np.sqrt(together.sampling_sd**2 + added),
        std_error=error,
        absent=Absent(added, quantile, np.sqrt(between.squared), source),
    )
