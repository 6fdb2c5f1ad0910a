"""quantile: the values below which given parts of the households lie (`at: ["0.5"]`: the median), per cell.

A binary tree over the number's public range: level l splits it into 2^l ranges of (nearly) equal length, down to
`leaves`. One block of counts a level, each with every household in one of its ranges: any "how many lie below" is then
a sum of at most one range a level, where counts of the leaves alone would need half of them.

The tree is that of households. Persons are refused where a household may have several: their median would need a
bound on what one household moves at every level; ask a histogram of them.

Privacy: a household adds 1 to one coordinate of each of the k = log2(leaves) blocks, which are priced as k blocks.
Add/remove one household; exact.
"""

from __future__ import annotations

from fractions import Fraction

from policies.statistics.blocks import Axis, Named, Ones, RowAxis
from policies.statistics.ranges import held, numeric
from policies.statistics.shapes import Part, Shape, StatisticScope, select, single
from policies.statistics.statistic import MOST_LEVELS, Statistic
from policies.study.columns import Ref
from policies.units.exact import decimal_text

KEY = "quantile"


def shape(statistic: Statistic, scope: StatisticScope) -> tuple[Shape, str]:
    """`of` names a numeric variable. Raises ValueError otherwise."""
    of = single(statistic, "a quantile has one wave, and a variable in `of`")
    ref, column = numeric(of, scope.names, "quantiles; ask a histogram")
    low, high = held(statistic, column)
    _check_at(statistic)
    if statistic.leaves.bit_count() != 1 or statistic.leaves > high - low + 1:
        raise ValueError(
            f"`leaves` is a power of two, at most the {high - low + 1} values that count here, such as "
            f"{2 ** ((high - low + 1).bit_length() - 1)}"
        )
    depth = statistic.leaves.bit_length() - 1
    levels = (Axis(ref, 2**level, starts(low, high, 2**level)) for level in range(1, depth + 1))
    parts = tuple(
        Part(Ones(), (*scope.by, axis), role=f"level{place + 1}" if place else "", shared=True)
        for place, axis in enumerate(levels)
    )
    rows: tuple[RowAxis, ...] = (*scope.by, Named(KEY, tuple(decimal_text(at) for at in statistic.at)))
    needed: tuple[Ref, ...] = (ref,)
    return Shape(select(statistic, scope, needed), scope.by, parts, has_denominator=False, rows=rows), ref.text


def starts(low: int, high: int, ranges: int) -> tuple[int, ...]:
    """The index at which each range but the first begins; those of a level are among those of the next."""
    return tuple(low + place * (high - low + 1) // ranges for place in range(1, ranges))


def _check_at(statistic: Statistic) -> None:
    levels = [Fraction(at) for at in statistic.at]
    if not 1 <= len(levels) <= MOST_LEVELS or levels != sorted(set(levels)) or not all(0 < at < 1 for at in levels):
        raise ValueError(
            f'`at` lists 1 to {MOST_LEVELS} parts between 0 and 1, ascending, such as ["0.25", "0.5", "0.75"]'
        )
