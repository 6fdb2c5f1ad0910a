"""adjusted_difference: differences between groups within strata, averaged with the strata's shares of all together.

From N = sum(2x - M d) and D = sum(d) in every stratum s and group g (M = 1 for a condition), independent noise sN and
sD: the mean is y_sg = M/2 + N_sg / (2 D_sg), the weight w_s = D_s. / D.. over all groups, and

    adjusted = sum_s w_s (y_sg - y_s0)        naive = y_.g - y_.0

where group 0 is the first category (direct standardisation; Fleiss, Levin and Paik 2003, section 19.3). So the figure
is that of a population whose strata are those of all units asked together, in every region that answered.

Variance by the delta method, with d_s = y_sg - y_s0 and theta = sum w_s d_s. Noise comes in by every cell,

    d theta / d N_sg = w_s / (2 D_sg)         d theta / d D_sh = (d_s - theta) / D.. + w_s (M/2 - y_sh) / D_sh

(the last term for the group's own cells, and with the other sign for those of group 0), and sampling by the means and
by the strata's shares: sum_s w_s^2 (u_sg / n_sg + u_s0 / n_s0) + sum_s w_s (d_s - theta)^2 / n. Of one unit u is the
codebook's planning variance, or else y (M - y) with y drawn a little towards the middle (one unit at each end is
added; Agresti and Caffo 2000), since one that is seen at its bound is not known to be there.

A row may be read where every stratum has, in both its groups, a noisy count of at least 3.25 deviations of its noise,
and of at least five units; a region's row also where the regions' mean count is 3 deviations in each of those cells.
Strata are never dropped: without one of them the figure would be of other families. Where a count is below 1.96
deviations the interval is unbounded, and empty. All of that is decided on noisy counts and public sigma.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import Figures, Ints, NoisyBlock, pool_block
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import MEAN, OWN

MEASURE, NAIVE = "adjusted_difference", "naive_difference"
LEAST_UNITS = 5
YES_OR_NO = Grid(Fraction(0), Fraction(1), 1, None)
"""The grid of a condition: no is 0, yes is 1."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Noisy sums by (regions x) by-cell, stratum and group: N, D, and the sum of squared weights times units.

    The last is what sampling variance is proportional to: D itself where all weights are one, times the design effect.
    """

    sums: Floats
    units: Floats
    spread: Floats
    sums_variance: float
    units_variance: float

    def only(self, strata: Sequence[int], groups: Sequence[int]) -> Cells:
        """Those of some strata and groups: the others are empty by the question itself, but for their noise."""
        rows, columns = np.ix_(strata, groups)
        return replace(
            self,
            sums=self.sums[..., rows, columns],
            units=self.units[..., rows, columns],
            spread=self.spread[..., rows, columns],
        )


def cells(
    sums: NoisyBlock, units: NoisyBlock, strata: int, groups: int, effect: float, weights: Ints | None = None
) -> Cells:
    """Each region's own cells, or with `weights` (thousandths, in the regions' order) those of all regions together."""
    shape = (-1, strata, groups)
    if weights is None:
        own = (*sums.base.shape[:-1], *shape)
        each, all_units = sums.base.reshape(own), units.base.reshape(own)
        return Cells(each, all_units, all_units * effect, sums.variance, units.variance)
    w = (np.asarray(weights, np.float64) / 1000)[:, np.newaxis]
    n = (w * w * units.base).sum(axis=0).reshape(shape) * effect
    whole, counted = pool_block(sums, weights), pool_block(units, weights)
    return Cells(whole.base.reshape(shape), counted.base.reshape(shape), n, whole.variance, counted.variance)


def figures(found: Cells, grid: Grid, strata: Sequence[str], groups: Sequence[str]) -> tuple[Figures, Figures]:
    """The adjusted and the naive differences; rows are by-cells x later groups. The names are for remarks alone."""
    adjusted = _adjusted(found, grid, strata, groups)
    together = Cells(
        found.sums.sum(axis=-2, keepdims=True),
        found.units.sum(axis=-2, keepdims=True),
        found.spread.sum(axis=-2, keepdims=True),
        found.sums_variance * found.units.shape[-2],
        found.units_variance * found.units.shape[-2],
    )
    return adjusted, _adjusted(together, grid, ("",), groups)


def _adjusted(found: Cells, grid: Grid, strata: Sequence[str], groups: Sequence[str]) -> Figures:
    units, top = found.units, float(grid.top)
    mean = top / 2 + _over(found.sums, 2 * units)
    share = _over(units.sum(axis=-1, keepdims=True), units.sum(axis=(-2, -1), keepdims=True))
    apart = mean[..., 1:] - mean[..., :1]
    theta = (share * apart).sum(axis=-2)
    noise = _noise(found, mean, share, apart - theta[..., np.newaxis, :], top)
    sampling = _sampling(found, mean, share, apart - theta[..., np.newaxis, :], grid)
    step, error = float(grid.step), np.sqrt(noise + sampling)
    fewest = np.minimum(units[..., 1:], units[..., :1])
    known = (fewest > Z95 * np.sqrt(found.units_variance)).all(axis=-2)
    estimate = np.where((fewest != 0).all(axis=-2), theta, np.nan)
    half, shown = np.where(known, Z95 * error, np.nan), theta.shape
    readable = _readable(found)
    everyone = np.broadcast_to(units.sum(axis=(-2, -1))[..., np.newaxis], shown)
    return Figures(
        estimate=_flat(step * estimate),
        low=_flat(step * (estimate - half)),
        high=_flat(step * (estimate + half)),
        noise_sd=_flat(step * np.sqrt(noise)),
        sampling_sd=_flat(step * np.sqrt(sampling)),
        std_error=_flat(step * error),
        numerator=_flat(np.full(shown, np.nan)),
        denominator=_flat(everyone),
        denominator_sd=_flat(np.full(shown, np.sqrt(found.units_variance * units.shape[-1] * units.shape[-2]))),
        readable=np.asarray(readable.all(axis=-2).reshape(*shown[:-2], -1)),
        remarks=_weak(readable, strata, groups),
        note=f"against {groups[0]}",
    )


def _noise(found: Cells, mean: Floats, share: Floats, off: Floats, top: float) -> Floats:
    """The noise variance of theta; `off` is d_s - theta."""
    units, groups = found.units, found.units.shape[-1]
    slope = _over(np.broadcast_to(share, units.shape), units)
    sums = slope[..., 1:] ** 2 + slope[..., :1] ** 2
    moved = _over(off, units.sum(axis=(-2, -1), keepdims=True))
    bent = slope * (top / 2 - mean)
    counts = (groups - 2) * moved**2 + (moved + bent[..., 1:]) ** 2 + (moved - bent[..., :1]) ** 2
    whole: Floats = (found.sums_variance / 4 * sums + found.units_variance * counts).sum(axis=-2)
    return whole


def _sampling(found: Cells, mean: Floats, share: Floats, off: Floats, grid: Grid) -> Floats:
    units, spread, top = found.units, np.maximum(found.spread, 0.0), float(grid.top)
    if grid.sd is None:
        alone = np.maximum(_over(units**2, spread), 0.0)
        drawn = (np.clip(mean, 0.0, top) * alone + top) / (alone + 2)
        one = drawn * (top - drawn)
    else:
        one = np.full_like(units, float(grid.sd / grid.step) ** 2)
    each = share**2 * one * _over(spread, units**2)
    shares = _over(spread.sum(axis=-1, keepdims=True), units.sum(axis=(-2, -1), keepdims=True) ** 2)
    whole: Floats = (each[..., 1:] + each[..., :1] + shares * off**2).sum(axis=-2)
    return whole


def _readable(found: Cells) -> NDArray[np.bool_]:
    """Whether a stratum has enough units in each later group and in the first one; see the top of this file."""
    sd = float(np.sqrt(found.units_variance))
    enough = (found.units >= OWN * sd) & (found.units >= LEAST_UNITS)
    if found.units.ndim > 3:
        enough &= found.units.mean(axis=0) >= MEAN * sd
    return np.asarray(enough[..., 1:] & enough[..., :1])


def _weak(readable: NDArray[np.bool_], strata: Sequence[str], groups: Sequence[str]) -> dict[tuple[int, ...], str]:
    """For each row that may not be read, by its place, the strata that it fails in."""
    later = readable.shape[-1]
    found: dict[tuple[int, ...], list[str]] = {}
    for *place, stratum, group in np.argwhere(~readable):
        *regions, cell = (int(one) for one in place)
        at = (*regions, cell * later + int(group))
        found.setdefault(at, []).append(strata[stratum])
    return {at: _told(names) for at, names in found.items()}


def _told(names: Sequence[str]) -> str:
    within = f" of {', '.join(names)}" if any(names) else ""
    return f"too few units{within} in one of the two groups"


def _over(above: Floats, below: Floats) -> Floats:
    """above / below; 0 where there is nothing below, in rows whose figure is empty anyway."""
    return np.divide(above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below != 0)


def _flat(values: Floats) -> Floats:
    """By-cells and later groups as one dimension of rows."""
    return values.reshape(*values.shape[:-2], -1)
