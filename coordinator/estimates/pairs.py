"""Two factors of a covariance or correlation on one scale, and how their products vary from unit to unit.

A factor z in -M..M is brought to u = z / M in -1..1; what people know is middle + half * u (0 and 1 for a condition).
For u1, u2 around their means, with deviations s1, s2 and correlation r, write E_ij for the mean of (u1/s1)^i
(u2/s2)^j. A condition has two values, so (u/s)^2 = 1 + g u/s with skewness g = -2 m/s, and then everything follows
from r:

    two conditions      E22 = 1 + g1 g2 r, E31 = r + g1^2 r, E13 = r + g2^2 r, E40 = 1 + g1^2, E04 = 1 + g2^2   (exact)
    otherwise           u2/s2 = r u1/s1 + e with a normal e that does not depend on u1:
                        E40 = 3 for a number and 1 + g1^2 for a condition, E22 = r^2 E40 + 1 - r^2, E31 = r E40,
                        E13 = r^3 E40 + 3 r (1 - r^2), E04 = r^4 E40 + 6 r^2 (1 - r^2) + 3 (1 - r^2)^2

so that for two numbers all is as for a bivariate normal. One unit's product varies by s1^2 s2^2 (E22 - r^2), and a
correlation by E22 - r (E31 + E13) + r^2 (E40 + E04 + 2 E22) / 4 over the units (its influence function; (1 - r^2)^2
for two normal numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import NoisyBlock
from coordinator.estimates.sets import Floats


@dataclass(frozen=True, slots=True)
class Scale:
    """What a factor's u in -1..1 stands for: middle + half * u. `top`: the largest z. `sd`: planned, in steps of u."""

    top: int
    middle: float
    half: float
    condition: bool
    sd: float | None = None

    @classmethod
    def number(cls, grid: Grid) -> Scale:
        half = grid.step * grid.top / 2
        sd = None if grid.sd is None else float(grid.sd / half)
        return cls(grid.top, float(grid.lower + half), float(half), False, sd)

    @classmethod
    def yes_or_no(cls) -> Scale:
        return cls(1, 0.5, 0.5, True)


@dataclass(frozen=True, slots=True)
class Pair:
    """The noisy sums of two factors, scaled to u: their product, each by itself, its square (a number's), the units."""

    product: NoisyBlock
    one: NoisyBlock
    other: NoisyBlock
    squares: tuple[NoisyBlock | None, NoisyBlock | None]
    units: NoisyBlock
    scales: tuple[Scale, Scale]

    @classmethod
    def of(cls, blocks: Sequence[NoisyBlock], scales: tuple[Scale, Scale]) -> Pair:
        """Blocks in the order in which the statistic sums them; without squares for a covariance."""
        product, one, other, *rest, units = blocks
        first, second = scales
        left = iter(rest)
        squares = [None if scale.condition else next(left, None) for scale in scales]
        return cls(
            scaled(product, first.top * second.top),
            scaled(one, first.top),
            scaled(other, second.top),
            (
                None if squares[0] is None else scaled(squares[0], first.top**2),
                None if squares[1] is None else scaled(squares[1], second.top**2),
            ),
            units,
            scales,
        )

    @property
    def means(self) -> tuple[Floats, Floats]:
        """The noisy means of both; 0 where no unit is left."""
        d = self.units.base
        first, second = (
            np.divide(block.base, d, out=np.zeros_like(d), where=d != 0) for block in (self.one, self.other)
        )
        return first, second

    def over_units(self, values: Floats) -> Floats:
        d = self.units.base
        return np.divide(values, d, out=np.zeros_like(d), where=d != 0)


def scaled(block: NoisyBlock, by: int) -> NoisyBlock:
    """Sums and noise in other units; dividing by a public number leaks nothing."""
    return NoisyBlock(block.base / by, block.variance / by**2)


def within_one(mean: Floats) -> Floats:
    """The largest variance of values in -1..1 with this mean (Bhatia-Davis 2000), and that of a condition."""
    return 1 - np.minimum(np.abs(mean), 1.0) ** 2


def skewness(mean: Floats, units: Floats) -> Floats:
    """Of a condition; its variance is taken as no less than one unit in all makes it."""
    return -2 * np.clip(mean, -1.0, 1.0) / np.sqrt(np.maximum(within_one(mean), 1 / np.maximum(units, 1.0)))


@dataclass(frozen=True, slots=True)
class Mixed:
    """E22, E31, E13, E40 and E04 of a pair with correlation r."""

    e22: Floats
    e31: Floats
    e13: Floats
    e40: Floats
    e04: Floats

    @classmethod
    def of(cls, pair: Pair, r: Floats) -> Mixed:
        """See the top of this file. r lies in -1..1; it serves in variances only."""
        g1, g2 = (skewness(mean, pair.units.base) for mean in pair.means)
        first, second = pair.scales
        if first.condition and second.condition:
            return cls(1 + g1 * g2 * r, r + g1**2 * r, r + g2**2 * r, 1 + g1**2, 1 + g2**2)
        if second.condition:
            return cls._from(r, 1 + g2**2).turned()
        return cls._from(r, 1 + g1**2 if first.condition else 3 + 0 * g1)

    @classmethod
    def _from(cls, r: Floats, e40: Floats) -> Mixed:
        rest = 1 - r**2
        e13, e04 = r**3 * e40 + 3 * r * rest, r**4 * e40 + 6 * r**2 * rest + 3 * rest**2
        return cls(r**2 * e40 + rest, r * e40, e13, e40, e04)

    def turned(self) -> Mixed:
        """With the two the other way round."""
        return Mixed(self.e22, self.e13, self.e31, self.e04, self.e40)

    def of_product(self, r: Floats) -> Floats:
        """How a unit's product varies, over s1^2 s2^2; never below zero."""
        return np.maximum(self.e22 - r**2, 0.0)

    def of_correlation(self, r: Floats) -> Floats:
        """How a correlation varies, times the units; never below zero."""
        around = self.e22 - r * (self.e31 + self.e13) + r**2 * (self.e40 + self.e04 + 2 * self.e22) / 4
        return np.maximum(around, 0.0)
