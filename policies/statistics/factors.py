"""What a covariance, a correlation or a regression multiplies: numbers and conditions, and the blocks they need.

A factor adds z by itself: for a number z = 2x - M, with x = 0..M its steps, held within `ranges`; for a condition +1
or -1. From the sums of all z, of their products, of the squares of the numbers (a condition's is always 1) and of the
units every second moment follows. Each of these is a block of its own, shared with whatever sums the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from policies.statistics.blocks import Axis, Indicator, Product, Square, Value
from policies.statistics.ranges import between
from policies.statistics.shapes import Part, StatisticScope
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.study.expressions.nodes import required
from policies.study.expressions.parse import Scope, parse, parse_ref, spell

LONGEST = 80
"""Characters of a factor in full spelling: it stands in the cells of a result."""
_VARIABLE = re.compile(r"\s*[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)?(\s*@\s*[A-Za-z0-9_]+)?\s*")


@dataclass(frozen=True, slots=True)
class Factor:
    """One number or condition: its canonical spelling, what a unit adds, and what must be known of it."""

    text: str
    summand: Indicator | Value
    needs: frozenset[Ref]


def factors(statistic: Statistic, scope: StatisticScope, fewest: int, most: int, expected: str) -> tuple[Factor, ...]:
    """The factors that `of` lists, at one wave each. Raises ValueError, with `expected` where `of` is no such list."""
    of = statistic.of
    if not isinstance(of, tuple) or len(statistic.waves) != 1 or not fewest <= len(of) <= most:
        raise ValueError(expected)
    found = tuple(_factor(source, statistic, scope.names) for source in of)
    if len({factor.summand for factor in found}) < len(found):
        raise ValueError("a number or condition stands twice in `of`; they must differ")
    numbers = {factor.summand.of.name for factor in found if isinstance(factor.summand, Value)}
    if unused := set(statistic.ranges) - numbers:
        raise ValueError(f"`ranges` names `{min(unused)}`, which is no number in `of`")
    return found


def _factor(source: str, statistic: Statistic, names: Scope) -> Factor:
    if not _VARIABLE.fullmatch(source):
        condition = parse(source, names)
        return _short(Factor(spell(condition, names), Indicator(condition), required(condition)))
    ref = parse_ref(source, names)
    column = names.columns[ref.name]
    if column.categorical:
        raise ValueError(f"`{ref.name}` is a category; write a condition, such as `{ref.name} == {column.codes[0]}`")
    low, high = between(statistic.ranges.get(ref.name), column, f"`ranges: {ref.name}`")
    return _short(Factor(ref.text, Value(ref, top=high - low, low=low), frozenset((ref,))))


def _short(factor: Factor) -> Factor:
    if len(factor.text) > LONGEST:
        raise ValueError(
            f"`{factor.text[:30]}...` has more than {LONGEST} characters in full; make it a derived variable"
        )
    return factor


def sums(of: Sequence[Factor], by: tuple[Axis, ...]) -> tuple[Part, ...]:
    """The sum of each factor by itself."""
    return tuple(Part(factor.summand, by, role=f"v{place}", shared=True) for place, factor in enumerate(of))


def squares(of: Sequence[Factor], by: tuple[Axis, ...]) -> tuple[Part, ...]:
    """The sum of squares of each number; a condition has none, for its square is 1."""
    return tuple(
        Part(Square(value.of, reach=value.top, low=value.low), by, role=f"p{place}{place}", shared=True)
        for place, value in enumerate(factor.summand for factor in of)
        if isinstance(value, Value)
    )


def products(of: Sequence[Factor], by: tuple[Axis, ...]) -> tuple[Part, ...]:
    """The sum of products of every two factors."""
    pairs = combinations(enumerate(of), 2)
    return tuple(
        Part(product_of(one.summand, other.summand), by, role=f"p{i}{j}", shared=True) for (i, one), (j, other) in pairs
    )


def product_of(one: Indicator | Value, other: Indicator | Value) -> Product:
    """The product, the same in whichever order they are asked.

    Privacy: |z1 z2| is at most the product of the tops, reached where both are at an end; add/remove one household;
    whole numbers, exact.
    """
    first, second = sorted((one, other), key=repr)
    return Product(first, second)


def needs(of: Sequence[Factor]) -> tuple[Ref, ...]:
    """What must be known of a unit: all that any of the factors needs."""
    return tuple(sorted(frozenset[Ref]().union(*(factor.needs for factor in of))))
