"""Many finished national sums of one programme at once, with the product's noise in its real parts, and their figures.

A run is a row of an array: the regions' exact sums stay, the noise is drawn anew, by the source that a node uses. Who
drops out, and which parts are then taken back, is chosen afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from coordinator.estimates.kinds import asked, summed
from coordinator.estimates.ratio import NoisyBlock
from coordinator.estimates.sets import Floats
from coordinator.estimates.status import OWN
from coordinator.estimates.summing import step_size, weighting_of
from node.mechanism import DiscreteGaussian
from policies.secure.group import Group
from policies.secure.rounds import group_of, noise_variance, spare
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import PlannedBlock, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

Sums = Mapping[str, Mapping[str, Sequence[int]]]
"""Exact sums in base units: by region, then by block id."""
Blocks = Mapping[str, NoisyBlock]


def pooled(errors: Floats) -> float:
    """The root mean square over all runs and figures; errors over what they are measured by."""
    return float(np.sqrt((errors**2).mean()))


@dataclass(frozen=True)
class Runs:
    """The noise of so many runs: by block, an array of regions x parts x runs x cells."""

    programme: Programme
    codebook: Codebook
    calendar: Calendar
    sums: Sums
    runs: int
    drawn: Mapping[str, Floats]

    @classmethod
    def draw(
        cls, programme: Programme, codebook: Codebook, calendar: Calendar, sums: Sums, runs: int, most_lost: int = 0
    ) -> Runs:
        """With fresh entropy of the operating system; the parts that survivors keep where at most so many are lost."""
        group, source = _group(programme), DiscreteGaussian()
        drawn = {}
        for block in programme.of_mode("national"):
            shape, parts = (runs, block.cells), group.parts(block.scale)[: 1 + most_lost]
            each = [
                [np.reshape(source.draw(runs * block.cells, part), shape) for part in parts] for _ in programme.regions
            ]
            drawn[block.id] = np.array(each, np.float64)
        return cls(programme, codebook, calendar, sums, runs, drawn)

    def finished(self, lost: int = 0) -> tuple[Blocks, tuple[str, ...]]:
        """The sums where the first so many regions drop out, runs x cells, and who is in them."""
        group, survivors = _group(self.programme), self.programme.regions[lost:]
        kept = 1 + group.dropouts - spare(group, len(survivors))
        taken = [group.dropouts + 1 - kept] * len(survivors)
        return self._blocks(
            survivors,
            lambda block: self.drawn[block.id][lost:, :kept].sum(axis=(0, 1)),
            lambda block: noise_variance(block, group, taken),
        ), survivors

    def trusted(self) -> Blocks:
        """The sums of one trusted curator who has all rows: the same price, so one draw of the planned sigma."""
        source = DiscreteGaussian()
        return self._blocks(
            self.programme.regions,
            lambda block: np.reshape(source.draw(self.runs * block.cells, block.scale), (self.runs, block.cells)),
            lambda block: block.scale.value**2,
        )

    def errors(self, blocks: Blocks, regions: Sequence[str]) -> tuple[Floats, Floats]:
        """The error of every figure, and its `noise_sd`: runs x figures, NaN in runs where it may not be read."""
        programme, found = self.programme, []
        compilation = compile_blocks(programme.statistics, self.codebook)
        expected = self.calendar.cohorts[programme.programme.cohort].expected
        by_id = {block.id: block for block in compilation.blocks}
        exact = self._blocks(regions, lambda block: np.zeros((1, block.cells)), lambda _block: 0.0)
        for compiled in compilation.statistics:
            if compiled.statistic.mode == "regional":
                continue
            statistic = asked(compiled, by_id, self.codebook, [expected[region] for region in programme.regions])
            effect = weighting_of(programme, regions, expected, compiled.statistic.unit)
            pairs = (summed(statistic, of, self.codebook, effect) for of in (blocks, exact))
            for noisy, plain in zip(*pairs, strict=True):
                got, truth = noisy.figures(noisy.everywhere), plain.figures(plain.everywhere).estimate
                fine = np.isnan(got.denominator) | (got.denominator >= OWN * got.denominator_sd)
                found.append((np.where(fine, got.estimate - truth, np.nan), np.where(fine, got.noise_sd, np.nan)))
        errors, sds = zip(*found, strict=True)
        return np.concatenate(errors, axis=1), np.concatenate(sds, axis=1)

    def _blocks(
        self,
        regions: Sequence[str],
        noise: Callable[[PlannedBlock], Floats],
        variance: Callable[[PlannedBlock], float],
    ) -> Blocks:
        steps, blocks = self.programme.steps, {}
        for block in self.programme.of_mode("national"):
            scale = float(Fraction(step_size(self.programme), block.multiplier))
            whole = sum(steps[region] * np.array(self.sums[region][block.id], np.float64) for region in regions)
            base = (block.multiplier * np.asarray(whole) + noise(block)) * scale
            blocks[block.id] = NoisyBlock(base, variance(block) * scale**2)
        return blocks


def _group(programme: Programme) -> Group:
    group = group_of(programme)
    assert group is not None
    return group
