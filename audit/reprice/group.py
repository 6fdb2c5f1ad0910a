"""Who stands behind a national sum, and what each must add to its noise: worked out from the numbers of the programme.

n regions are asked, t may tell all they know, d may vanish. Whatever happens, the n - t - k honest ones that are left
after k dropouts make up the whole variance: each keeps 1 / (n - t - k) of it. What is needed for no dropout is the
first part of a node's noise, what each further one needs beyond that is the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

LEAST_SIGMA = 8
"""Grid units; below it the sum of noise on whole numbers is not what the price assumes (Kairouz et al. 2021)."""


@dataclass(frozen=True, slots=True)
class Group:
    """`regions` n, `colluders` t, `dropouts` d, as the programme has them; whatever they are."""

    regions: int
    colluders: int
    dropouts: int

    @property
    def sound(self) -> bool:
        """Whether a sum can be unmasked with d away and not by t alone: t >= 1, d >= 0 and n > t + 2d."""
        return self.colluders >= 1 and self.dropouts >= 0 and self.regions > self.colluders + 2 * self.dropouts

    @property
    def fewest(self) -> int:
        """The fewest survivors of which a sum may be made."""
        return self.regions - self.dropouts

    @property
    def parts(self) -> tuple[Fraction, ...]:
        """What each part of a node's noise has of sigma^2; of a sound group.

        Privacy: kept up to part k they add up to 1 / (n - t - k), so n - t - k honest nodes have all of it; exact.
        """
        kept = [Fraction(1, self.regions - self.colluders - gone) for gone in range(self.dropouts + 1)]
        return (kept[0], *(more - less for less, more in pairwise(kept)))

    def large_enough(self, sigma: Fraction) -> bool:
        """Whether every part of every node's noise has a scale of 8 grid units or more."""
        return sigma**2 * min(self.parts) >= LEAST_SIGMA**2

    def spare(self, survivors: int) -> int:
        """How many parts of its noise each of so many survivors may take back."""
        return self.dropouts - (self.regions - survivors)

    @property
    def alone(self) -> int:
        """By what a price is multiplied where every other region tells: n - t.

        Privacy: without dropouts a node keeps 1 / (n - t) of sigma^2, and zCDP is inverse in the variance.
        """
        return self.regions - self.colluders
