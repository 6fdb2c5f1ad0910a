"""quantile: the value below which a given part of the units lies, from noisy counts in a binary tree of ranges.

Level l counts units in 2^l ranges with independent noise of variance v_l. The least-squares estimate of the leaves,
given every level, is h = S sum_l A_l' y_l / v_l with S = (sum_l A_l' A_l / v_l)^-1, where A_l adds leaves to the ranges
of level l (Hay, Rastogi, Miklau and Suciu 2010, section 4; here for any variances). It is unbiased, and S is the exact
covariance of its noise. Nothing is clamped: leaves may be negative, and sums of them may fall.

With P_j the units in leaves 0..j and T those in all, the hypothesis "at most a part q lies up to the end of leaf j" has

    P_j - q T of mean zero, variance c' S c + q (1 - q) n,    c_i = (1 if i <= j, else 0) - q

for noise and sampling (of the hypothesis itself). The interval is made of the leaves that no such test rejects
(Woodruff 1952): from the first leaf at whose end P_j - q T is not more than z deviations below zero, to the last one
before which it is not more than z above. It ends at the ends of these leaves, so that it holds whatever the values
within a leaf are, and where nothing is rejected up to an end of the range it is open there and ends at the range.

The estimate lies where P passes q T, with straight lines within leaves; where a noisy P passes it several times, in the
middle of the first and the last time. The deviation is half the interval by z, where that ends on straight lines within
leaves too and a leaf is as long as its values are many; it is split into noise and sampling as the variance is.
A row is withheld where T is below 3.25 deviations of its noise (a region's also where their mean is below 3), and where
the interval is open at both ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import Figures, Ints, NoisyBlock, pool_block
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import MEAN, OWN

MEASURE = "quantile"
OPEN_BELOW = "the interval is open below: it begins at the lowest value that counts"
OPEN_ABOVE = "the interval is open above: it ends at the highest value that counts"


@dataclass(frozen=True, slots=True)
class Leaves:
    """Units in each leaf, (regions x) by-cells x leaves, with the covariance of their noise (leaves x leaves).

    `spread`: what sampling variance is proportional to, the sum of squared weights times units; (regions x) by-cells.
    """

    counts: Floats
    covariance: Floats
    spread: Floats


def leaves(blocks: Sequence[NoisyBlock], effect: float, weights: Ints | None = None) -> Leaves:
    """From the levels of the tree, the coarsest first; each region's own, or with `weights` those of all together."""
    levels = list(blocks) if weights is None else [pool_block(block, weights) for block in blocks]
    own = _consistent(levels)
    if weights is None:
        return Leaves(*own, own[0].sum(axis=-1) * effect)
    w = (np.asarray(weights, np.float64) / 1000)[:, np.newaxis]
    each = _consistent(blocks)[0].sum(axis=-1)
    return Leaves(*own, (w * w * each).sum(axis=0) * effect)


def _consistent(levels: Sequence[NoisyBlock]) -> tuple[Floats, Floats]:
    """The leaves by least squares, and the covariance of their noise. Without any noise all levels weigh alike."""
    size = 2 ** len(levels)
    noiseless = all(level.variance == 0 for level in levels)
    precision = np.zeros((size, size))
    pulled: Floats = np.zeros(())
    for depth, level in enumerate(levels, 1):
        weight, below = 1.0 if noiseless else 1 / level.variance, size >> depth
        precision += weight * np.kron(np.eye(2**depth), np.ones((below, below)))
        counts = level.base.reshape(*level.base.shape[:-1], -1, 2**depth)
        pulled = pulled + weight * np.repeat(counts, below, axis=-1)
    covariance = np.linalg.inv(precision)
    return pulled @ covariance, np.zeros_like(covariance) if noiseless else covariance


def figures(found: Leaves, edges: Sequence[int], at: Sequence[float], grid: Grid, z: float = Z95) -> Figures:
    """Rows are by-cells x asked parts. `edges`: the step at which each leaf begins, and one past the last step."""
    total = found.counts.sum(axis=-1)
    sd = float(np.sqrt(max(found.covariance.sum(), 0.0)))
    told = [_one(found, np.asarray(edges, np.int64), part, z) for part in at]
    estimate, low, high, wide, noisy = (np.stack([one[k] for one in told], axis=-1) for k in range(5))
    open_low, open_high = low == edges[0], high == edges[-1] - 1
    alive = np.broadcast_to((total > Z95 * sd)[..., np.newaxis], estimate.shape)
    clear = (total >= OWN * sd) & (total > 0)
    if total.ndim > 1:
        clear &= total.mean(axis=0) >= MEAN * sd
    error = np.where(alive, wide / (2 * z), np.nan)
    lower, step, shape = float(grid.lower), float(grid.step), (*estimate.shape[:-2], -1)
    whole = np.broadcast_to(total[..., np.newaxis], estimate.shape)
    return Figures(
        estimate=(lower + step * estimate).reshape(shape),
        low=np.where(alive, lower + step * low, np.nan).reshape(shape),
        high=np.where(alive, lower + step * high, np.nan).reshape(shape),
        noise_sd=(step * error * np.sqrt(noisy)).reshape(shape),
        sampling_sd=(step * error * np.sqrt(1 - noisy)).reshape(shape),
        std_error=(step * error).reshape(shape),
        numerator=np.full_like(estimate, np.nan).reshape(shape),
        denominator=whole.reshape(shape),
        denominator_sd=np.full_like(estimate, sd).reshape(shape),
        readable=(clear[..., np.newaxis] & ~(open_low & open_high)).reshape(shape),
        remarks=_remarks(open_low.reshape(shape), open_high.reshape(shape)),
    )


def _one(found: Leaves, edges: Ints, part: float, z: float) -> tuple[Floats, ...]:
    """One part: the estimate, the ends, and their distance on straight lines, all in steps; then how much of the
    variance at the estimate is noise."""
    off, noise, sampling = _tests(found, part)
    reach = z * np.sqrt(noise + sampling)
    # At the two ends of the range there is nothing to test: none lie below the first, and all below the last.
    first = _first(off[..., 1:-1] >= -reach[..., 1:-1])
    last = _last(off[..., 1:-1] <= reach[..., 1:-1])
    begins, ends = edges[:-1], edges[1:] - 1
    middle, leaf = _passed(found.counts, off[..., 1:], begins, ends)
    low, high = np.minimum(begins[first], middle), np.maximum(ends[last], middle)
    wide = np.maximum(_crossed(last, off - reach, edges) - _crossed(first, off + reach, edges), 0.0)
    share = np.broadcast_to(noise, off.shape)
    share = np.divide(share, share + sampling, out=np.zeros_like(off), where=share + sampling > 0)
    return middle, low, high, wide, _at(share[..., 1:], leaf)


def _tests(found: Leaves, part: float) -> tuple[Floats, Floats, Floats]:
    """P - q T at the start of each leaf and past the last one, and its variances: noise, sampling."""
    counts, size = found.counts, found.counts.shape[-1]
    off = np.concatenate([np.zeros_like(counts[..., :1]), np.cumsum(counts, axis=-1)], axis=-1)
    contrast = np.tril(np.ones((size + 1, size)), -1) - part
    noise = np.maximum(np.einsum("ji,ik,jk->j", contrast, found.covariance, contrast, optimize=True), 0.0)
    sampling = part * (1 - part) * np.maximum(found.spread, 0.0)[..., np.newaxis]
    return off - part * off[..., -1:], noise, sampling


def _crossed(leaf: Ints, off: Floats, edges: Ints) -> Floats:
    """Where a straight line from the start of the leaf to its end passes zero, in steps."""
    before, after = _at(off, leaf), _at(off, leaf + 1)
    inside = np.divide(-before, after - before, out=np.zeros_like(before), where=after != before)
    return np.asarray(edges[leaf] + (edges[leaf + 1] - edges[leaf]) * np.clip(inside, 0.0, 1.0))


def _first(passed: NDArray[np.bool_]) -> Ints:
    """The leaf at whose end it first holds; the last leaf where it holds at none of the inner ends."""
    return np.asarray(np.concatenate([passed, np.ones_like(passed[..., :1])], axis=-1).argmax(axis=-1))


def _last(short: NDArray[np.bool_]) -> Ints:
    """The leaf at whose start it last holds; the first leaf where it holds at none of the inner ends."""
    held = np.concatenate([np.ones_like(short[..., :1]), short], axis=-1)
    return np.asarray(held.shape[-1] - 1 - held[..., ::-1].argmax(axis=-1))


def _at(values: Floats, place: Ints) -> Floats:
    return np.asarray(np.take_along_axis(values, place[..., np.newaxis], axis=-1)[..., 0])


def _passed(counts: Floats, off: Floats, begins: Ints, ends: Ints) -> tuple[Floats, Ints]:
    """Where the noisy sums pass the part asked, in steps, and the leaf of the first time."""
    first, last = _first(off[..., :-1] >= 0), _last(off[..., :-1] < 0)
    return (_within(first, counts, off, begins, ends) + _within(last, counts, off, begins, ends)) / 2, first


def _within(leaf: Ints, counts: Floats, off: Floats, begins: Ints, ends: Ints) -> Floats:
    """The place inside a leaf in which the sums pass, on a straight line from its first value to its last."""
    units, over = _at(counts, leaf), _at(off, leaf)
    inside = np.divide(units - over, units, out=np.zeros_like(units), where=units > 0)
    return np.asarray(begins[leaf] + (ends[leaf] - begins[leaf]) * np.clip(inside, 0.0, 1.0))


def _remarks(below: NDArray[np.bool_], above: NDArray[np.bool_]) -> dict[tuple[int, ...], str]:
    found: dict[tuple[int, ...], list[str]] = {}
    for flags, words in ((below, OPEN_BELOW), (above, OPEN_ABOVE)):
        for place in np.argwhere(flags):
            found.setdefault(tuple(int(one) for one in place), []).append(words)
    return {at: "; ".join(words) for at, words in found.items()}
