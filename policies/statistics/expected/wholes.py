"""The expected error of kinds that are worked out as a whole: adjusted differences and quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod, sqrt

from policies.statistics.adjusted_difference import left
from policies.statistics.blocks import Axis
from policies.statistics.expected.ratios import keys
from policies.statistics.expected.setting import Z95, Scale, Setting, Width, grid_of, root
from policies.statistics.ranges import held

_LEAST_UNITS = 5


def adjusted_difference(of: Setting) -> Width:
    """Groups that do not differ, in strata of one size; only what `where` leaves of both counts."""
    *strata, _groups = keys(of)
    kept = prod(len(left(of.blocks[0].selection.where, axis)) for axis in strata)
    units, scale = of.each(1), of.scale()
    one = scale.top**2 / 4 if scale.sd is None else scale.sd**2
    noise = of.variances[0] / (2 * kept * units**2)
    sampling = 2 * one * of.effect / (kept * units)
    sd = root(of.variances[1])
    return Width(scale.step * root(noise + sampling), of.clear(units, sd) and units >= _LEAST_UNITS)


def quantile(of: Setting) -> Width:
    """The first part asked, of even values: half the interval that the tests at the ends of leaves leave."""
    tree = _Tree.of(of)
    part = float(Fraction(of.compiled.statistic.at[0]))
    size, total = tree.size, tree.leaf * tree.size
    sd = root(size / tree.weight(0))
    if total <= Z95 * sd:
        return Width(None, False)
    off = [place * tree.leaf - part * total for place in range(size + 1)]
    spread = part * (1 - part) * total * of.effect
    reach = [Z95 * sqrt(tree.contrast(place, part) + spread) for place in range(size + 1)]
    first = next((at for at in range(size - 1) if off[at + 1] >= -reach[at + 1]), size - 1)
    last = next((at for at in range(size - 1, 0, -1) if off[at] <= reach[at]), 0)
    ends = tree.crossed(last, [o - r for o, r in zip(off, reach, strict=True)])
    begins = tree.crossed(first, [o + r for o, r in zip(off, reach, strict=True)])
    wide = max(ends - begins, 0.0)
    closed = first > 0 or last < size - 1
    return Width(tree.scale.step * wide / (2 * Z95), of.clear(total, sd) and closed)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Levels of counts with noise variances, the coarsest first, over `size` leaves with `leaf` units each.

    The least-squares leaves have a covariance whose eigenvectors are Haar's: a level of 2^l ranges adds
    size / 2^l / v_l to the weight of everything that is constant in each of them, and nothing to the rest.
    """

    scale: Scale
    variances: tuple[float, ...]
    leaf: float
    edges: tuple[int, ...]

    @classmethod
    def of(cls, setting: Setting) -> _Tree:
        axis = setting.blocks[0].axes[-1]
        assert isinstance(axis, Axis)
        low, high = held(setting.compiled.statistic, setting.columns[axis.ref.name])
        size, span = 1 << len(setting.blocks), high - low
        edges = tuple(place * (span + 1) // size for place in range(size + 1))
        scale = grid_of(axis.ref, low, span, setting.columns)
        return cls(scale, setting.variances, setting.each(-1), edges)

    @property
    def size(self) -> int:
        return 1 << len(self.variances)

    def weight(self, level: int) -> float:
        """The eigenvalue of the precision for differences within ranges of this level (0: of all units)."""
        finer = enumerate(self.variances[level:], level + 1)
        return sum(self.size / (1 << depth) / variance for depth, variance in finer)

    def contrast(self, place: int, part: float) -> float:
        """The noise variance of P - part * T, with P the units in the first `place` leaves and T those in all."""
        found = (place - part * self.size) ** 2 / self.size / self.weight(0)
        for level in range(len(self.variances)):
            wide = self.size >> level
            inside = place % wide
            found += min(inside, wide - inside) ** 2 / wide / self.weight(level)
        return found

    def crossed(self, leaf: int, off: list[float]) -> float:
        """Where a straight line from the start of the leaf to its end passes zero, in steps."""
        before, after = off[leaf], off[leaf + 1]
        inside = -before / (after - before) if after != before else 0.0
        return self.edges[leaf] + (self.edges[leaf + 1] - self.edges[leaf]) * min(max(inside, 0.0), 1.0)
