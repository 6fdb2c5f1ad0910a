"""What came in of a run so far, as estimates use it: the regions' own answers, and the finished national sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coordinator.estimates.kinds import Asked, Summed, measured, summed
from coordinator.estimates.ratio import Ints, NoisyBlock
from coordinator.estimates.summing import NationalBlocks, weighting_of
from policies.secure.rounds import NationalSum
from policies.statistics.blocks import Mode
from policies.statistics.programme import Programme
from policies.study.calendar import Expected
from policies.study.codebook import Codebook

Answers = Mapping[str, Mapping[str, Sequence[int]]]
"""The noisy integers as sent: by region, then by block id."""


@dataclass(frozen=True, slots=True)
class Known:
    """`regional` blocks have a row for each region that answered, in their order; `weights` are theirs."""

    answered: tuple[str, ...]
    weights: Ints
    regional: Mapping[str, NoisyBlock]
    national: NationalBlocks | None

    @classmethod
    def of(cls, programme: Programme, answers: Answers, finished: NationalSum | None) -> Known:
        """Raises KeyError or ValueError for an answer or a sum that does not fit the programme."""
        answered = tuple(region for region in programme.regions if region in answers)
        blocks = {}
        for block in programme.of_mode("regional"):
            values = np.array([answers[region][block.id] for region in answered], np.int64)
            shaped = values.reshape(len(answered), block.cells)
            blocks[block.id] = NoisyBlock.answered(shaped, block.scale.fraction, block.multiplier)
        weights = np.array([programme.weights[region] for region in answered], np.int64)
        return cls(answered, weights, blocks, None if finished is None else NationalBlocks.of(programme, finished))

    def included(self, mode: Mode) -> tuple[str, ...]:
        """The regions that are in the national figures of this mode."""
        if mode == "regional":
            return self.answered
        return () if self.national is None else self.national.regions

    def figured(
        self, statistic: Asked, programme: Programme, codebook: Codebook, expected: Mapping[str, Expected]
    ) -> tuple[Summed, ...]:
        """The statistic's measures, in order; none where nothing of its mode came in."""
        if statistic.mode == "regional":
            return measured(statistic, self.regional, codebook, self.weights) if self.answered else ()
        if self.national is None:
            return ()
        weighting = weighting_of(programme, self.national.regions, expected, statistic.compiled.statistic.unit)
        return summed(statistic, self.national.blocks, codebook, weighting)
