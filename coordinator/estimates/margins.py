"""Margins that are known before any budget is spent: sigma is public, and so are the expected numbers of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from coordinator.estimates.kinds import Asked, Measured, asked, grid, measured
from coordinator.estimates.ratio import Ints, NoisyBlock, pool
from coordinator.estimates.sets import Z95
from coordinator.estimates.status import clear
from policies.statistics.blocks import Block, Ones, Square
from policies.statistics.compile import Compilation
from policies.statistics.programme import WEIGHT_GRID, Programme
from policies.study.calendar import Calendar, Expected
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Margin:
    """Half the expected 95% interval of one statistic, in its own unit (a share, a mean, a number of units).

    Of a statistic with several measures it is that of its main one: the share of a table, the mean of a change. Noise
    and sampling, at the cohort's public expected units spread evenly over the cells, p = .5 (for a mean the middle of
    its bounds, no change, the planning deviation or else that of even values), equal weights. The ratio is taken as
    linear; where `withheld` lists a region, its denominator is expected to drown in noise, its real intervals are wider
    or unbounded, and its rows are withheld.
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
    planned = {name: _expected_block(blocks[name], noise[name], units, codebook) for name in statistic.compiled.blocks}
    weights = np.full(len(units), WEIGHT_GRID, np.int64)
    main = next(found for found in measured(statistic, planned, codebook, weights) if found.measure.main)
    main = _halves(main, weights)
    here, everywhere = main.figures(main.here), main.figures(main.everywhere)
    regional = Z95 * here.std_error[:, 0]
    seen = clear(here)[:, 0]
    return Margin(
        statistic=statistic.compiled.statistic.id,
        national=float(Z95 * everywhere.std_error[0]),
        by_region=dict(zip(expected, regional.tolist(), strict=True)),
        withheld=tuple(region for region, fine in zip(expected, seen, strict=True) if not fine),
    )


def _expected_block(block: Block, variance: float, units: Sequence[int], codebook: Codebook) -> NoisyBlock:
    """What the units add on average: one each, evenly over the cells; nothing where it is centred."""
    each = np.asarray(units, np.float64)[:, np.newaxis] * len(block.terms) / block.cells
    match block.summand:
        case Ones():
            adds = 1.0
        case Square(reach=reach):
            scale = grid(block, codebook)
            # Even values spread by a third of the square of half their range; z counts in half steps.
            squared = reach**2 / 3 if scale.sd is None else 4 * float(scale.sd / scale.step) ** 2
            adds = 2 * squared - reach**2
        case _:
            adds = 0.0
    return NoisyBlock(np.broadcast_to(adds * each, (len(units), block.cells)), variance)


def _halves(main: Measured, weights: Ints) -> Measured:
    """Shares of tables at one half, where their margin is widest."""
    if main.here.law != "share" or not isinstance(main.here.top, float) or main.here.top != 1:
        return main
    here = replace(main.here, a=main.here.b / 2)
    return replace(main, here=here, everywhere=pool(here, weights))
