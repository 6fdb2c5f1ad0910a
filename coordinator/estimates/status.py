"""Which rows are marked `withheld`: decided on released noisy numbers and public sigma only.

A withheld row keeps its numbers; the mark says that they carry too little to be read. The rule is about denominators:

1. the row's own noisy denominator is below 3.25 deviations of its own noise. Its interval is unbounded below 1.96; from
   3.25 on, intervals are on average at most 1.25 times as wide as those of an exactly known denominator; or
2. for a region's row: the regions' mean noisy denominator is below 3 such deviations. Where most regions are withheld
   by rule 1, those that escape it do so by their noise, and their intervals miss too often. Measured for a share of .05
   with 1.9 deviations: one row in ten escaped rule 1, and 82% of those intervals held; now none escapes. With 2.6
   deviations it was one in four and 91%; now it is one in fifty.

Counts have no denominator and are never withheld. What is no ratio has a rule of its own, in the file of its kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.ratio import Figures

OWN = 3.25
MEAN = 3.0


def clear(found: Figures) -> NDArray[np.bool_]:
    """Whether each row may be read, of the shape of the figures (regions x cells, or cells for national rows)."""
    if found.readable is not None:
        return found.readable
    counts = np.isnan(found.denominator)
    own = (found.denominator >= OWN * found.denominator_sd) & ~np.isnan(found.low)
    if found.denominator.ndim > 1:
        own &= found.denominator.mean(axis=0) >= MEAN * found.denominator_sd[0]
    return np.asarray(counts | own)
