"""standard_deviation: the root of a variance and of its confidence set.

{s >= 0: s^2 in the set} covers exactly when the set does. Nothing is clipped before: a noisy variance below zero has no
root, and its estimate is empty; where part of the set is negative its root begins at zero.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coordinator.estimates.ratio import Figures
from coordinator.estimates.sets import Floats

MEASURE = "standard_deviation"
NEGATIVE = "the noisy variance is negative: no estimate"


def root(found: Figures) -> Figures:
    """Figures of a variance as those of its root; deviations by the slope of the root. `numerator / denominator` stays
    the variance. NaN where there is no root."""
    estimate = _root(found.estimate)
    slope = np.divide(0.5, estimate, out=np.full_like(estimate, np.nan), where=estimate > 0)
    return replace(
        found,
        estimate=estimate,
        low=np.where(found.high >= 0, _root(np.maximum(found.low, 0.0)), np.nan),
        high=_root(found.high),
        noise_sd=found.noise_sd * slope,
        sampling_sd=found.sampling_sd * slope,
        std_error=found.std_error * slope,
    )


def _root(values: Floats) -> Floats:
    return np.sqrt(values, out=np.full_like(values, np.nan), where=values >= 0)
