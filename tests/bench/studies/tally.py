"""What is counted of one figure in one setting, over studies (and regions)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.sets import Z95, Floats

Key = tuple[str, str]
"""Figure and setting."""


@dataclass(slots=True)
class Tally:
    """Sums over intervals. An unbounded one holds everything; widths and errors are of the others.

    `count` adds up the expected units behind each, `known` the widths that intervals of known variance would have.
    """

    intervals: int = 0
    held: int = 0
    unbounded: int = 0
    withheld: int = 0
    width: float = 0.0
    errors: float = 0.0
    known: float = 0.0
    count: float = 0.0
    studies: int = 0

    def add(
        self,
        truth: Floats,
        interval: tuple[Floats, Floats],
        estimate: Floats,
        withheld: NDArray[np.bool_],
        count: float,
        known: Floats | None = None,
    ) -> None:
        """Arrays of one shape, the last dimension that of studies; `known`: widths of the reference intervals."""
        low, high = interval
        bounded = ~np.isnan(low)
        self.intervals += low.size
        self.studies += low.shape[-1]
        self.held += int((~bounded | ((low <= truth) & (truth <= high))).sum())
        self.unbounded += int((~bounded).sum())
        self.withheld += int(withheld.sum())
        self.width += float((high - low)[bounded].sum())
        self.errors += float(((estimate - truth)[bounded] ** 2).sum())
        self.count += count * low.size
        if known is not None:
            self.known += float(known[bounded].sum())

    def merge(self, other: Self) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def coverage(self) -> float:
        return self.held / self.intervals

    @property
    def bounded_coverage(self) -> float:
        return (self.held - self.unbounded) / max(1, self.intervals - self.unbounded)

    @property
    def mean_count(self) -> float:
        return self.count / self.intervals

    @property
    def error(self) -> float:
        """The Monte Carlo deviation of the coverage; intervals of one study count as one, to be safe."""
        return sqrt(self.coverage * (1 - self.coverage) / self.studies)

    @property
    def ratio(self) -> float:
        """The mean width over that of intervals of known variance, or else over 2 * 1.96 * RMSE."""
        bounded = self.intervals - self.unbounded
        if self.known:
            return self.width / self.known
        return self.width / bounded / (2 * Z95 * self.rmse) if bounded and self.errors else float("nan")

    @property
    def rmse(self) -> float:
        return sqrt(self.errors / max(1, self.intervals - self.unbounded))


@dataclass(slots=True)
class Duel:
    """Squared errors of two estimators of the same values, where both are published."""

    values: int = 0
    mine: float = 0.0
    theirs: float = 0.0

    def add(self, truth: Floats, mine: Floats, theirs: Floats, published: NDArray[np.bool_]) -> None:
        self.values += int(published.sum())
        self.mine += float(((mine - truth)[published] ** 2).sum())
        self.theirs += float(((theirs - truth)[published] ** 2).sum())

    def merge(self, other: Self) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def ratio(self) -> float:
        """RMSE over RMSE."""
        return sqrt(self.mine / self.theirs) if self.theirs else float("nan")


@dataclass(slots=True)
class Found:
    """Tallies by figure and setting, in the order in which they were met."""

    tallies: dict[Key, Tally] = field(default_factory=dict)
    duels: dict[Key, Duel] = field(default_factory=dict)

    def tally(self, figure: str, setting: str) -> Tally:
        return self.tallies.setdefault((figure, setting), Tally())

    def duel(self, figure: str, setting: str) -> Duel:
        return self.duels.setdefault((figure, setting), Duel())

    def merge(self, other: Found) -> None:
        for key, tally in other.tallies.items():
            self.tally(*key).merge(tally)
        for key, duel in other.duels.items():
            self.duel(*key).merge(duel)
