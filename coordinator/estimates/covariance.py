"""covariance: how two numbers or conditions vary together, from their products, both sums and the units.

In u-scale (see pairs), with P = sum(u1 u2), N1, N2 = sum(u1), sum(u2), D = sum(d), all with independent noise, and m1
= N1/D, m2 = N2/D: around fixed m's the covariance is a ratio with an exact set, sum((u1 - m1)(u2 - m2))/D = A/B with
B = D and

    A = P - m1 N2 - m2 N1 + k D      vA = sP^2 + m1^2 s2^2 + m2^2 s1^2 + k^2 sD^2, vB = sD^2, cAB = k sD^2

and k = m1 m2. Put in m = N/D and A/B is the plain figure; its first-order error is that of known means. On average it
is too small by m1 m2 sD^2/D^2, which is added to k. The product of the noises in m1 and m2 that remains has variance
s1^2 s2^2/D^4; the noisy m^2 in vA makes that larger than it should be by twice as much on average, so the set covers.

Sampling: that of a product of two such factors (see pairs), with the codebook's planning deviation of a number. A
number without one may spread as far as its mean allows; the product's variance is then the largest possible, and the
note says so. The figure is that of the units at hand (divided by n).
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates.pairs import Mixed, Pair, within_one
from coordinator.estimates.ratio import Ratio
from coordinator.estimates.sets import Floats, Noise

MEASURE = "covariance"
LARGEST = "sampling variance is the largest that the bounds allow"
NORMAL = "sampling variance as of normal residuals"


def ratio(pair: Pair, n: Floats) -> Ratio:
    """The covariance in the product of both units; `n`: the units, times weights and public design effects."""
    (m1, m2), units = pair.means, pair.units
    factor = m1 * m2 + pair.over_units(pair.over_units(m1 * m2 * units.variance))
    top = pair.product.base - m1 * pair.other.base - m2 * pair.one.base + factor * units.base
    known = pair.product.variance + m1**2 * pair.other.variance + m2**2 * pair.one.variance
    noise = Noise(known + factor**2 * units.variance, units.variance + 0 * top, factor * units.variance)
    first, second = pair.scales
    return Ratio(
        top,
        units.base,
        noise,
        n * _per_unit(pair, pair.over_units(top)),
        "constant",
        per_unit=1.0,
        step=first.half * second.half,
        note="" if first.condition and second.condition else NORMAL if planned(pair) else LARGEST,
    )


def planned(pair: Pair) -> bool:
    """Whether the spread of both is known beforehand, or follows from the mean."""
    return all(scale.condition or scale.sd is not None for scale in pair.scales)


def _per_unit(pair: Pair, covariance: Floats) -> Floats:
    """How a unit's product varies."""
    m1, m2 = pair.means
    spread = [
        within_one(mean) if scale.sd is None else np.full_like(mean, min(scale.sd, 1.0) ** 2)
        for mean, scale in zip((m1, m2), pair.scales, strict=True)
    ]
    if not planned(pair):
        reach = [(1 + np.minimum(np.abs(mean), 1.0)) ** 2 for mean in (m1, m2)]
        return np.minimum(reach[0] * spread[1], reach[1] * spread[0])
    both = np.sqrt(spread[0] * spread[1])
    r = np.clip(np.divide(covariance, both, out=np.zeros_like(both), where=both > 0), -1.0, 1.0)
    return both**2 * Mixed.of(pair, r).of_product(r)
