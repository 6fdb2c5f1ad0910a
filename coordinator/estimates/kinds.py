"""From one compiled statistic and its blocks to a ratio: the one place that knows which kind needs what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coordinator.estimates import count, mean, proportion, transition
from coordinator.estimates.design import design_effect
from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import NoisyBlock, Ratio
from policies.statistics.blocks import Block, Value
from policies.statistics.compile import Compiled
from policies.statistics.statistic import Kind
from policies.study.calendar import Expected
from policies.study.codebook import Codebook
from policies.study.columns import Ref

MEASURES: Mapping[Kind, str] = {
    "count": count.MEASURE,
    "proportion": proportion.MEASURE,
    "mean": mean.MEASURE,
    "transition": transition.MEASURE,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One statistic with its main block: the numerator, or the units of a count."""

    compiled: Compiled
    block: Block
    design_effect: float


def asked(compiled: Compiled, blocks: Mapping[str, Block], codebook: Codebook, expected: Iterable[Expected]) -> Asked:
    """`blocks` by id, from the same compilation; `expected` of the regions that are asked."""
    block = blocks[compiled.numerator or compiled.denominator or ""]
    total = compiled.statistic.kind == "count"
    return Asked(compiled, block, design_effect(block, total, codebook, expected))


def ratio(statistic: Asked, noisy: Mapping[str, NoisyBlock], codebook: Codebook) -> Ratio:
    """The statistic's ratio, regions x cells, from noisy blocks by id."""
    compiled, effect = statistic.compiled, statistic.design_effect
    main = noisy[statistic.block.id]
    match compiled.statistic.kind:
        case "count":
            return count.ratio(main, effect)
        case "transition":
            return transition.ratio(main, compiled.axes[-1].size, effect)
        case "proportion":
            return proportion.ratio(main, noisy[compiled.denominator or ""], effect)
        case "mean":
            return mean.ratio(main, noisy[compiled.denominator or ""], _grid(statistic.block, codebook), effect)


def _grid(block: Block, codebook: Codebook) -> Grid:
    # A mean's numerator always sums values; anything else is a compiler that changed under us.
    assert isinstance(block.summand, Value)
    ref: Ref = block.summand.of
    column, value = codebook.columns[ref.name], block.summand
    # Holding values within narrower bounds never spreads them, and no spread exceeds half the range.
    sd = None if column.sd is None else min(column.sd, column.grid * value.top / 2)
    return Grid(column.lower + column.grid * value.low, column.grid, value.top, sd)
