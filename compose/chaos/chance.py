"""Chances that follow from a seed: the same run of kills can be asked for again. Nothing of it is ever noise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Chance:
    """A stream of numbers that depends on the seed and a name alone."""

    seed: int
    name: str
    drawn: int = 0

    def fraction(self) -> float:
        """At least 0 and less than 1."""
        self.drawn += 1
        data = hashlib.sha256(f"{self.seed}/{self.name}/{self.drawn}".encode()).digest()
        return int.from_bytes(data[:6], "big") / 2**48

    def below(self, count: int) -> int:
        """A whole number of 0 up to `count`, itself not included."""
        return int(self.fraction() * count)

    def of(self, choices: Sequence[T]) -> T:
        """One of these."""
        return choices[self.below(len(choices))]

    def happens(self, share: float) -> bool:
        """True in this share of cases."""
        return self.fraction() < share
