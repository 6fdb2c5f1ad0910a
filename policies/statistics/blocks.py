"""The block algebra: every statistic is a sum, over households, of a bounded integer vector.

A block says which units are selected, what each adds, and in which coordinate. Its coordinates are the cells of its
axes, row-major, fixed by the codebook alone, so the size of an answer never depends on rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

from policies.study.columns import Ref
from policies.study.expressions.nodes import Expr

Unit = Literal["household", "adult", "child"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The units that count: of this kind, seen at these waves, satisfying `where`, with `required` all present."""

    unit: Unit
    waves: tuple[str, ...]
    where: Expr | None
    required: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A variable whose public categories 0..size-1 span one dimension of the cells."""

    ref: Ref
    size: int


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


Summand = Ones | Indicator | Value


@dataclass(frozen=True, slots=True)
class Block:
    """prod(axis sizes) integer coordinates; `bound` is the largest L2 norm of one household's contribution.

    Privacy: a household has at most `cap` units of the kind (enforced at import); each adds at most `top` in absolute
    value, to one coordinate. Vectors of at most `cap` such terms have L2 norm at most cap*top (triangle inequality),
    reached when all units share a cell. Adjacency: add or remove one household with all its persons and waves.
    `bound` is a whole number, so nothing is rounded.
    """

    id: str
    selection: Selection
    axes: tuple[Axis, ...]
    summand: Summand
    bound: int

    @property
    def cells(self) -> int:
        return prod(axis.size for axis in self.axes)


def block_bound(cap: int, summand: Summand) -> int:
    """The L2 bound of one household's vector: its cap of units times what one unit can add.

    Privacy: see Block; exact, add/remove one household.
    """
    return cap * summand.top
