"""cross_table: counts and shares of the combinations of two or three variables: a histogram of combinations.

The noise of a share counts its own cell in the denominator, as in a histogram; shares are of the whole table within
each `by` cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from coordinator.estimates import histogram
from coordinator.estimates.ratio import NoisyBlock, Ratio

COUNT, SHARE = histogram.COUNT, histogram.SHARE


def counts(table: NoisyBlock, design_effect: float = 1.0) -> Ratio:
    """The number of units in each cell; see count."""
    return histogram.counts(table, design_effect)


def shares(table: NoisyBlock, sizes: Sequence[int], design_effect: float = 1.0) -> Ratio:
    """Cells row-major (by, first, second, ...); `sizes` of the table's own keys, without `by`."""
    return histogram.shares(table, prod(sizes), design_effect)
