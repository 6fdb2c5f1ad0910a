"""The block algebra: every statistic is a sum, over households, of a bounded integer vector.

A block says which units are selected, what each adds, and in which coordinate. Its coordinates are the cells of its
axes, row-major, fixed by the codebook alone, so the size of an answer never depends on rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from policies.study.columns import Ref
from policies.study.expressions.nodes import Expr

Unit = Literal["household", "adult", "child"]
Mode = Literal["regional", "national"]
"""How a block is answered: by each region with its own noise, or as one national sum (secure aggregation)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The units that count: of this kind, seen at these waves, satisfying `where`, with `required` all present."""

    unit: Unit
    waves: tuple[str, ...]
    where: Expr | None
    required: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A variable whose public categories 0..size-1 span one dimension of the cells.

    With `starts` (ascending indices of a number) the places are bins: the number of starts at or below the index.
    """

    ref: Ref
    size: int
    starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """How a number changed between two waves, as one dimension of three places: 0 improved, 1 same, 2 worse."""

    before: Ref
    after: Ref
    better: Literal["lower", "higher"]

    @property
    def size(self) -> int:
        return 3


AnyAxis = Axis | Change


@dataclass(frozen=True, slots=True)
class Named:
    """A dimension of rows that no block has cells for: the terms of a regression, the levels of a quantile."""

    key: str
    codes: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.codes)


RowAxis = AnyAxis | Named
"""What spans the rows of a statistic; a block has cells for the first kinds only."""
CHANGES = ("improved", "same", "worse")
"""The places of a Change, in order."""


@dataclass(frozen=True, slots=True)
class Ones:
    """Each selected unit adds 1: sums d."""

    top: int = 1


@dataclass(frozen=True, slots=True)
class Indicator:
    """Each selected unit adds +1 where the condition holds and -1 where not: sums 2y - d."""

    of: Expr
    top: int = 1


@dataclass(frozen=True, slots=True)
class Value:
    """Each selected unit adds 2x - top: sums 2x - top*d.

    x is the index of a numeric variable, counted from `low` and held within 0..top: an index below or above the range
    counts as its nearest end.
    """

    of: Ref
    top: int
    low: int = 0


@dataclass(frozen=True, slots=True)
class Square:
    """Each selected unit adds 2z^2 - reach^2, z = 2x - reach: sums 2z^2 - reach^2 d.

    x as for Value, within 0..reach. z^2 lies in 0..reach^2, so a unit adds at most reach^2 in absolute value.
    """

    of: Ref
    reach: int
    low: int = 0

    @property
    def top(self) -> int:
        return self.reach**2


@dataclass(frozen=True, slots=True)
class Difference:
    """Each selected unit adds x1 - x0, the steps from `before` to `after`: sums x1 - x0, which is centred already.

    Both as for Value, within 0..top, so a unit adds at most `top` in absolute value.
    """

    before: Ref
    after: Ref
    top: int
    low: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """Each selected unit adds z1 * z2, what the two factors would add by themselves: centred already.

    A factor is an Indicator (+1 or -1) or a Value (between -M and M), so a unit adds at most the product of their tops.
    """

    one: Indicator | Value
    other: Indicator | Value

    @property
    def top(self) -> int:
        return self.one.top * self.other.top


Summand = Ones | Indicator | Value | Square | Difference | Product


@dataclass(frozen=True, slots=True)
class Term:
    """Which units add what, and where: one wave's part of a block."""

    selection: Selection
    axes: tuple[AnyAxis, ...]
    summand: Summand


@dataclass(frozen=True, slots=True)
class Block:
    """prod(axis sizes) integer coordinates; `bound` is the largest L2 norm of one household's contribution.

    `again` are the same question's parts at further waves, where waves are pooled: same cells, same summand, each with
    its own wave's variables; a unit that is selected at W waves adds W times.

    Privacy: a household has at most `cap` units of the kind (enforced at import); each adds at most `top` in absolute
    value, to one coordinate, once for each of the W terms. Vectors of at most `cap` * W such additions have L2 norm at
    most cap*W*top (triangle inequality), reached when all fall in one cell. Adjacency: add or remove one household with
    all its persons and waves. `bound` is a whole number, so nothing is rounded.
    """

    id: str
    selection: Selection
    axes: tuple[AnyAxis, ...]
    summand: Summand
    bound: int
    again: tuple[Term, ...] = ()
    mode: Mode = "regional"

    @property
    def cells(self) -> int:
        return prod(axis.size for axis in self.axes)

    @property
    def terms(self) -> tuple[Term, ...]:
        """One for each pooled wave; one in all where no waves are pooled."""
        return (Term(self.selection, self.axes, self.summand), *self.again)


def block_bound(cap: int, summand: Summand, waves: int = 1) -> int:
    """The L2 bound of one household's vector: its cap of units, times the pooled waves, times what one unit adds.

    Privacy: see Block; exact, add/remove one household.
    """
    return cap * waves * summand.top


def block_of(name: str, terms: Sequence[Term], cap: int, mode: Mode) -> Block:
    """The block that sums these terms (one or more) over units of which a household has at most `cap`."""
    first, *again = terms
    bound = block_bound(cap, first.summand, len(terms))
    return Block(name, first.selection, first.axes, first.summand, bound, tuple(again), mode)
