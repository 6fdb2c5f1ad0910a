"""The price of a programme, worked out anew: every block at its derived bound and its signed noise, in fractions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from audit.exact import nano_up
from audit.reprice.asked import Asked, SignedBlock
from audit.reprice.blocks import Derived, derive
from policies.study.codebook import Codebook

LEAST_SIGMA = 8
"""Grid units; below it the sum of noise on whole numbers is not what the price assumes (Kairouz et al. 2021)."""


@dataclass(frozen=True, slots=True)
class PricedBlock:
    """A block by the codebook and as the programme signed it."""

    derived: Derived
    signed: SignedBlock

    @property
    def bound(self) -> int:
        """The derived bound in the units of the noise."""
        return self.derived.bound * self.signed.multiplier

    @property
    def rho(self) -> Fraction:
        """What the block costs one household, by the derived bound.

        Privacy: zCDP of discrete Gaussian noise, D^2 / (2 sigma^2) (Canonne et al. 2020, Thm 4), under add/remove of
        one household; exact.
        """
        return Fraction(self.bound**2) / (2 * self.signed.sigma**2)

    @property
    def understated(self) -> bool:
        """Whether a household can add more than the programme says: then the noise hides less than was paid for."""
        return self.signed.bound_squared < self.bound**2

    @property
    def overstated(self) -> bool:
        return self.signed.bound_squared > self.bound**2


@dataclass(frozen=True, slots=True)
class Repriced:
    """`blocks` in the programme's order. `missing` are ids that only the derivation has; `unknown` those that only the
    programme has, or has twice.
    """

    blocks: tuple[PricedBlock, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    rho: Fraction
    """The exact price by derived bounds. Privacy: zCDP adds up (Bun and Steinke 2016, Lemma 2.3)."""
    stated: Fraction
    """The exact price by the programme's own bounds."""

    @property
    def nano(self) -> int:
        """The price in nano-rho.

        Privacy: rounded up.
        """
        return nano_up(self.rho)

    @property
    def stated_nano(self) -> int:
        """What the programme's own bounds and noise cost, in nano-rho, whatever it says that it charges.

        Privacy: rounded up.
        """
        return nano_up(self.stated)


def reprice(asked: Asked, codebook: Codebook) -> Repriced:
    """Derives every block and prices it at the signed noise. Raises CannotDerive."""
    derived = {block.id: block for block in derive(asked, codebook)}
    signed = Counter(block.id for block in asked.blocks)
    priced = tuple(PricedBlock(derived[block.id], block) for block in asked.blocks if block.id in derived)
    return Repriced(
        priced,
        tuple(name for name in derived if name not in signed),
        tuple(name for name, times in signed.items() if name not in derived or times > 1),
        sum((block.rho for block in priced), Fraction(0)),
        sum((block.rho for block in asked.blocks), Fraction(0)),
    )
