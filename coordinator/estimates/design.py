"""What unequal weights do to a national sum (secure aggregation), of which no region's own denominator is known.

What they do to its sampling variance comes from the public expected numbers. That persons of one household resemble
each other stands in policies/statistics/likeness.py.
"""

from __future__ import annotations

from collections.abc import Sequence


def weighting(weights: Sequence[float], units: Sequence[int]) -> float:
    """Sampling variance of a sum of weighted regions over that of as many units of weight one: sum(w^2 n) / sum(w n).

    n are the public expected units of the regions in the sum. A weighted sum with sum(w n) = B then says as much as
    (sum w n)^2 / sum w^2 n units of equal weight (Kish 1965, section 11.7). 1 where all weights are 1.
    """
    pairs = list(zip(weights, units, strict=True))
    return sum(w * w * n for w, n in pairs) / sum(w * n for w, n in pairs)
