"""Margins that are known before any budget is spent: sigma is public, and so are the expected numbers of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from coordinator.estimates.design import weighting
from coordinator.estimates.kinds import Asked, Measured, Summed, asked, grid, measured, summed
from coordinator.estimates.ratio import Figures, NoisyBlock, Ratio
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import clear
from policies.secure.group import Group
from policies.secure.rounds import group_of, noise_variance
from policies.statistics.blocks import Block, Ones, Square
from policies.statistics.compile import Compilation
from policies.statistics.programme import WEIGHT_GRID, PlannedBlock, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Margin:
    """Half the expected 95% interval of one statistic, in its own unit (a share, a mean, a number of units).

    Of a statistic with several measures it is that of its main one: the share of a table, the mean of a change. Noise
    and sampling, at the cohort's public expected units spread evenly over the cells, p = .5 (for a mean the middle of
    its bounds, no change, the planning deviation or else that of even values), equal weights. The ratio is taken as
    linear; where `withheld` lists a region, its denominator is expected to drown in noise, its real intervals are wider
    or unbounded, and its rows are withheld.

    Products of two are taken of unrelated numbers. Of a regression it is the margin of its first term's coefficient,
    without its ridge: with one there is no interval.

    Of a national statistic (a sum by secure aggregation) `national` is that of the finished sum with every region in
    it, `reduced` that with as many lost as may be, the largest ones. No region has a figure of its own: `by_region` is
    what each would have had at the same price, block for block, had the statistic been asked regionally, and
    `if_regional` what the national figure would have had. Of a regional one all three are `national`.

    `weighted` is `national` with the programme's weights, scaled so that they are 1 on average; with equal ones it is
    the same.
    """

    statistic: str
    national: float
    reduced: float
    if_regional: float
    weighted: float
    by_region: Mapping[str, float]
    withheld: tuple[str, ...]
    drowned: bool = False
    """The national figure itself is expected to be withheld."""

    @property
    def regional(self) -> float:
        """The median over the regions."""
        return median(self.by_region.values())


def expected_margins(
    programme: Programme, compilation: Compilation, codebook: Codebook, calendar: Calendar
) -> tuple[Margin, ...]:
    """One margin a statistic, in the programme's order. Asks no node for anything."""
    return tuple(one.margin() for one in expectations(programme, compilation, codebook, calendar))


def expectations(
    programme: Programme, compilation: Compilation, codebook: Codebook, calendar: Calendar
) -> tuple[Expectation, ...]:
    """What the margins are worked out from: one a statistic, in the programme's order."""
    cohort = calendar.expected_of(programme.programme.cohort)
    expected = {region: cohort[region] for region in programme.regions}
    blocks = {block.id: block for block in compilation.blocks}
    found = []
    for compiled in compilation.statistics:
        plain = replace(compiled, statistic=compiled.statistic.model_copy(update={"ridge": None}))
        statistic = asked(plain, blocks, codebook, expected.values())
        units = {region: counts.of(compiled.statistic.unit) for region, counts in expected.items()}
        found.append(Expectation(statistic, blocks, programme, codebook, units))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One statistic with what is public of it; `units` by region, in the programme's order."""

    statistic: Asked
    blocks: Mapping[str, Block]
    programme: Programme
    codebook: Codebook
    units: Mapping[str, int]

    def margin(self) -> Margin:
        """Everything that is known of its margins beforehand."""
        main = self.each()
        here = main.figures(at_half(main.here))
        readable = clear(here)[:, main.measure.shown]
        if_regional = _half_width(main)
        group = group_of(self.programme) if self.statistic.mode == "national" else None
        everywhere = [1.0] * len(self.units)
        fewer = self._without_largest(0 if group is None else group.dropouts)
        together = self.together()
        return Margin(
            statistic=self.statistic.compiled.statistic.id,
            national=if_regional if group is None else self._national(group, everywhere),
            reduced=if_regional if group is None else self._national(group, fewer),
            if_regional=if_regional,
            weighted=_half_width(together),
            by_region=dict(zip(self.units, (Z95 * here.std_error[:, main.measure.shown]).tolist(), strict=True)),
            withheld=tuple(region for region, fine in zip(self.units, readable, strict=True) if not fine),
            drowned=not clear(together.figures(at_half(together.everywhere)))[together.measure.shown],
        )

    def each(self) -> Measured:
        """The main measure of every region by itself, as if asked regionally, and of all with equal weights."""
        rows = {
            name: NoisyBlock(self._rows(self.blocks[name]), variance) for name, variance in self._own_noise().items()
        }
        equal = np.full(len(self.units), WEIGHT_GRID, np.int64)
        return next(found for found in measured(self.statistic, rows, self.codebook, equal) if found.measure.main)

    def together(self) -> Summed:
        """The main measure of all regions with the programme's weights, in its own mode, nobody lost."""
        group = group_of(self.programme) if self.statistic.mode == "national" else None
        steps = [self.programme.steps[region] for region in self.units]
        scale = sum(self.units.values()) / sum(s * n for s, n in zip(steps, self.units.values(), strict=True))
        if group is None:
            squares = sum(step**2 for step in steps)
            noise = {name: variance * squares for name, variance in self._own_noise().items()}
        else:
            taken = [group.dropouts] * group.regions
            noise = {b.id: noise_variance(b, group, taken) / b.multiplier**2 for b in self.planned()}
        scaled = {name: variance * scale**2 for name, variance in noise.items()}
        return self._summed([step * scale for step in steps], scaled)

    def _own_noise(self) -> dict[str, float]:
        """The variance of one region's own noise at each block's price, in base units, had it been asked regionally.

        Privacy: the same D^2/(2 sigma^2) as planned. In a national sum D is that of the heaviest weight; one region's
        own sum has none, so sigma is less by as much.
        """
        heaviest = max(self.programme.steps.values()) if self.statistic.mode == "national" else 1
        return {block.id: float(block.scale.fraction / (block.multiplier * heaviest)) ** 2 for block in self.planned()}

    def planned(self) -> list[PlannedBlock]:
        """The statistic's blocks with their noise."""
        return [block for block in self.programme.blocks if block.id in self.statistic.compiled.blocks]

    def _national(self, group: Group, there: Sequence[float]) -> float:
        """The margin of a national sum with equal weights, of the regions that are there (1 or 0 for each)."""
        heaviest, survivors = max(self.programme.steps.values()), sum(map(bool, there))
        taken = [group.dropouts - (group.regions - survivors)] * survivors
        noise = {
            block.id: noise_variance(block, group, taken) / (block.multiplier * heaviest) ** 2
            for block in self.planned()
        }
        return _half_width(self._summed(there, noise))

    def _without_largest(self, lost: int) -> list[float]:
        ranked = sorted(self.units, key=lambda region: (-self.units[region], region))
        return [0.0 if region in ranked[:lost] else 1.0 for region in self.units]

    def _summed(self, weights: Sequence[float], noise: Mapping[str, float]) -> Summed:
        """The main measure of the regions' sum with these weights; `noise` is the variance in it, by block id."""
        w = np.asarray(weights)[:, np.newaxis]
        whole = {name: NoisyBlock((w * self._rows(self.blocks[name])).sum(axis=0), noise[name]) for name in noise}
        effect = weighting(weights, list(self.units.values()))
        return next(found for found in summed(self.statistic, whole, self.codebook, effect) if found.measure.main)

    def _rows(self, block: Block) -> Floats:
        """What the units of each region add on average: one each, evenly over the cells; nothing where centred."""
        each = np.asarray(list(self.units.values()), np.float64)[:, np.newaxis] * len(block.terms) / block.cells
        match block.summand:
            case Ones():
                adds = 1.0
            case Square(reach=reach):
                scale = grid(block, self.codebook)
                # Even values spread by a third of the square of half their range; z counts in half steps.
                squared = reach**2 / 3 if scale.sd is None else 4 * float(scale.sd / scale.step) ** 2
                adds = 2 * squared - reach**2
            case _:
                adds = 0.0
        return np.broadcast_to(adds * each, (len(self.units), block.cells))


def _half_width(main: Summed) -> float:
    return float(Z95 * main.figures(at_half(main.everywhere)).std_error[main.measure.shown])


def at_half(ratio: Ratio | Figures) -> Ratio | Figures:
    """Shares of tables at one half, where their margin is widest."""
    if isinstance(ratio, Figures) or ratio.law != "share" or not isinstance(ratio.top, float) or ratio.top != 1:
        return ratio
    return replace(ratio, a=ratio.b / 2)
