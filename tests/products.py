"""Rows of numbers and conditions as the sums that nodes answer, with or without noise: for tests of products of two."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np

from coordinator.estimates.mean import Grid
from coordinator.estimates.pairs import Scale
from coordinator.estimates.ratio import Ints, NoisyBlock
from coordinator.estimates.sets import Floats

YES = Scale.yes_or_no()


def number(top: int, sd: float | None = None) -> Scale:
    """A number 0..top in whole steps, with its planning deviation in steps."""
    return Scale.number(Grid(Fraction(0), Fraction(1), top, None if sd is None else Fraction(str(sd))))


def centred(values: Floats, scale: Scale) -> Ints:
    """What a unit adds: 2x - M of a number, +1 or -1 of a condition (0 or 1)."""
    return np.asarray(2 * values - (1 if scale.condition else scale.top), np.int64)


def sums(columns: Sequence[Floats], scales: Sequence[Scale]) -> list[Ints]:
    """Sums over the first axis in the order of a regression: factors, squares of numbers, products, units."""
    z = [centred(column, scale) for column, scale in zip(columns, scales, strict=True)]
    squares = [(2 * a * a - s.top**2).sum(axis=0) for a, s in zip(z, scales, strict=True) if not s.condition]
    products = [(a * b).sum(axis=0) for a, b in combinations(z, 2)]
    return [*(a.sum(axis=0) for a in z), *squares, *products, np.full(z[0].shape[1:], len(z[0]))]


def bounds(scales: Sequence[Scale]) -> list[int]:
    """The most that a unit adds to each of them."""
    squares = [scale.top**2 for scale in scales if not scale.condition]
    return [*(s.top for s in scales), *squares, *(a.top * b.top for a, b in combinations(scales, 2)), 1]


def exactly(found: Sequence[Ints]) -> list[NoisyBlock]:
    return [NoisyBlock(np.asarray(one, np.float64), 0.0) for one in found]


def noisily(found: Sequence[Ints], scales: Sequence[Scale], sd: float, rng: np.random.Generator) -> list[NoisyBlock]:
    """Each block with noise of `sd` times its bound: what a price that is spread evenly over the blocks gives."""
    pairs = zip(found, bounds(scales), strict=True)
    return [NoisyBlock(one + rng.normal(0, sd * most, one.shape), (sd * most) ** 2) for one, most in pairs]


def as_pair(blocks: Sequence[NoisyBlock], scales: Sequence[Scale]) -> list[NoisyBlock]:
    """Those of two factors in the order of a correlation: product, factors, squares, units."""
    one, other, *squares, product, units = blocks
    return [product, one, other, *squares, units]
