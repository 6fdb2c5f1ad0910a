"""Quick chances that follow from a seed (xorshift64*, Vigna 2016): which bytes are changed. Never noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_BITS = 2**64 - 1


class Chance:
    """A stream of numbers that depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + 1) & _BITS or 1

    def below(self, count: int) -> int:
        """A whole number of 0 up to `count`, itself not included."""
        state = self._state
        state ^= state >> 12
        state ^= state << 25 & _BITS
        state ^= state >> 27
        self._state = state
        return ((state * 0x2545F4914F6CDD1D & _BITS) >> 11) % count

    def fraction(self) -> float:
        """At least 0 and less than 1."""
        return self.below(2**32) / 2**32

    def of(self, choices: Sequence[T]) -> T:
        """One of these."""
        return choices[self.below(len(choices))]
