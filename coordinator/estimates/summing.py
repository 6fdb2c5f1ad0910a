"""A finished national sum (secure aggregation) as estimates use it: one row of cells a block, over all survivors.

The sum holds every survivor's integers times its weight in steps. They are brought to the weights as written, as where
a desk pools regional answers, so that with equal weights a count is one of units. The noise is what is really there:
each survivor's parts less those it took back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np

from coordinator.estimates.design import weighting
from coordinator.estimates.ratio import NoisyBlock
from policies.secure.rounds import NationalSum, group_of, noise_variance
from policies.statistics.blocks import Unit
from policies.statistics.programme import WEIGHT_GRID, Programme
from policies.study.calendar import Expected


@dataclass(frozen=True, slots=True)
class NationalBlocks:
    """The sums by block id, in base units, and the regions they are of, by code."""

    regions: tuple[str, ...]
    blocks: Mapping[str, NoisyBlock]

    @classmethod
    def of(cls, programme: Programme, finished: NationalSum) -> NationalBlocks:
        """Raises ValueError where the sum is not one of this programme (`NationalSum.fits` tells beforehand)."""
        group = group_of(programme)
        if group is None or not finished.fits(programme):
            raise ValueError("the national sum does not fit the programme")
        step = step_size(programme)
        numbers = {block.id: block.numbers() for block in finished.blocks}
        blocks = {}
        for planned in programme.of_mode("national"):
            scale = float(step / planned.multiplier)
            variance = noise_variance(planned, group, finished.taken_back.values())
            blocks[planned.id] = NoisyBlock(np.array(numbers[planned.id], np.float64) * scale, variance * scale**2)
        return cls(tuple(sorted(finished.regions)), blocks)


def step_size(programme: Programme) -> Fraction:
    """What one step of a region's weight stands for: 1 where all weights are 1."""
    return Fraction(gcd(*programme.weights.values()), WEIGHT_GRID)


def weighting_of(programme: Programme, regions: Iterable[str], expected: Mapping[str, Expected], unit: Unit) -> float:
    """The design effect of the programme's weights over these regions, at their public expected units."""
    pairs = [(programme.weights[region] / WEIGHT_GRID, expected[region].of(unit)) for region in regions]
    return weighting([weight for weight, _ in pairs], [units for _, units in pairs])
