"""paired_change: the mean change of a number between two waves, and the shares improved, same and worse.

From N = sum(x1 - x0) in -M..M per unit, and three counts with independent noise s each, whose sum B counts the units:
the mean change is A/B - M on the grid with A = N + M B, so vA = sN^2 + M^2 vB, cAB = M vB and vB = 3 s^2. A share is a
count over B, itself included, as in a histogram.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from coordinator.estimates import histogram
from coordinator.estimates.mean import NO_SD, PLANNED, Grid
from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Noise

CHANGE, SHARE = "mean_change", histogram.SHARE
_PLACES = 3


def change(
    differences: NoisyBlock, directions: NoisyBlock, grid: Grid, design_effect: float = 1.0, sd: Fraction | None = None
) -> Ratio:
    """Sampling with the programme's planning `sd` of the change; else 2 sd^2 n with the codebook's sd of the values.

    Where there is neither it is the largest that a bounded change can have, with a note.

    2 sd^2 is the variance of a change whose two values are unrelated; values of one unit that go together, as they do
    in people, make it smaller.
    """
    units = directions.base.reshape(*directions.base.shape[:-1], -1, _PLACES).sum(axis=-1)
    one, top, variance = np.ones_like(units), grid.top, _PLACES * directions.variance
    squared = None if grid.sd is None else 2 * float(grid.sd / grid.step) ** 2
    if sd is not None:
        squared = float(sd / grid.step) ** 2
    noise = Noise(one * (differences.variance + top**2 * variance), one * variance, one * top * variance)
    return Ratio(
        differences.base + top * units,
        units,
        noise,
        units * design_effect,
        "share" if squared is None else "constant",
        top=2.0 * top,
        per_unit=squared or 0.0,
        lower=-float(grid.step) * top,
        step=float(grid.step),
        note=NO_SD if squared is None else PLANNED if sd is not None else "",
    )


def shares(directions: NoisyBlock, design_effect: float = 1.0) -> Ratio:
    """Improved, same and worse, of the units known at both waves."""
    return histogram.shares(directions, _PLACES, design_effect)
