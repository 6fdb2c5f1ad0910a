"""Answers to many studies at once: exact sums with noise of the planned size, as estimates take them in.

The noise is a normal number rounded to a whole one, of variance sigma^2 - 1/12 before rounding. At the smallest sigma
that is ever planned (8) its distribution is within 1.2e-7 (total variation) of the discrete Gaussian that a node draws
from; a test says so, and holds both against OpenDP's own sampler. That one would take minutes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.known import Known
from coordinator.estimates.ratio import NoisyBlock
from coordinator.estimates.summing import NationalBlocks, step_size
from policies.secure.rounds import group_of, noise_variance, spare
from policies.statistics.programme import PlannedBlock
from tests.bench.studies.asking import Programmes

Ints = NDArray[np.int64]
Sums = Mapping[str, Ints]
"""Exact sums by block id: regions x studies x cells."""


def noise(draws: np.random.Generator, variance: float, shape: tuple[int, ...]) -> Ints:
    """Rounded normal numbers of this variance."""
    return np.rint(draws.normal(0.0, np.sqrt(variance - 1 / 12), shape)).astype(np.int64)


def regional(draws: np.random.Generator, asked: Programmes, sums: Sums) -> dict[str, NoisyBlock]:
    """Every region's answer; studies and cells are one dimension."""
    return {block.id: _answered(draws, block, sums[block.id]) for block in asked.programme.of_mode("regional")}


def _answered(draws: np.random.Generator, block: PlannedBlock, exact: Ints) -> NoisyBlock:
    numbers = block.multiplier * exact + noise(draws, float(block.scale.fraction) ** 2, exact.shape)
    return NoisyBlock.answered(numbers.reshape(len(exact), -1), block.scale.fraction, block.multiplier)


def answered(asked: Programmes, blocks: Mapping[str, NoisyBlock], there: Sequence[int]) -> Known:
    """What a desk knows where only the regions at these places have answered."""
    some = {name: NoisyBlock(block.base[list(there)], block.variance) for name, block in blocks.items()}
    regions = tuple(asked.regions[place] for place in there)
    return Known(regions, np.array([asked.programme.weights[region] for region in regions]), some, None)


def summed(draws: np.random.Generator, asked: Programmes, sums: Sums, there: Sequence[int]) -> Known:
    """The finished national sum of the regions at these places; the others dropped out."""
    group = group_of(asked.programme)
    if group is None:
        raise ValueError("nothing is asked nationally")
    regions = tuple(asked.regions[place] for place in there)
    steps = np.array([asked.programme.steps[region] for region in regions])
    taken, found = [spare(group, len(regions))] * len(regions), {}
    for block in asked.programme.of_mode("national"):
        exact = np.tensordot(steps, sums[block.id][list(there)], axes=1)
        variance = noise_variance(block, group, taken)
        scale = float(step_size(asked.programme) / block.multiplier)
        numbers = block.multiplier * exact + noise(draws, variance, exact.shape)
        found[block.id] = NoisyBlock(np.asarray(numbers.reshape(-1) * scale, np.float64), variance * scale**2)
    return Known((), np.array([], np.int64), {}, NationalBlocks(regions, found))
