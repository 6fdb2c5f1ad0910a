"""histogram: counts and shares of the values of one variable, from a single block of one-hot counts.

A count is its cell; a share is its cell over the sum of its histogram, itself included, so that the noise of the two is
correlated exactly as in a row of a transition table: s^2 [(1 - p)^2 + (K - 1) p^2].
"""

from __future__ import annotations

from coordinator.estimates import count, transition
from coordinator.estimates.ratio import NoisyBlock, Ratio

COUNT, SHARE = "count", "share"


def counts(table: NoisyBlock, design_effect: float = 1.0) -> Ratio:
    """The number of units in each cell; see count."""
    return count.ratio(table, design_effect)


def shares(table: NoisyBlock, places: int, design_effect: float = 1.0) -> Ratio:
    """Cells row-major (by, value) with `places` values. Sampling p(1 - p)n within the histogram of each `by` cell."""
    return transition.ratio(table, places, design_effect)
