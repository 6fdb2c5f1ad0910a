"""Margins that are known before any budget is spent: sigma is public, and so are the expected numbers of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from coordinator.estimates.kinds import Asked, asked, ratio
from coordinator.estimates.ratio import NoisyBlock, Ratio, figures, pool
from coordinator.estimates.sets import Z95
from coordinator.estimates.status import clear
from policies.statistics.blocks import Block
from policies.statistics.compile import Compilation
from policies.statistics.programme import WEIGHT_GRID, Programme
from policies.study.calendar import Calendar, Expected
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Margin:
    """Half the expected 95% interval of one statistic, in its own unit (a share, a mean, a number of units).

    Noise and sampling, at the cohort's public expected units spread evenly over the cells, p = .5 (for a mean the
    middle of its bounds), equal weights. The ratio is taken as linear; where `withheld` lists a region, its
    denominator is expected to drown in noise, its real intervals are wider or unbounded, and its rows are withheld.
    """

    statistic: str
    national: float
    by_region: Mapping[str, float]
    withheld: tuple[str, ...]

    @property
    def regional(self) -> float:
        """The median over the regions."""
        return median(self.by_region.values())


def expected_margins(
    programme: Programme, compilation: Compilation, codebook: Codebook, calendar: Calendar
) -> tuple[Margin, ...]:
    """One margin a statistic, in the programme's order. Asks no node for anything."""
    cohort = calendar.cohorts[programme.programme.cohort].expected
    expected = {region: cohort[region] for region in programme.regions}
    blocks = {block.id: block for block in compilation.blocks}
    noise = {block.id: float(block.scale.fraction / block.multiplier) ** 2 for block in programme.blocks}
    return tuple(
        expected_margin(asked(compiled, blocks, codebook, expected.values()), blocks, noise, expected, codebook)
        for compiled in compilation.statistics
    )


def expected_margin(
    statistic: Asked,
    blocks: Mapping[str, Block],
    noise: Mapping[str, float],
    expected: Mapping[str, Expected],
    codebook: Codebook,
) -> Margin:
    """`noise`: variance in base units by block id. `expected`: units by region, at least one region."""
    units = [each.of(statistic.block.selection.unit) for each in expected.values()]
    ids = (statistic.compiled.numerator, statistic.compiled.denominator)
    planned = {name: _expected_block(blocks[name], noise[name], units) for name in ids if name is not None}
    here = _middle(ratio(statistic, planned, codebook))
    everywhere = pool(here, np.full(len(units), WEIGHT_GRID, np.int64))
    regional = Z95 * figures(here).std_error[:, 0]
    seen = clear(figures(here))[:, 0]
    return Margin(
        statistic=statistic.compiled.statistic.id,
        national=float(Z95 * figures(everywhere).std_error[0]),
        by_region=dict(zip(expected, regional.tolist(), strict=True)),
        withheld=tuple(region for region, fine in zip(expected, seen, strict=True) if not fine),
    )


def _expected_block(block: Block, variance: float, units: Sequence[int]) -> NoisyBlock:
    """Every unit adds one, evenly over the cells; only denominators are read from it."""
    each = np.asarray(units, np.float64)[:, np.newaxis] / block.cells
    return NoisyBlock(np.broadcast_to(each, (len(units), block.cells)), variance)


def _middle(planned: Ratio) -> Ratio:
    return planned if planned.law == "poisson" else replace(planned, a=planned.b * planned.top / 2)
