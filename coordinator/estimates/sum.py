"""sum: the total of a number over selected units, per cell; the blocks of a mean.

From N = sum(2x - M d) and D = sum(d), independent noise: the total is S = step*(N + M D)/2 + low*D, so its noise
variance is (step^2 sN^2)/4 + (low + step*M/2)^2 sD^2. Its sampling variance is that of units that come by themselves
(Poisson), sum(x^2) on average, for values from L to U at most U*S where none is negative (x^2 <= U x), else
max(L^2, U^2) for each unit.
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Noise

MEASURE = "sum"


def ratio(centred: NoisyBlock, units: NoisyBlock, grid: Grid, design_effect: float = 1.0) -> Ratio:
    """The total as a ratio to one, in the variable's own unit."""
    one, zero = np.ones_like(units.base), np.zeros_like(units.base)
    lower, step = float(grid.lower), float(grid.step)
    upper = lower + step * grid.top
    middle = lower + step * grid.top / 2
    total = step * centred.base / 2 + middle * units.base
    noise = Noise(one * (step**2 * centred.variance / 4 + middle**2 * units.variance), zero, zero)
    if lower >= 0:
        return Ratio(total, one, noise, one * upper * design_effect, "poisson", total=True)
    largest = max(lower**2, upper**2)
    return Ratio(total, one, noise, units.base * design_effect, "constant", per_unit=largest, total=True)
