"""variance: the spread of a number, from its squares, its values and the units, each with independent noise.

With z = 2x - M, Q = sum(2z^2 - M^2 d), N = sum(z) and D = sum(d): mean(z^2) = (Q/D + M^2)/2 and m = N/D. Around a fixed
m the variance t is a ratio with an exact set: sum((z - m)^2)/D = A/B with B = D and

    A = Q/2 - 2 m N + (M^2/2 + m^2) D       vA = sQ^2/4 + 4 m^2 sN^2 + k^2 sD^2, vB = sD^2, cAB = k sD^2

with k the factor of D. Put in m = N/D and A/B is the plain figure; its first-order error is that of a known mean, and
on average it is too small by the noise variance of m, v = (sN^2 + m^2 sD^2)/D^2, which is added (k = M^2/2 + m^2 + v).
The square of the noise in m that remains has variance 2 v^2; the noisy m^2 in vA makes that larger than it should be by
4 v^2 on average, so the set covers. Where D may be zero the set is unbounded, and empty in the table.

Sampling: (z - m)^2 lies in 0..R^2 with R = M + |m|, so its variance is at most t (R^2 - t) (Bhatia-Davis 2000). Figures
of skewed answers are rarely near it: intervals are wide rather than wrong. The figure is that of the units at hand
(divided by n).
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import Ints, NoisyBlock, Ratio, pool_block
from coordinator.estimates.sets import Floats, Noise

MEASURE = "variance"
LARGEST = "sampling variance is the largest that the bounds allow"


def ratio(squares: NoisyBlock, values: NoisyBlock, units: NoisyBlock, grid: Grid, design_effect: float = 1.0) -> Ratio:
    """The variance in the square of the variable's own unit, for each region by itself."""
    return _ratio((squares, values, units), grid, units.base * design_effect)


def pooled(
    squares: NoisyBlock,
    values: NoisyBlock,
    units: NoisyBlock,
    grid: Grid,
    weights: Ints,
    design_effect: float = 1.0,
) -> Ratio:
    """The variance over all regions together (around their common mean): sums are pooled first."""
    w = (np.asarray(weights, np.float64) / 1000)[:, np.newaxis]
    blocks = (pool_block(squares, weights), pool_block(values, weights), pool_block(units, weights))
    return _ratio(blocks, grid, (w * w * units.base).sum(axis=0) * design_effect)


def _ratio(blocks: tuple[NoisyBlock, NoisyBlock, NoisyBlock], grid: Grid, n: Floats) -> Ratio:
    squares, values, units = blocks
    b, top = units.base, float(grid.top)
    middle = np.divide(values.base, b, out=np.zeros_like(b), where=b != 0)
    spread = values.variance + middle**2 * units.variance
    bias = np.divide(spread, b * b, out=np.zeros_like(b), where=b != 0)
    factor = top**2 / 2 + middle**2 + bias
    noise = Noise(
        squares.variance / 4 + 4 * middle**2 * values.variance + factor**2 * units.variance,
        np.ones_like(b) * units.variance,
        factor * units.variance,
    )
    return Ratio(
        squares.base / 2 - 2 * middle * values.base + factor * b,
        b,
        noise,
        n,
        "share",
        top=(top + np.minimum(np.abs(middle), top)) ** 2,
        step=float(grid.step) ** 2 / 4,
        note=LARGEST,
    )
