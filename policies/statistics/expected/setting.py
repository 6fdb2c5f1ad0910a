"""One statistic before it is asked: its blocks with their public noise, and how many units are expected.

Everything here is public: sigma stands in the signed programme, and the expected units in the calendar. Units are taken
as spread evenly over the cells, conditions as true for half of them, numbers in the middle of their bounds with their
planning deviation (else that of even values), and two numbers as unrelated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from policies.statistics.blocks import Block, Difference, Indicator, Square, Summand, Value
from policies.statistics.compile import Compiled
from policies.study.columns import Column, Ref

Z95 = 1.959963984540054
"""The normal quantile of 0.975."""
OWN, MEAN = 3.25, 3.0
"""How many deviations of its own noise a denominator must be to be read; of a region, and the regions' mean."""


@dataclass(frozen=True, slots=True)
class Width:
    """The standard error that is expected, in the statistic's own unit; None where no interval is bounded.

    `readable`: its denominator is expected to stand out of the noise; else its rows are withheld.
    """

    error: float | None
    readable: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """A number's public grid: lower + step * index, index 0..top; `sd` its planning deviation, in steps of the grid."""

    lower: float
    step: float
    top: int
    sd: float | None

    @property
    def squared(self) -> float:
        """The mean of z^2 for z = 2x - top: of the planning deviation, or of even values (top^2 / 3)."""
        return self.top**2 / 3 if self.sd is None else 4 * self.sd**2


@dataclass(frozen=True, slots=True)
class Setting:
    """`blocks` and the variances of their noise (in base units) in the statistic's order; `units` in all together.

    `average` is the mean of the regions' units, for what a region's own row needs. Effects: see likeness.
    """

    compiled: Compiled
    blocks: tuple[Block, ...]
    variances: tuple[float, ...]
    units: float
    average: float
    effect: float
    total_effect: float
    columns: Mapping[str, Column]

    def each(self, place: int) -> float:
        """The expected units in each cell of a block."""
        block = self.blocks[place]
        return self.units * len(block.terms) / block.cells

    def clear(self, denominator: float, sd: float) -> bool:
        """Whether a denominator is expected to stand out of its noise, for itself and in the regions' mean."""
        mean = denominator * self.average / self.units
        return denominator >= OWN * sd and mean >= MEAN * sd

    def scale(self, place: int = 0) -> Scale:
        """The grid of what a block sums. Raises ValueError where that is no number."""
        return scale_of(self.blocks[place].summand, self.columns)


def scale_of(summand: Summand, columns: Mapping[str, Column]) -> Scale:
    """The grid of a number, held within the statistic's bounds; that of yes (1) and no (0) for a condition.

    Raises ValueError for what is neither.
    """
    match summand:
        case Indicator():
            return Scale(0.0, 1.0, 1, None)
        case Value(of=ref, low=low, top=span) | Square(of=ref, low=low, reach=span):
            return grid_of(ref, low, span, columns)
        case Difference(after=ref, low=low, top=span):
            return grid_of(ref, low, span, columns)
        case other:
            raise ValueError(f"a block of {type(other).__name__} has no grid")


def grid_of(ref: Ref, low: int, span: int, columns: Mapping[str, Column]) -> Scale:
    """The grid of a number from its index `low` on. No spread exceeds half the range that counts."""
    column = columns[ref.name]
    sd = None if column.sd is None else min(float(column.sd / column.grid), span / 2)
    return Scale(float(column.lower + column.grid * low), float(column.grid), span, sd)


def root(variance: float) -> float:
    return sqrt(max(variance, 0.0))
