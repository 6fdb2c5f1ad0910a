"""What a statistic takes from one unit: the words in which each kind of statistic answers."""

from __future__ import annotations

from dataclasses import dataclass

from policies.study.columns import Ref


@dataclass(frozen=True, slots=True)
class Cells:
    """One dimension of a table: what spans it, and in how many places. Public, from the codebook."""

    what: str
    number: int


@dataclass(frozen=True, slots=True)
class Adds:
    """What one selected unit adds to one block at one wave: at most `most` in absolute value, to one of the cells.

    `what` says it in one text, the same for the same thing. `role` is in the block's name. `shared`: where another
    statistic adds exactly the same, one block serves both.
    """

    most: int
    what: str
    cells: tuple[Cells, ...]
    role: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Takes:
    """Everything that one statistic takes from one unit at one wave.

    `needs`: what must be known of a unit for it to count. `counted`: the cells in which units are counted, one each,
    in a block that is shared by all who count the same units; None where the statistic does not need it.
    """

    needs: tuple[Ref, ...]
    adds: tuple[Adds, ...]
    counted: tuple[Cells, ...] | None
