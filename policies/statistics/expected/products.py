"""The expected error of what is made of products of two factors: covariance, correlation, regression.

All in u = z / M of -1..1, as the desk has it. The factors are taken as unrelated with means in the middle, so that the
matrix of second moments has nothing beside its diagonal, and everything can be written out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt

from policies.statistics.blocks import Indicator
from policies.statistics.expected.setting import OWN, Setting, Width, root, scale_of

_MEAN_OF_OWN = 3.0 / 3.25
_APART = 5.0
"""How many deviations of its noise the smallest eigenvalue must be, times the root of the columns."""


@dataclass(frozen=True, slots=True)
class _Factor:
    """One factor: half its range in its own unit, the mean of u^2 (planned, or of even values), and its largest z.

    `most` is the variance of u as the sampling of a covariance has it: planned, else the largest possible.
    """

    half: float
    squared: float
    top: int
    condition: bool
    most: float
    planned: bool


def covariance(of: Setting) -> Width:
    """Of two unrelated factors: the noise of their product, and the spread of both."""
    one, other = _factors(of, 1, 2)
    units, noise = of.each(-1), of.variances[0] / (one.top * other.top) ** 2
    planned = one.planned and other.planned
    each = one.most * other.most if planned else min(one.most, other.most)
    error = one.half * other.half * root(noise + of.effect * units * each) / units
    return Width(error, of.clear(units, root(of.variances[-1])))


def correlation(of: Setting) -> Width:
    """Of two unrelated factors: at zero only the noise of their product counts, over both noisy spreads."""
    pair = _factors(of, 1, 2)
    one, other = pair
    units, noise = of.each(-1), of.variances[0] / (one.top * other.top) ** 2
    spread = [f.squared * units + v / f.top**2 / units for f, v in zip(pair, of.variances[1:3], strict=True)]
    squares = iter(of.variances[3:-1])
    own = [0.0 if f.condition else next(squares) / f.top**4 for f in pair]
    whole = [1.0 if f.condition else 0.5 for f in pair]
    both = sqrt(spread[0] * spread[1])
    slopes = [spread[1] / (2 * both), spread[0] / (2 * both)]
    bottom = of.variances[-1] * (whole[0] * slopes[0] + whole[1] * slopes[1]) ** 2
    bottom += sum(v * (w * s) ** 2 for v, w, s in zip(own, (0.5, 0.5), slopes, strict=True))
    error = root((units / both) ** 2 * noise + of.effect * units) / units
    return Width(error, of.clear(units, units / both * root(bottom)))


def regression(of: Setting) -> Width:
    """The first term's coefficient, without its ridge.

    With factors unrelated the normal equations fall apart, one for each term. The desk's correction for noise in them
    and its estimate of the residual spread are in it.
    """
    found = _Regression.of(of)
    outcome, term = found.factors[0], found.factors[1]
    # (G + K)^-1, where noise cannot make G singular; see coordinator/estimates/regression.py.
    inverse = [1 / (g + (k if found.apart else 0.0)) for g, k in zip(found.design, found.curvature(), strict=True)]
    meat = [found.sums[0], *(found.products[0, place] for place in range(1, len(found.factors)))]
    noise = inverse[1] ** 2 * meat[1]
    units, columns = found.units, len(found.design)
    least = outcome.squared * units + sum(i * m for i, m in zip(inverse, meat, strict=True))
    own = found.noise if outcome.condition else 0.25 * (found.squares[0] + found.noise)
    squared = min(max(least / units, sqrt(own) / units, 0.0), 1.0)
    many = units / of.effect
    left = max(many - columns, 1.0)
    sampling = squared * of.effect * max(many, 1.0) / left * inverse[1]
    error = outcome.half / term.half * root(noise + sampling)
    return Width(error, found.apart and units >= OWN * root(found.noise))


@dataclass(frozen=True, slots=True)
class _Regression:
    """What is expected of the second moments: the diagonal of G, and the noise of each block in u-scale.

    `sums` by factor, `squares` by factor (of a condition 0), `products` by two factors, `noise` that of the units.
    """

    factors: tuple[_Factor, ...]
    units: float
    design: tuple[float, ...]
    sums: tuple[float, ...]
    squares: tuple[float, ...]
    products: dict[tuple[int, int], float]
    noise: float
    apart: bool

    @classmethod
    def of(cls, setting: Setting) -> _Regression:
        asked = setting.compiled.statistic.of
        factors = _factors(setting, 0, len(asked) if isinstance(asked, tuple) else 0)
        left = iter(setting.variances)
        sums = tuple(next(left) / f.top**2 for f in factors)
        squares = tuple(0.0 if f.condition else next(left) / f.top**4 for f in factors)
        pairs = combinations(range(len(factors)), 2)
        products = {(i, j): next(left) / (factors[i].top * factors[j].top) ** 2 for i, j in pairs}
        noise, units = next(left), setting.each(-1)
        design = (units, *(f.squared * units for f in factors[1:]))
        entries = [noise, *sums[1:], *(v for (i, _), v in products.items() if i)]
        entries += [noise if f.condition else (q + noise) / 4 for f, q in zip(factors[1:], squares[1:], strict=True)]
        least = _APART * sqrt(max(entries)) * sqrt(len(design))
        mean = min(design) * setting.average / setting.units
        apart = min(design) >= least and mean >= least * _MEAN_OF_OWN
        return cls(factors, units, design, sums, squares, products, noise, apart)

    def curvature(self) -> list[float]:
        """The diagonal of K = sum of v E G^-1 E over the blocks; it has nothing beside."""
        g, count = self.design, len(self.design)
        found = [self.noise / g[0] + sum(self.sums[j] / g[j] for j in range(1, count))]
        for j in range(1, count):
            factor = self.factors[j]
            own = (1.0 if factor.condition else 0.25) * self.noise + 0.25 * self.squares[j]
            beside = sum(
                v / g[i if place == j else place] for (i, place), v in self.products.items() if i and j in (i, place)
            )
            found.append(own / g[j] + self.sums[j] / g[0] + beside)
        return found


def _factors(of: Setting, first: int, count: int) -> tuple[_Factor, ...]:
    return tuple(_factor(of, place) for place in range(first, first + count))


def _factor(of: Setting, place: int) -> _Factor:
    summand = of.blocks[place].summand
    scale = scale_of(summand, of.columns)
    if isinstance(summand, Indicator):
        return _Factor(0.5, 1.0, 1, True, 1.0, True)
    planned = scale.sd is not None
    spread = 1.0 if scale.sd is None else min(2 * scale.sd / scale.top, 1.0) ** 2
    return _Factor(scale.step * scale.top / 2, scale.squared / scale.top**2, scale.top, False, spread, planned)
