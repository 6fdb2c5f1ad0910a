"""What sums read as: the plain figure in each cell, without intervals or corrections. For looking at an example.

The desk's estimates take the noise into account; a reading does not. It is what somebody would take from the numbers
at face value, and so shows what noise does to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, product
from math import prod, sqrt

from policies.statistics.adjusted_difference import left
from policies.statistics.blocks import Axis, Block
from policies.statistics.cells import axis_codes, axis_key
from policies.statistics.compile import Compiled
from policies.statistics.expected.setting import Scale, grid_of, scale_of
from policies.statistics.ranges import held
from policies.statistics.statistic import Kind
from policies.study.codebook import Codebook

_CHANGES = 3
Sums = Sequence[Sequence[float]]
"""Of each of a statistic's blocks, in its order, the sums in base units."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One row: its cell by key and code, and its figure; None where a denominator is not above zero."""

    cell: tuple[tuple[str, str], ...]
    figure: float | None


@dataclass(frozen=True, slots=True)
class _Asked:
    compiled: Compiled
    blocks: tuple[Block, ...]
    codebook: Codebook

    def scale(self, place: int = 0) -> Scale:
        return scale_of(self.blocks[place].summand, self.codebook.columns)


def read_sums(
    compiled: Compiled, blocks: Mapping[str, Block], sums: Mapping[str, Sequence[float]], codebook: Codebook
) -> tuple[Reading, ...] | None:
    """The readings of a statistic's main figure, from sums by block id in base units.

    None of a covariance, a correlation and a regression, which the desk works out as a whole.
    """
    read = _READ.get(compiled.statistic.kind)
    if read is None:
        return None
    asked = _Asked(compiled, tuple(blocks[name] for name in compiled.blocks), codebook)
    figures = list(read(asked, [sums[name] for name in compiled.blocks]))
    axes = compiled.axes[:-1] if compiled.statistic.kind == "paired_change" else compiled.axes
    keys = [axis_key(axis, compiled.statistic.pooled) for axis in axes]
    cells = product(*(axis_codes(axis, codebook.columns) for axis in axes))
    return tuple(
        Reading(tuple(zip(keys, codes, strict=True)), figure) for codes, figure in zip(cells, figures, strict=True)
    )


def _count(_asked: _Asked, sums: Sums) -> Iterator[float | None]:
    yield from sums[0]


def _proportion(_asked: _Asked, sums: Sums) -> Iterator[float | None]:
    for centred, units in zip(*sums, strict=True):
        yield _over(centred + units, 2 * units)


def _mean(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    scale = asked.scale()
    for centred, units in zip(*sums, strict=True):
        index = _over(centred + scale.top * units, 2 * units)
        yield None if index is None else scale.lower + scale.step * index


def _sum(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    scale = asked.scale()
    for centred, units in zip(*sums, strict=True):
        yield scale.step * centred / 2 + (scale.lower + scale.step * scale.top / 2) * units


def _shares(places: int, cells: Sequence[float]) -> Iterator[float | None]:
    for first in range(0, len(cells), places):
        row = cells[first : first + places]
        yield from (_over(cell, sum(row)) for cell in row)


def _rows(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    return _shares(asked.blocks[0].axes[-1].size, sums[0])


def _table(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    own = asked.blocks[0].axes[len(asked.compiled.statistic.by) :]
    return _shares(prod(axis.size for axis in own), sums[0])


def _change(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    differences, directions = sums
    for place, difference in enumerate(differences):
        mean = _over(difference, sum(directions[place * _CHANGES : (place + 1) * _CHANGES]))
        yield None if mean is None else asked.scale().step * mean


def _variance(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    scale = asked.scale()
    for squares, values, units in zip(*sums, strict=True):
        if units > 0:
            yield scale.step**2 / 4 * ((squares / units + scale.top**2) / 2 - (values / units) ** 2)
        else:
            yield None


def _deviation(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    for found in _variance(asked, sums):
        yield None if found is None or found < 0 else sqrt(found)


def _adjusted(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    """Differences between groups within strata, averaged with the strata's shares of all."""
    main, by = asked.blocks[0], len(asked.compiled.statistic.by)
    *strata, groups = [axis for axis in main.axes[by:] if isinstance(axis, Axis)]
    sizes = [axis.size for axis in (*strata, groups)]
    kept = [left(main.selection.where, axis) for axis in (*strata, groups)]
    scale, wide = asked.scale(), prod(sizes)
    for first in range(0, len(sums[0]), wide):
        cells = [one[first : first + wide] for one in sums]
        rows = [_place(places, sizes) for places in product(*kept[:-1])]
        everyone = sum(cells[1][row + group] for row in rows for group in kept[-1])
        for group in kept[-1][1:]:
            apart: float | None = 0.0
            for row in rows:
                own, other = (_over(cells[0][row + at], 2 * cells[1][row + at]) for at in (group, kept[-1][0]))
                share = _over(sum(cells[1][row + at] for at in kept[-1]), everyone)
                if apart is None or own is None or other is None or share is None:
                    apart = None
                else:
                    apart += share * (own - other) * scale.step
            yield apart


def _place(places: Sequence[int], sizes: Sequence[int]) -> int:
    """The first group's place in a stratum."""
    found = 0
    for place, size in zip(places, sizes, strict=False):
        found = found * size + place
    return found * sizes[-1]


def _quantile(asked: _Asked, sums: Sums) -> Iterator[float | None]:
    """By the finest level alone: the first leaf up to whose end the part lies."""
    axis = asked.blocks[-1].axes[-1]
    assert isinstance(axis, Axis)
    low, high = held(asked.compiled.statistic, asked.codebook.columns[axis.ref.name])
    scale, size = grid_of(axis.ref, low, high - low, asked.codebook.columns), axis.size
    for first in range(0, len(sums[-1]), size):
        up_to = list(accumulate(sums[-1][first : first + size]))
        for part in asked.compiled.statistic.at:
            wanted = float(Fraction(part)) * up_to[-1]
            leaf = next((place for place, units in enumerate(up_to) if units >= wanted), size - 1)
            yield scale.lower + scale.step * (leaf * (scale.top + 1) // size) if up_to[-1] > 0 else None


def _over(above: float, below: float) -> float | None:
    return above / below if below > 0 else None


_READ: Mapping[Kind, Callable[[_Asked, Sums], Iterator[float | None]]] = {
    "count": _count,
    "proportion": _proportion,
    "mean": _mean,
    "sum": _sum,
    "transition": _rows,
    "histogram": _table,
    "cross_table": _table,
    "paired_change": _change,
    "variance": _variance,
    "standard_deviation": _deviation,
    "adjusted_difference": _adjusted,
    "quantile": _quantile,
}
"""Those of two factors (covariance, correlation, regression) are worked out as a whole, at the desk."""
