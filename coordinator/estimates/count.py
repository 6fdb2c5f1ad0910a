"""count: the number of selected units per cell, from the block sum(d).

The raw noisy count is the estimate. Its interval has the noise and the Poisson variance of a count with that mean.
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Noise

MEASURE = "count"


def ratio(units: NoisyBlock, design_effect: float = 1.0) -> Ratio:
    """The count as a ratio to one. `design_effect`: variance over mean of the count in the population (>= 1)."""
    zero, one = np.zeros_like(units.base), np.ones_like(units.base)
    noise = Noise(one * units.variance, zero, zero)
    return Ratio(units.base, one, noise, one * design_effect, "poisson", total=True)
