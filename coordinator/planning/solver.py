"""The cheapest noise that keeps every target: a convex problem, solved with a proof of how good the solution is.

    minimise  sum_b c_b / v_b    over v > 0    such that    sum_b a_rb v_b <= 1 for every row r

v_b is the noise variance of a block, c_b = D_b^2 / 2, so that c_b / v_b is its price in zCDP. A row is one target: what
the noise of each block adds to the square of a margin, over what sampling leaves room for. With a multiplier l_r >= 0
for each row, the best v is sqrt(c_b / q_b) with q_b = sum_r a_rb l_r, and the dual (Boyd and Vandenberghe 2004, 5.1)

    g(l) = 2 sum_b sqrt(c_b q_b) - sum_r l_r

is concave and never above the least price. Scaling v until it keeps every row gives a price that is never below it. The
two meet, and the multipliers then say what each row costs: they add up to the price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
CLOSE = 1e-5
"""The gap to the least price, as a part of it, at which we stop."""
_ROUNDS, _STEPS, _STEEPER = 14, 60, 12.0
_FLAT, _SHORT, _FAR = 1e-9, 1e-10, 50.0


class Unbounded(ValueError):
    """A block that no row limits: it would cost nothing, and carry nothing."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Noise variances that keep every row. `price` is at most (1 + `gap`) times the least there can be.

    `multipliers`: what each row costs, in the unit of the price.
    """

    variances: Floats
    price: float
    gap: float
    multipliers: Floats


def cheapest(costs: Floats, rows: Floats) -> Solution:
    """Solves it for `costs` c (blocks) and `rows` a (rows x blocks, none negative). Raises Unbounded.

    Blocks that no row ties together, by way of others, are solved apart: their prices only add up.

    Privacy: nothing is drawn or charged; the result becomes noise by way of a draft's `split`, where sigma is rounded
    up.
    """
    if (rows.max(axis=0, initial=0.0) <= 0).any():
        raise Unbounded(f"block {int(np.argmin(rows.max(axis=0, initial=0.0)))} is in no row")
    variances, multipliers, bound = np.zeros(len(costs)), np.zeros(len(rows)), 0.0
    for columns in tied(rows):
        places = np.flatnonzero((rows[:, columns] > 0).any(axis=1))
        found = _alone(costs[columns], rows[np.ix_(places, columns)])
        variances[columns], multipliers[places] = found.variances, found.multipliers
        bound += found.price / (1 + found.gap)
    price = float((costs / variances).sum())
    return Solution(variances, price, price / bound - 1, multipliers)


def tied(rows: Floats) -> list[NDArray[np.int64]]:
    """The places of blocks that rows tie together, group by group."""
    touched = csr_array(rows > 0, dtype=np.int64)
    count, group = connected_components(touched.T @ touched, directed=False)
    return [np.flatnonzero(group == each) for each in range(count)]


def _alone(costs: Floats, rows: Floats) -> Solution:
    reach = rows.max(axis=0)
    # In units of the most each variance could be by itself, all entries are at most 1, and prices are comparable.
    scaled, price = rows / reach, costs * reach
    unit, kept = float(price.sum()), _needed(scaled)
    found = _descend(price / unit, scaled[kept])
    multipliers = np.zeros(len(rows))
    multipliers[kept] = found.multipliers * unit
    return Solution(found.variances / reach, found.price * unit, found.gap, multipliers)


def _needed(rows: Floats) -> NDArray[np.int64]:
    """The places of the rows that none of the same blocks implies; the first of those that are alike."""
    groups: dict[bytes, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault((row > 0).tobytes(), []).append(place)
    kept: list[int] = []
    for places in groups.values():
        some, first = np.unique(rows[places], axis=0, return_index=True)
        larger: NDArray[np.bool_] = np.all(some[:, np.newaxis, :] <= some[np.newaxis, :, :], axis=2)
        np.fill_diagonal(larger, False)
        kept += [places[one] for one in first[~larger.any(axis=1)]]
    return np.array(sorted(kept))


def _descend(costs: Floats, rows: Floats) -> Solution:
    """Newton's method on the logarithms of the variances, with a barrier at every row that is made ever steeper.

    In logarithms both price and rows are convex (Boyd and Vandenberghe 2004, 4.5 and 11.3). With weight t on the
    price, the multipliers at the bottom are those of a point within (rows / t) of the best.
    """
    variances = 1 / rows.max(axis=0)
    logs = np.log(variances * 0.5 / (rows @ variances).max())
    weight, best = float(len(rows)), None
    for _ in range(_ROUNDS):
        logs = _bottom(logs, weight, costs, rows)
        found = _proved(np.exp(logs), weight, costs, rows)
        best = found if best is None or found.gap < best.gap else best
        if best.gap < CLOSE:
            break
        weight *= _STEEPER
    assert best is not None
    return best


def _bottom(logs: Floats, weight: float, costs: Floats, rows: Floats) -> Floats:
    """The lowest point for one weight, by Newton steps that are halved until they go down and stay inside."""
    here = _height(logs, weight, costs, rows)
    for _ in range(_STEPS):
        v = np.exp(logs)
        part = costs / v / (costs / v).sum()
        inside = 1 / (1 - rows @ v)
        pull = v * (rows.T @ inside)
        slope = pull - weight * part
        steep = (rows * v) * inside[:, np.newaxis]
        bend = weight * (np.diag(part) - np.outer(part, part)) + np.diag(pull) + steep.T @ steep
        step = np.linalg.solve(bend, slope)
        fall, length = float(slope @ step), 1.0
        if fall < _FLAT:
            break
        while (there := _height(logs - length * step, weight, costs, rows)) > here - 0.1 * length * fall:
            length /= 2
            if length < _SHORT:
                return logs
        logs, here = logs - length * step, there
    return logs


def _height(logs: Floats, weight: float, costs: Floats, rows: Floats) -> float:
    left = 1 - rows @ np.exp(np.minimum(logs, _FAR))
    if left.min() <= 0:
        return np.inf
    return float(weight * np.log((costs * np.exp(-logs)).sum()) - np.log(left).sum())


def _proved(variances: Floats, weight: float, costs: Floats, rows: Floats) -> Solution:
    """The variances made larger together until the first row is full, and how far they are from the best at most."""
    price = float((costs / variances).sum())
    multipliers = price / (weight * (1 - rows @ variances))
    full = variances / (rows @ variances).max()
    # The best multiple of these multipliers: 2 t^(1/2) S - t L is greatest at t = (S / L)^2, and there S^2 / L.
    roots, whole = float(np.sqrt(costs * (rows.T @ multipliers)).sum()), float(multipliers.sum())
    price = float((costs / full).sum())
    return Solution(full, price, price / (roots**2 / whole) - 1, multipliers * (roots / whole) ** 2)
