"""The scale of discrete Gaussian noise as an exact dyadic number, so that every party reads the same sigma."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

MIN_SIGMA = 8
"""Below 8 grid units normal intervals on the integer lattice miss their 95%, and sums of discrete Gaussians stop
being discrete Gaussian to double precision (Kairouz et al. 2021)."""


@dataclass(frozen=True, slots=True)
class Sigma:
    """numerator / 2**shift grid units; exactly a float64 because the numerator stays below 2**53."""

    numerator: int
    shift: int

    def __post_init__(self) -> None:
        if not (0 < self.numerator < 2**53 and 0 <= self.shift <= 60):
            raise ValueError("sigma is numerator / 2**shift with 0 < numerator < 2**53 and 0 <= shift <= 60")

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, 2**self.shift)

    @property
    def value(self) -> float:
        """The same number as float64, without rounding."""
        return float(self.fraction)

    @property
    def large_enough(self) -> bool:
        return self.fraction >= MIN_SIGMA


def round_up(sigma: float) -> Sigma:
    """The smallest representable sigma at or above a positive float.

    Privacy: up, so that the noise is never smaller than the price assumes.
    """
    shift = 20
    while sigma * 2**shift >= 2**52 and shift > 0:
        shift -= 1
    exact = Fraction(sigma) * 2**shift
    return Sigma(-(-exact.numerator // exact.denominator), shift)
