"""mean: the average of a numeric variable over selected units, per cell.

From N = sum(2x - M d), x = 0..M on the variable's grid, and D = sum(d), independent noise: the mean index is A/B with
A = (N + M D)/2 and B = D, so vA = (sN^2 + M^2 sD^2)/4, vB = sD^2 and cAB = M sD^2/2. The mean is low + grid * index.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import Noise

MEASURE = "mean"
NO_SD = "no planning sd in the codebook: sampling variance is the largest possible"
PLANNED = "sampling by the planning sd of the programme"


@dataclass(frozen=True, slots=True)
class Grid:
    """The variable's public grid: value = lower + step * index, index 0..top.

    `sd` is in the variable's own unit, and `stated` where the programme says it.
    """

    lower: Fraction
    step: Fraction
    top: int
    sd: Fraction | None
    stated: bool = False


def ratio(centred: NoisyBlock, units: NoisyBlock, grid: Grid, design_effect: float = 1.0) -> Ratio:
    """Sampling sd^2 n with the codebook's planning sd, else the largest a bounded variable can have, with a note."""
    one, top = np.ones_like(units.base), grid.top
    noise = Noise(
        one * (centred.variance + top**2 * units.variance) / 4,
        one * units.variance,
        one * top * units.variance / 2,
    )
    return Ratio(
        (centred.base + top * units.base) / 2,
        units.base,
        noise,
        units.base * design_effect,
        "share" if grid.sd is None else "constant",
        top=float(top),
        per_unit=0.0 if grid.sd is None else float(grid.sd / grid.step) ** 2,
        lower=float(grid.lower),
        step=float(grid.step),
        note=NO_SD if grid.sd is None else PLANNED if grid.stated else "",
    )
