"""The Fay-Herriot model with known variances: each region's own figure is pulled towards the mean of all regions.

A direct figure y_r = theta_r + e_r has an error of known variance D_r (noise and sampling), and the true values of the
regions lie around a common mean, theta_r = mu + v_r, with an unknown variance A (Fay & Herriot 1979; Rao & Molina 2015,
section 6.1):

    estimate_r = gamma_r y_r + (1 - gamma_r) mu       gamma_r = A / (A + D_r),  mu = sum(y/(A + D)) / sum(1/(A + D))

A maximises the residual likelihood times {arctan(sum of all gamma)}^(1/k), k the number of regions (Yoshimori & Lahiri
2014), which is never zero: A = 0 would say that all regions are alike, with an interval that is too narrow. The mean
squared error is g1 + g2 + 2 g3 (Rao & Molina 2015, eq. 6.2.1, 6.2.3-6.2.4; Datta & Lahiri 2000), nearly unbiased:

    g1 = gamma D        g2 = (1 - gamma)^2 / sum(1/(A + D))      g3 = D^2 / (A + D)^3 * 2 / sum(1/(A + D)^2)

95% intervals with the normal quantile, averaged over the regions, hold 94% or more whatever A is (5 to 26 regions); 94%
to 97% where A is half of D or more. Where regions hardly differ, a few of them cannot show it, and intervals hold 99%:
narrower ones would miss too often where regions do differ.

No kept library serves: those with this model bring estimation of the variances, plotting and data frames with them, fit
one set of regions at a time, and let A be zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.estimates.sets import Floats

LEAST_REGIONS = 5
"""With fewer regions, how much they differ is a guess."""
_COARSE = 48
_STEPS = 40
_GOLDEN = (np.sqrt(5.0) - 1) / 2
_FAR = 1 - 1e-6
"""The largest A that is sought is a million times the mean D."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Of the shape of the figures; regions on the last axis. `own` is gamma, the part of a region's own figure.

    `model` is A, of the shape without regions. `weights` are those of the regions in the common mean.
    """

    estimate: Floats
    mse: Floats
    own: Floats
    model: Floats
    weights: Floats

    def variance(self, part: Floats) -> Floats:
        """What is left in the estimates of independent errors with these variances in the regions' own figures."""
        rest = 1 - self.own
        common = (self.weights**2 * part).sum(axis=-1, keepdims=True)
        mixed = 2 * self.own * rest * self.weights * part
        return np.asarray(self.own**2 * part + mixed + rest**2 * common)


def shrink(figures: Floats, variances: Floats) -> Shrunk:
    """Best predictions of each region's true value; regions on the last axis, any number of sets of them before it.

    `variances` are D > 0, of the figures' shape. Raises ValueError for fewer than LEAST_REGIONS regions.
    """
    if figures.shape[-1] < LEAST_REGIONS:
        raise ValueError(f"expected at least {LEAST_REGIONS} regions")
    return predict(figures, variances, model_variance(figures, variances))


def predict(figures: Floats, variances: Floats, model: Floats) -> Shrunk:
    """The predictions with this A; their mean squared error takes into account that A was estimated."""
    total = model[..., np.newaxis] + variances
    precision = 1 / total
    whole = precision.sum(axis=-1, keepdims=True)
    weights = precision / whole
    mean = (weights * figures).sum(axis=-1, keepdims=True)
    own = model[..., np.newaxis] * precision
    third = variances**2 * precision**3 * 2 / (precision**2).sum(axis=-1, keepdims=True)
    mse = own * variances + (1 - own) ** 2 / whole + 2 * third
    return Shrunk(mean + own * (figures - mean), mse, own, model, weights)


def residual_likelihood(figures: Floats, variances: Floats, model: Floats) -> Floats:
    """The log of the residual (restricted) likelihood of A, but for a constant (Rao & Molina 2015, section 6.1.2)."""
    total = model[..., np.newaxis] + variances
    precision = 1 / total
    whole = precision.sum(axis=-1)
    mean = (precision * figures).sum(axis=-1) / whole
    squares = (precision * (figures - mean[..., np.newaxis]) ** 2).sum(axis=-1)
    return np.asarray(-(np.log(total).sum(axis=-1) + np.log(whole) + squares) / 2)


def adjusted_likelihood(figures: Floats, variances: Floats, model: Floats) -> Floats:
    """The same with the adjustment of Yoshimori & Lahiri (2014): minus infinity at A = 0."""
    total = model[..., np.newaxis] + variances
    own = (model[..., np.newaxis] / total).sum(axis=-1)
    adjustment: Floats = np.log(np.arctan(own)) / figures.shape[-1]
    return residual_likelihood(figures, variances, model) + adjustment


def model_variance(figures: Floats, variances: Floats) -> Floats:
    """The A > 0 that maximises the adjusted likelihood: on a coarse grid of A/(A + mean D), then by golden section."""
    scale = variances.mean(axis=-1)

    def height(share: Floats) -> Floats:
        return adjusted_likelihood(figures, variances, scale * share / (1 - share))

    grid = (np.linspace(0.0, 1.0, _COARSE + 2)[1:-1]) ** 2 * _FAR
    best = np.argmax([height(np.full_like(scale, share)) for share in grid], axis=0)
    ends = np.concatenate(([grid[0] * 1e-6], grid, [_FAR]))
    low, high = ends[best], ends[best + 2]
    for _ in range(_STEPS):
        one, two = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        rises = height(one) < height(two)
        low, high = np.where(rises, one, low), np.where(rises, high, two)
    share = (low + high) / 2
    return np.asarray(scale * share / (1 - share))
