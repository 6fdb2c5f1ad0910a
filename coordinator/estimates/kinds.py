"""From one compiled statistic and its blocks to its measures: the one place that knows which kind needs what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from coordinator.estimates import (
    adjusted_difference,
    correlation,
    count,
    covariance,
    cross_table,
    histogram,
    mean,
    paired_change,
    proportion,
    quantile,
    regression,
    standard_deviation,
    transition,
    variance,
)
from coordinator.estimates import sum as total
from coordinator.estimates.mean import Grid
from coordinator.estimates.pairs import Pair, Scale
from coordinator.estimates.ratio import Figures, Ints, NoisyBlock, Ratio, figures, pool, pool_block
from coordinator.estimates.sets import Floats
from coordinator.estimates.settled import SETTLED, settled
from policies.statistics.blocks import Axis, Block, Difference, Indicator, Mode, Ones, Square, Summand, Value
from policies.statistics.compile import Compiled
from policies.statistics.likeness import design_effect
from policies.statistics.ranges import held
from policies.statistics.statistic import Kind
from policies.study.calendar import Expected
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a statistic. `main`: the one whose margin the price shows. `plain`: its rows have no last axis.

    `counts`: it is a number of units. `shown`: the place of the row whose margin that is.
    """

    name: str
    main: bool = True
    plain: bool = False
    counts: bool = False
    shown: int = 0


MEASURES: Mapping[Kind, tuple[Measure, ...]] = {
    "count": (Measure(count.MEASURE, counts=True),),
    "proportion": (Measure(proportion.MEASURE),),
    "mean": (Measure(mean.MEASURE),),
    "transition": (Measure(transition.MEASURE),),
    "sum": (Measure(total.MEASURE),),
    "histogram": (Measure(histogram.COUNT, main=False, counts=True), Measure(histogram.SHARE)),
    "cross_table": (Measure(cross_table.COUNT, main=False, counts=True), Measure(cross_table.SHARE)),
    "paired_change": (Measure(paired_change.CHANGE, plain=True), Measure(paired_change.SHARE, main=False)),
    "variance": (Measure(variance.MEASURE),),
    "standard_deviation": (Measure(standard_deviation.MEASURE),),
    "covariance": (Measure(covariance.MEASURE),),
    "correlation": (Measure(correlation.MEASURE),),
    "regression": (Measure(regression.MEASURE, shown=1),),
    "adjusted_difference": (Measure(adjusted_difference.MEASURE), Measure(adjusted_difference.NAIVE, main=False)),
    "quantile": (Measure(quantile.MEASURE),),
}
"""The measures of each kind, in the order of their rows."""
PRODUCTS: tuple[Kind, ...] = ("covariance", "correlation", "regression")
"""Kinds made of products of two factors: regions are pooled before anything is worked out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One statistic with its main block: the numerator, or the units of a count. Effects: see likeness.

    `adds` is what a unit adds to each of its blocks, in their order.
    """

    compiled: Compiled
    block: Block
    adds: tuple[Summand, ...]
    design_effect: float
    total_effect: float

    @property
    def kind(self) -> Kind:
        return self.compiled.statistic.kind

    @property
    def mode(self) -> Mode:
        return self.compiled.statistic.mode

    def spread(self, codebook: Codebook) -> float:
        """What a planned deviation of a share is multiplied with, in the figure's own unit: 1 where it is of shares.

        Of a number twice the planning deviation of its units, or else its range (see absent).
        """
        if not isinstance(self.block.summand, Value):
            return 1.0
        scale = grid(self.block, codebook)
        return float(scale.step * scale.top if scale.sd is None else 2 * scale.sd)


@dataclass(frozen=True, slots=True)
class Summed:
    """One measure of all regions together: its ratio (cells), or its figures where it is none."""

    measure: Measure
    everywhere: Ratio | Figures
    rooted: bool

    def figures(self, of: Ratio | Figures) -> Figures:
        """The figures of one of its ratios; for a standard deviation those of the root."""
        if isinstance(of, Figures):
            return of
        return standard_deviation.root(figures(of)) if self.rooted else figures(of)


@dataclass(frozen=True, slots=True)
class Measured(Summed):
    """One measure of which each region answered its own part too: its ratio per region (regions x cells)."""

    here: Ratio | Figures


def asked(compiled: Compiled, blocks: Mapping[str, Block], codebook: Codebook, expected: Iterable[Expected]) -> Asked:
    """`blocks` by id, from the same compilation; `expected` of the regions that are asked."""
    block, regions = blocks[compiled.blocks[0]], tuple(expected)
    counted = compiled.statistic.kind == "count"
    effect = design_effect(block, counted, codebook, regions)
    adds = tuple(blocks[name].summand for name in compiled.blocks)
    return Asked(compiled, block, adds, effect, design_effect(block, True, codebook, regions))


def measured(
    statistic: Asked, noisy: Mapping[str, NoisyBlock], codebook: Codebook, weights: Ints
) -> tuple[Measured, ...]:
    """The statistic's measures from noisy blocks by id; `weights` by region, in thousandths, in the blocks' order."""
    blocks = [noisy[name] for name in statistic.compiled.blocks]
    if statistic.kind in PRODUCTS:
        units = [blocks[-1].base, _squared_weights(weights) @ blocks[-1].base]
        whole = [pool_block(block, weights) for block in blocks]
        here, everywhere = (
            _crossed(statistic, of, codebook, n * statistic.design_effect)
            for of, n in zip((blocks, whole), units, strict=True)
        )
        return (Measured(MEASURES[statistic.kind][0], everywhere, False, here),)
    if statistic.kind in SETTLED:
        own, together = (_settled(statistic, blocks, codebook, given) for given in (None, weights))
        return tuple(
            Measured(measure, whole, False, each)
            for measure, whole, each in zip(MEASURES[statistic.kind], together, own, strict=True)
        )
    rooted = statistic.kind == "standard_deviation"
    pairs = zip(MEASURES[statistic.kind], _ratios(statistic, blocks, codebook), strict=True)
    if statistic.kind in ("variance", "standard_deviation"):
        scale, effect = grid(statistic.block, codebook), statistic.design_effect
        everywhere = variance.pooled(blocks[0], blocks[1], blocks[2], scale, weights, effect)
        return tuple(Measured(measure, everywhere, rooted, ratio) for measure, ratio in pairs)
    return tuple(Measured(measure, pool(ratio, weights), rooted, ratio) for measure, ratio in pairs)


def summed(
    statistic: Asked, noisy: Mapping[str, NoisyBlock], codebook: Codebook, weighting: float
) -> tuple[Summed, ...]:
    """The statistic's measures where only the regions' sum is known: blocks of one row of cells, by id.

    `weighting`: what unequal weights make of the sampling variance (see design).
    """
    blocks = [noisy[name] for name in statistic.compiled.blocks]
    if statistic.kind in PRODUCTS:
        everywhere = _crossed(statistic, blocks, codebook, blocks[-1].base * statistic.design_effect * weighting)
        return (Summed(MEASURES[statistic.kind][0], everywhere, False),)
    heavier = replace(
        statistic,
        design_effect=statistic.design_effect * weighting,
        total_effect=statistic.total_effect * weighting,
    )
    if statistic.kind in SETTLED:
        found = _settled(heavier, blocks, codebook)
        return tuple(Summed(measure, one, False) for measure, one in zip(MEASURES[statistic.kind], found, strict=True))
    ratios = _ratios(heavier, blocks, codebook)
    rooted = statistic.kind == "standard_deviation"
    return tuple(
        Summed(measure, ratio, rooted) for measure, ratio in zip(MEASURES[statistic.kind], ratios, strict=True)
    )


def _ratios(statistic: Asked, blocks: list[NoisyBlock], codebook: Codebook) -> tuple[Ratio, ...]:
    compiled, effect, first = statistic.compiled, statistic.design_effect, blocks[0]
    match statistic.kind:
        case "count":
            return (count.ratio(first, effect),)
        case "transition":
            return (transition.ratio(first, compiled.axes[-1].size, effect),)
        case "proportion":
            return (proportion.ratio(first, blocks[1], effect),)
        case "mean":
            scale = grid(statistic.block, codebook)
            if compiled.statistic.sd is not None:
                scale = replace(scale, sd=Fraction(compiled.statistic.sd), stated=True)
            return (mean.ratio(first, blocks[1], scale, effect),)
        case "sum":
            return (total.ratio(first, blocks[1], grid(statistic.block, codebook), statistic.total_effect),)
        case "histogram":
            shares = histogram.shares(first, compiled.axes[-1].size, effect)
            return histogram.counts(first, statistic.total_effect), shares
        case "cross_table":
            sizes = [axis.size for axis in compiled.axes[len(compiled.statistic.by) :]]
            shares = cross_table.shares(first, sizes, effect)
            return cross_table.counts(first, statistic.total_effect), shares
        case "paired_change":
            sd = None if compiled.statistic.sd is None else Fraction(compiled.statistic.sd)
            change = paired_change.change(first, blocks[1], grid(statistic.block, codebook), effect, sd)
            return change, paired_change.shares(blocks[1], effect)
        case "variance" | "standard_deviation":
            squares, values, units = blocks
            return (variance.ratio(squares, values, units, grid(statistic.block, codebook), effect),)
        case other:
            raise ValueError(f"a {other} is made of its blocks elsewhere")


def _squared_weights(weights: Ints) -> Floats:
    return (np.asarray(weights, np.float64) / 1000) ** 2


def _crossed(statistic: Asked, blocks: list[NoisyBlock], codebook: Codebook, n: Floats) -> Ratio | Figures:
    """What is made of products of two factors; `n`: the units, times squared weights and design effects."""
    asked, factored = statistic.compiled.statistic, slice(0, None) if statistic.kind == "regression" else slice(1, 3)
    count = len(asked.of) if isinstance(asked.of, tuple) else 0
    scales = [_scale(summand, codebook) for summand in statistic.adds[factored][:count]]
    if statistic.kind == "regression":
        return regression.coefficients(blocks, scales, n, None if asked.ridge is None else float(asked.ridge))
    pair = Pair.of(blocks, (scales[0], scales[1]))
    return covariance.ratio(pair, n) if statistic.kind == "covariance" else correlation.ratio(pair, n)


def _settled(
    statistic: Asked, blocks: list[NoisyBlock], codebook: Codebook, weights: Ints | None = None
) -> tuple[Figures, ...]:
    """The measures of what is worked out as a whole; with `weights` of all regions together."""
    match statistic.block.summand, statistic.block.axes:
        case Value(), _:
            scale = grid(statistic.block, codebook)
        case Ones(), (*_, Axis(ref=ref)):
            column = codebook.columns[ref.name]
            low, high = held(statistic.compiled.statistic, column)
            scale = Grid(column.lower + column.grid * low, column.grid, high - low, column.sd)
        case _:
            scale = adjusted_difference.YES_OR_NO
    return settled(statistic.compiled, statistic.block, blocks, scale, codebook, statistic.design_effect, weights)


def _scale(summand: Summand, codebook: Codebook) -> Scale:
    return Scale.yes_or_no() if isinstance(summand, Indicator) else Scale.number(grid_of(summand, codebook))


def grid(block: Block, codebook: Codebook) -> Grid:
    """The public grid of a block that sums values, their squares or differences, held within the statistic's bounds."""
    return grid_of(block.summand, codebook)


def grid_of(summand: Summand, codebook: Codebook) -> Grid:
    """As `grid`, of what a unit adds."""
    match summand:
        case Value(of=ref, low=low, top=span) | Square(of=ref, low=low, reach=span):
            pass
        case Difference(after=ref, low=low, top=span):
            pass
        case other:
            raise ValueError(f"a block of {type(other).__name__} has no grid")
    column = codebook.columns[ref.name]
    # Holding values within narrower bounds never spreads them, and no spread exceeds half the range.
    sd = None if column.sd is None else min(column.sd, column.grid * span / 2)
    return Grid(column.lower + column.grid * low, column.grid, span, sd)
