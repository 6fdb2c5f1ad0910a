"""The cheapest noise that keeps every target: a convex problem, solved by its dual, with a proof of how good it is.

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
from scipy.optimize import minimize

Floats = NDArray[np.float64]
CLOSE = 1e-5
"""The gap to the least price, as a part of it, at which we stop."""
_ROUNDS = 12
_STEPS = 600
_LEAST = 1e-13


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

    Privacy: nothing is drawn or charged; the result becomes noise by way of a draft's `split`, where sigma is rounded
    up.
    """
    reach = rows.max(axis=0)
    if (reach <= 0).any():
        raise Unbounded(f"block {int(np.argmin(reach))} is in no row")
    # In units of the most each variance could be by itself, all entries are at most 1, and prices are comparable.
    scaled, price = rows / reach, costs * reach
    unit = float(price.sum())
    found = _climb(price / unit, scaled)
    return Solution(found.variances / reach, found.price * unit, found.gap, found.multipliers * unit)


def _climb(costs: Floats, rows: Floats) -> Solution:
    """The dual, from equal multipliers. Each round ends with a step that is exact for rows that share no block."""
    multipliers = np.full(len(rows), 1.0 / len(rows))
    best = _primal(costs, rows, multipliers)
    for _ in range(_ROUNDS):
        found = minimize(
            _negative_dual,
            multipliers,
            args=(costs, rows),
            jac=True,
            method="L-BFGS-B",
            bounds=[(_LEAST, None)] * len(rows),
            options={"maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 1e-15, "gtol": 1e-12, "maxcor": 30},
        )
        multipliers = np.maximum(np.asarray(found.x, np.float64), _LEAST)
        best = min(best, _primal(costs, rows, multipliers), key=lambda one: one.gap)
        if best.gap < CLOSE:
            break
        for _ in range(30):
            used = rows @ np.sqrt(costs / (rows.T @ multipliers))
            multipliers = np.maximum(multipliers * np.sqrt(used), _LEAST)
        best = min(best, _primal(costs, rows, multipliers), key=lambda one: one.gap)
    return best


def _negative_dual(multipliers: Floats, costs: Floats, rows: Floats) -> tuple[float, Floats]:
    roots = np.sqrt(costs * (rows.T @ multipliers))
    variances = costs / roots
    return float(multipliers.sum() - 2 * roots.sum()), 1.0 - rows @ variances


def _primal(costs: Floats, rows: Floats, multipliers: Floats) -> Solution:
    """The variances that go with multipliers, made smaller or larger together until the first row is full."""
    variances = np.sqrt(costs / (rows.T @ multipliers))
    variances = variances / (rows @ variances).max()
    price = float((costs / variances).sum())
    # The best multiple of these multipliers: 2 t^(1/2) S - t L is greatest at t = (S / L)^2, and there S^2 / L.
    roots, whole = float(np.sqrt(costs * (rows.T @ multipliers)).sum()), float(multipliers.sum())
    bound = roots**2 / whole
    return Solution(variances, price, price / bound - 1, multipliers * (roots / whole) ** 2)
