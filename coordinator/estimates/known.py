"""What came in of a run so far, as estimates use it: the regions' own answers, and the finished national sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coordinator.estimates import apart
from coordinator.estimates.absent import AVERAGES, Split, widened
from coordinator.estimates.apart import DIFFERENCES
from coordinator.estimates.kinds import Asked, Measured, Summed, measured, summed
from coordinator.estimates.ratio import Figures, Ints, NoisyBlock, Ratio
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
        self,
        statistic: Asked,
        programme: Programme,
        codebook: Codebook,
        expected: Mapping[str, Expected],
        between: float | None = None,
    ) -> tuple[Summed, ...]:
        """The statistic's measures, in order; none where nothing of its mode came in.

        Where regions are missing the national intervals are wider by what these may differ from the others; `between`
        is the public planning deviation between regions, None where there is none (see absent).
        """
        if statistic.mode == "regional":
            found: tuple[Summed, ...] = (
                measured(statistic, self.regional, codebook, self.weights) if self.answered else ()
            )
        elif self.national is None:
            return ()
        else:
            unit = statistic.compiled.statistic.unit
            weighting = weighting_of(programme, self.national.regions, expected, unit)
            found = summed(statistic, self.national.blocks, codebook, weighting)
        included = self.included(statistic.mode)
        split = Split.of(programme.weights, included, expected, statistic.compiled.statistic.unit)
        return tuple(_widened(one, split, between, statistic.spread(codebook)) for one in found)


def _widened(found: Summed, split: Split, between: float | None, spread: float) -> Summed:
    """A measure whose national ratio, or difference, reckons with the missing regions.

    `spread` is what a planned deviation of a share is multiplied with. Other figures than averages and their
    differences stay as they are; their note says what is assumed.
    """
    everywhere = found.everywhere
    if isinstance(everywhere, Figures) and found.measure.name in DIFFERENCES:
        own = found.here if isinstance(found, Measured) and isinstance(found.here, Figures) else None
        planned = None if between is None else between * spread
        return replace(found, everywhere=apart.widened(everywhere, own, split, planned))
    if isinstance(everywhere, Figures) or found.measure.name not in AVERAGES:
        return found
    here = found.here if isinstance(found, Measured) and isinstance(found.here, Ratio) else None
    return replace(found, everywhere=widened(everywhere, here, split, between))
