"""correlation: the covariance over the root of both variances, each from noisy sums.

In u-scale (see pairs), W = sum((u - m)^2) is sum(u^2) - N^2/D, with sum(u^2) = Q/2 + D/2 of a number, Q = sum(2u^2 -
1), and D of a condition; on average it is too small by (sN^2 + m^2 sD^2)/D, which is added. With A of the covariance
and S = sqrt(W1 W2) the correlation is A/S. Noise is that of both to first order, by their slopes in the independent
sums:

    A:  P 1, N1 -m2, N2 -m1, D m1 m2        W:  Q 1/2, N -2m, D 1/2 + m^2 (number) or 1 + m^2 (condition)

and the set is that of the ratio, so that a noisy S widens it, and unbounded where S may be zero. Numerator and
denominator are shown times D/S: the denominator is the noisy number of units. Nothing is clipped: a correlation may
leave -1..1, and where a noisy variance is negative there is none.

Sampling is that of the estimate itself (see pairs), not of the hypothesis, which would be of the fourth degree. Of
two conditions it is exact; otherwise it is that of a normal residual, and the note says so.
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates import covariance
from coordinator.estimates.pairs import Mixed, Pair
from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Floats, Noise

MEASURE = "correlation"


def ratio(pair: Pair, n: Floats) -> Ratio:
    """`n`: the units, times weights and public design effects."""
    m1, m2 = pair.means
    top = covariance.ratio(pair, n)
    w1, w2 = (_spread(pair, place) for place in (0, 1))
    root = np.sqrt(w1 * w2, out=np.full_like(w1, np.nan), where=(w1 > 0) & (w2 > 0))
    d, dq = pair.units, [0.0 if block is None else 0.5 for block in pair.squares]
    dd = [(0.5 if square else 1.0) + mean**2 for mean, square in zip((m1, m2), dq, strict=True)]
    slopes: list[tuple[float, Floats, Floats]] = [
        (pair.product.variance, np.ones_like(root), np.zeros_like(root)),
        (pair.one.variance, -m2, -m1 * w2 / root),
        (pair.other.variance, -m1, -m2 * w1 / root),
        (d.variance, m1 * m2, (dd[0] * w2 + dd[1] * w1) / (2 * root)),
        (_variance(pair.squares[0]), np.zeros_like(root), dq[0] * w2 / (2 * root)),
        (_variance(pair.squares[1]), np.zeros_like(root), dq[1] * w1 / (2 * root)),
    ]
    to_units = d.base / root
    va, vb, cab = (to_units**2 * sum(variance * left * right for variance, left, right in rows) for rows in _by(slopes))
    r = np.clip(np.nan_to_num(top.a / root), -1.0, 1.0)
    conditions = all(scale.condition for scale in pair.scales)
    return Ratio(
        to_units * top.a,
        # Also where there is no root: there is a number of units, and no correlation.
        d.base,
        Noise(va, vb, cab),
        n * Mixed.of(pair, r).of_correlation(r),
        "constant",
        per_unit=1.0,
        note="" if conditions else covariance.NORMAL,
    )


def _by(
    slopes: list[tuple[float, Floats, Floats]],
) -> tuple[list[tuple[float, Floats, Floats]], ...]:
    """The factors of both variances and of the covariance."""
    return (
        [(variance, a, a) for variance, a, _ in slopes],
        [(variance, b, b) for variance, _, b in slopes],
        slopes,
    )


def _variance(block: NoisyBlock | None) -> float:
    return 0.0 if block is None else block.variance


def _spread(pair: Pair, place: int) -> Floats:
    """W of one factor, with its bias taken out."""
    mean, values, square = pair.means[place], (pair.one, pair.other)[place], pair.squares[place]
    d = pair.units
    whole = d.base if square is None else (square.base + d.base) / 2
    return whole - mean * values.base + pair.over_units(values.variance + mean**2 * d.variance)
