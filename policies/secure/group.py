"""Who stands behind a national sum: n regions, of which t may collude with the coordinator and d may drop out.

Every node adds its noise in parts. Part 0 is enough if nobody drops out: n - t honest nodes make up sigma^2 together.
Part j, from 1 to d, is what each must add when a j-th node drops out. Survivors take back what was not needed,
once a list of survivors is fixed that enough nodes have signed ("add, then remove": Jiang, Wang and Chen 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from policies.units.noise import MIN_SIGMA, Sigma

LEAST_REGIONS = 4
"""Fewer cannot have t >= 1 and d >= 1 (n > t + 2d): national statistics are then asked regionally."""
_SHIFT = 20


@dataclass(frozen=True, slots=True)
class Group:
    """`regions` are n, `colluders` t >= 1, `dropouts` d >= 0. Raises ValueError unless n > t + 2d.

    t >= 1 always: every participant can subtract its own part. n > t + 2d leaves enough honest nodes to unmask with d
    away (`threshold` <= n - d).
    """

    regions: int
    colluders: int
    dropouts: int

    def __post_init__(self) -> None:
        if self.colluders < 1 or self.dropouts < 0:
            raise ValueError("secure: at least one colluder is assumed, and no fewer than 0 dropouts")
        if self.regions <= self.colluders + 2 * self.dropouts:
            raise ValueError(
                f"secure: {self.regions} regions are too few for {self.colluders} colluders and {self.dropouts} "
                f"dropouts; there must be more than {self.colluders + 2 * self.dropouts}"
            )

    @property
    def threshold(self) -> int:
        """How many must help to unmask: more than (n + t) / 2, so that two lists of survivors never both get them."""
        return (self.regions + self.colluders) // 2 + 1

    @property
    def fewest(self) -> int:
        """The fewest survivors of which a sum is made: n - d."""
        return self.regions - self.dropouts

    def share(self, dropped: int) -> Fraction:
        """The part of sigma^2 that each survivor must keep when so many (0..d) dropped out: 1 / (n - t - dropped).

        Privacy: the sum of n - dropped survivors, t of whom may know their own noise and tell, then has at least
        (n - t - dropped) * share = 1 times sigma^2 from honest nodes. Exact.
        """
        if not 0 <= dropped <= self.dropouts:
            raise ValueError(f"between 0 and {self.dropouts} may drop out")
        return Fraction(1, self.regions - self.colluders - dropped)

    def parts(self, sigma: Sigma) -> tuple[Sigma, ...]:
        """The scales of the d + 1 parts of each node's noise, for a sum that must have `sigma` against t colluders.

        Privacy: part 0 has share(0) of sigma^2, part j what share(j) has more than share(j - 1); parts are independent,
        so those kept with k dropouts add up to share(k). Each scale is rounded up.
        """
        steps = [self.share(0)] + [self.share(j) - self.share(j - 1) for j in range(1, self.dropouts + 1)]
        return tuple(root_up(sigma.fraction**2 * step) for step in steps)

    def smallest(self) -> Fraction:
        """The least sigma^2 at which every part has a scale of MIN_SIGMA grid units or more."""
        steps = [self.share(0)] + [self.share(j) - self.share(j - 1) for j in range(1, self.dropouts + 1)]
        return MIN_SIGMA**2 / min(steps)

    def own_factor(self) -> int:
        """How much more a household pays where every other node tells on its region: n - t.

        Privacy: with no dropouts a node keeps 1/(n - t) of sigma^2; its own noise alone is then worth n - t times the
        price. With dropouts it keeps more.
        """
        return self.regions - self.colluders


def default_group(regions: int) -> Group | None:
    """What is assumed where a programme says nothing: a third may collude, one or two drop out. None below four."""
    if regions < LEAST_REGIONS:
        return None
    return Group(regions, max(1, (regions - 1) // 3), 2 if regions >= 9 else 1)


def root_up(square: Fraction) -> Sigma:
    """The smallest scale on the grid of 2^-20 (coarser for huge ones) whose square is at least `square`.

    Privacy: up, so that the noise is never smaller than the price assumes; integers only.
    """
    shift = _SHIFT
    while True:
        scaled = square * 4**shift
        whole = -(-scaled.numerator // scaled.denominator)
        root = isqrt(whole)
        numerator = root if root * root == whole else root + 1
        if numerator < 2**53:
            return Sigma(numerator, shift)
        shift -= 1
