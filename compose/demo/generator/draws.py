"""Seeded draws in the few shapes that the generator needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compose.demo.generator.tables import Bools, Floats, Ints

Rng = np.random.Generator


def yes(rng: Rng, share: Floats | float, rows: int) -> Bools:
    """One yes or no a row, yes with this share."""
    return np.asarray(rng.random(rows) < share)


def pick(rng: Rng, weights: Floats, rows: int) -> Ints:
    """One place a row. `weights` is one distribution, or one a row (rows x places)."""
    upper = np.cumsum(np.broadcast_to(weights, (rows, weights.shape[-1])), axis=1)
    # The last bound is left out: rounding must not leave a draw above every bound.
    return np.asarray((rng.random((rows, 1)) >= upper[:, :-1]).sum(axis=1), np.int32)


def logit(share: Floats) -> Floats:
    return np.asarray(np.log(share) - np.log1p(-share))


def shifted(offset: NDArray[np.floating], target: float, over: Bools | None = None) -> Floats:
    """Shares with these log-odds offsets, moved by one common amount so that their mean `over` rows is `target`."""
    inside = offset if over is None else offset[over]
    if not len(inside):
        return np.full(len(offset), target)
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if float(np.mean(1 / (1 + np.exp(-(inside + middle))))) < target:
            low = middle
        else:
            high = middle
    return np.asarray(1 / (1 + np.exp(-(offset + low))))


def grades(rng: Rng, mean: Floats, sd: Floats, before: Floats) -> tuple[Ints, Floats]:
    """Grades 0-10 in tenths, half explained by the normal score `before`; also the new normal score."""
    score = 0.5 * before + np.sqrt(0.75) * rng.standard_normal(len(mean))
    return np.clip(np.rint(10 * (mean + sd * score)), 0, 100).astype(np.int32), np.asarray(score)


def few_incidents(rng: Rng, rows: int, mean: float) -> NDArray[np.int64]:
    """1 to 21 incidents a year with this mean (above 1)."""
    share = (mean - 1) / 20
    return 1 + rng.binomial(20, rng.beta(3 * share, 3 * (1 - share), rows))


def many_incidents(rng: Rng, rows: int, mean: float, shape: float, least: int, most: int) -> NDArray[np.int64]:
    """`least` or more incidents a year with this mean: `least` plus a negative binomial, cut at `most`."""
    return np.minimum(least + rng.negative_binomial(shape, shape / (shape + mean - least), rows), most)


def carried(rng: Rng, before: Bools, active: Bools, stays: float, begins: float) -> Bools:
    """A trait at T1: gone where not `active`, else kept with share `stays` or begun with share `begins`."""
    return active & yes(rng, np.where(before, stays, begins), len(before))
