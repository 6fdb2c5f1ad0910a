"""transition: from which category to which, as a table of row shares.

One block of K*K counts per `by` cell with independent noise s. A share is A/B with A the cell and B the sum of its row,
A included: vA = cAB = s^2 and vB = K s^2; that is noise s^2 [(1 - p)^2 + (K - 1) p^2].
"""

from __future__ import annotations

import numpy as np

from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Noise

MEASURE = "row_share"


def ratio(table: NoisyBlock, categories: int, design_effect: float = 1.0) -> Ratio:
    """Cells row-major (by, from, to) with `categories` froms and tos. Sampling p(1 - p)n within the row."""
    a = table.base
    rows = a.reshape(*a.shape[:-1], -1, categories).sum(axis=-1)
    b = np.repeat(rows, categories, axis=-1)
    one = np.ones_like(a) * table.variance
    return Ratio(a, b, Noise(one, one * categories, one), b * design_effect, "share")
