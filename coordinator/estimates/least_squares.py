"""Tables that are margins of each other, made to agree by generalised least squares with their known noise.

Blocks over the same units (kind, waves, filter, missing rule) hold sums of one underlying table: a cross-table, the
histograms of its variables, a coarser histogram, a count of all, the denominators of shares, and (as a difference of
two cells) a share's own numerator. What they have in common are the numbers

    T(v1 >= s1, v2 >= s2, ...)        units whose variables reach these places; T() is all of them

Every cell of a block is a sum of such numbers with signs, and two blocks know the same thing exactly where they share
one. With M_b the signs of block b, sigma_b^2 its noise variance and y_b its raw cells, the best linear unbiased fit is

    J = sum M_b' M_b / sigma_b^2        C = J^-1        T = C sum M_b' y_b / sigma_b^2

(a pseudo-inverse: what no block knows stays out). A fitted cell M_b T has noise covariance M_b C M_b', never more than
sigma_b^2; fitted tables add up to each other exactly (Hay et al. 2010; Aitken 1935). Nothing is clipped: that would
bend small numbers up.

A regional programme gives such a fit for each region, all with the same C, and their weighted sum. Where the same units
were asked as a national sum too, with the same regions in it, the two are one more pair of margins: with weights w and
W = sum(w^2) the whole is fitted with J/W + J_national, and each region takes w_r/W of what that moved its sum by.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import pinvh

from coordinator.estimates.ratio import NoisyBlock
from coordinator.estimates.sets import Floats, Noise
from policies.statistics.blocks import Axis, Block, Indicator, Ones
from policies.study.codebook import Codebook
from policies.study.expressions.nodes import Among

_Step = tuple[tuple[Hashable, int] | None, float]


@dataclass(frozen=True, slots=True)
class System:
    """The blocks over the same units: the signs of each, cells x numbers."""

    signs: Mapping[str, Floats]

    @classmethod
    def of(cls, blocks: Sequence[Block], codebook: Codebook) -> System:
        """Blocks over the same units, of one or of both modes."""
        places: dict[Hashable, int] = {}
        found = {block.id: [(cell, key, sign) for cell, key, sign in _parts(block, codebook)] for block in blocks}
        for parts in found.values():
            for _cell, key, _sign in parts:
                places.setdefault(key, len(places))
        signs = {}
        for block in blocks:
            matrix = np.zeros((block.cells, len(places)))
            for cell, key, sign in found[block.id]:
                matrix[cell, places[key]] += sign
            signs[block.id] = matrix
        return cls(signs)

    def gathered(self, noisy: Mapping[str, NoisyBlock]) -> tuple[Floats, Floats]:
        """J, and sum M_b' y_b / sigma_b^2 with the shape of the raw cells before the numbers."""
        parts = [(self.signs[name], block) for name, block in noisy.items()]
        return (
            np.asarray(sum(signs.T @ signs / block.variance for signs, block in parts)),
            np.asarray(sum(block.base @ signs / block.variance for signs, block in parts)),
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """Fitted numbers, last axis; the covariance of their noise is the sum of `spread` matrices times their factors."""

    numbers: Floats
    spread: tuple[tuple[Floats, Floats], ...]

    def cells(self, signs: Floats) -> Floats:
        return np.asarray(self.numbers @ signs.T)

    def noise(self, above: Floats, below: Floats | None = None) -> Noise:
        """Of sums with these signs, and of their denominators."""
        low = np.zeros_like(above) if below is None else below
        return Noise(self._between(above, above), self._between(low, low), self._between(above, low))

    def _between(self, one: Floats, other: Floats) -> Floats:
        parts = (factor * ((one @ matrix) * other).sum(axis=-1) for factor, matrix in self.spread)
        return np.asarray(sum(parts, np.zeros(len(one))))


@dataclass(frozen=True, slots=True)
class Fits:
    """`here` are the regions' own (regions x numbers); `together` the whole country by mode. None where not asked."""

    here: Fitted | None
    together: Mapping[str, Fitted]


def fit(
    system: System, regional: Mapping[str, NoisyBlock], national: Mapping[str, NoisyBlock], weights: Floats, alike: bool
) -> Fits:
    """Fits what came in of a system's blocks; `weights` are those of the regions that answered.

    `alike`: the national sum holds the same regions. Blocks that did not come in are not in the mappings.
    """
    if not regional or not len(weights):
        return Fits(None, {"national": _alone(*system.gathered(national))} if national else {})
    precision, pull = system.gathered(regional)
    spread, squared = _inverse(precision), float((weights**2).sum())
    numbers = pull @ spread
    pooled, one = weights @ numbers, np.ones(1)
    if not national or not alike:
        together = {"regional": Fitted(pooled, ((one, squared * spread),))}
        if national:
            together["national"] = _alone(*system.gathered(national))
        return Fits(Fitted(numbers, ((one, spread),)), together)
    known, pulled = system.gathered(national)
    whole = _alone(precision / squared + known, weights @ pull / squared + pulled)
    w = weights[:, np.newaxis]
    here = Fitted(
        numbers + w / squared * (whole.numbers - pooled),
        ((1 - w**2 / squared, spread), ((w / squared) ** 2, whole.spread[0][1])),
    )
    return Fits(here, {"regional": whole, "national": whole})


def _alone(precision: Floats, pull: Floats) -> Fitted:
    spread = _inverse(precision)
    return Fitted(pull @ spread, ((np.ones(1), spread),))


def _inverse(precision: Floats) -> Floats:
    return np.asarray(pinvh(precision), np.float64)


def same_units(block: Block) -> Hashable:
    """Blocks with equal ones are about the same units."""
    return tuple(term.selection for term in block.terms)


def _parts(block: Block, codebook: Codebook) -> Iterator[tuple[int, Hashable, float]]:
    """The numbers that each cell is made of, with their signs: (cell, number, sign)."""
    summed = _summand(block, codebook)
    if summed is None:
        yield from ((cell, (block.id, cell), 1.0) for cell in range(block.cells))
        return
    sizes = [axis.size for axis in block.axes]
    for cell, places in enumerate(product(*(range(size) for size in sizes))):
        steps = [_steps(block, number, place) for number, place in enumerate(places)]
        for chosen in product(*steps, summed):
            key = frozenset(reached for reached, _sign in chosen if reached is not None)
            yield cell, key, float(np.prod([sign for _reached, sign in chosen]))


def _steps(block: Block, axis: int, place: int) -> list[_Step]:
    """A place is what reaches it less what reaches the next."""
    same = tuple(term.axes[axis] for term in block.terms)
    first = same[0]
    variable: Hashable = tuple(a.ref if isinstance(a, Axis) else a for a in same)
    starts = first.starts if isinstance(first, Axis) and first.starts else tuple(range(1, first.size))
    reached = (None, *((variable, start) for start in starts))
    after = [(reached[place + 1], -1.0)] if place + 1 < len(reached) else []
    return [(reached[place], 1.0), *after]


def _summand(block: Block, codebook: Codebook) -> list[_Step] | None:
    """What a unit adds, as steps of one more variable; None where it is no number of units."""
    if isinstance(block.summand, Ones):
        return [(None, 1.0)]
    conditions = [term.summand.of for term in block.terms if isinstance(term.summand, Indicator)]
    atoms = [condition for condition in conditions if isinstance(condition, Among)]
    if len(atoms) < len(block.terms) or any(atom.ranges != atoms[0].ranges for atom in atoms):
        return None
    variable: Hashable = tuple(atom.ref for atom in atoms)
    size = codebook.columns[atoms[0].ref.name].size
    steps: list[_Step] = [(None, -1.0)]
    for low, high in atoms[0].ranges:
        steps.append(((variable, low) if low else None, 2.0))
        if high + 1 < size:
            steps.append(((variable, high + 1), -2.0))
    return steps
