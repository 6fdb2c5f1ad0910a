"""proportion: the share of selected units for which a condition holds, per cell.

From N = sum(2y - d) and D = sum(d), independent noise: the share is A/B with A = (N + D)/2 and B = D, so
vA = (sN^2 + sD^2)/4, vB = sD^2 and cAB = sD^2/2; that is noise [sN^2 + (2p - 1)^2 sD^2]/4.
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Noise

MEASURE = "share"


def ratio(centred: NoisyBlock, units: NoisyBlock, design_effect: float = 1.0) -> Ratio:
    """Sampling p(1 - p)n, times a public design effect (>= 1)."""
    one = np.ones_like(units.base)
    noise = Noise(one * (centred.variance + units.variance) / 4, one * units.variance, one * units.variance / 2)
    return Ratio((centred.base + units.base) / 2, units.base, noise, units.base * design_effect, "share")
