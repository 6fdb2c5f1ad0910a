"""The price of a programme, worked out anew: every block at its derived bound and its signed noise, in fractions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from audit.exact import nano_up
from audit.reprice.asked import Asked, SignedBlock
from audit.reprice.blocks import Derived, derive
from audit.reprice.group import LEAST_SIGMA, Group
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class PricedBlock:
    """A block by the codebook and as the programme signed it. `weight`: by what one region's sums are multiplied at
    most, for a national one; `group` stands behind its noise.
    """

    derived: Derived
    signed: SignedBlock
    weight: int = 1
    group: Group | None = None

    @property
    def national(self) -> bool:
        return self.derived.mode == "national"

    @property
    def bound(self) -> int:
        """The derived bound in the units of the noise; that of the heaviest region, in a national sum."""
        return self.derived.bound * self.signed.multiplier * self.weight

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

    @property
    def too_sharp(self) -> bool:
        """Whether the noise, or a part of a node's noise in a national sum, is below 8 grid units."""
        if self.national and self.group is not None and self.group.sound:
            return not self.group.large_enough(self.signed.sigma)
        return self.signed.sigma < LEAST_SIGMA


@dataclass(frozen=True, slots=True)
class Price:
    """What blocks of one mode cost together: `rho` by derived bounds, `stated` by the programme's own; both exact.

    Privacy: zCDP adds up (Bun and Steinke 2016, Lemma 2.3).
    """

    rho: Fraction
    stated: Fraction

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

    @property
    def right(self) -> int:
        """What must be charged: who overstates a bound is charged by what it states, which is more."""
        return max(self.nano, self.stated_nano)


@dataclass(frozen=True, slots=True)
class Repriced:
    """`blocks` in the programme's order. `missing` are ids that only the derivation has; `unknown` those that only the
    programme has, or has twice. `regional` is the price of a region's own answer, `national` that of each attempt at
    the national sums: charged apart, and so rounded up apart.
    """

    blocks: tuple[PricedBlock, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    regional: Price
    national: Price

    @property
    def rho(self) -> Fraction:
        """The exact price of the whole, with one attempt, by derived bounds."""
        return self.regional.rho + self.national.rho

    @property
    def nano(self) -> int:
        return self.regional.nano + self.national.nano

    @property
    def stated_nano(self) -> int:
        return self.regional.stated_nano + self.national.stated_nano

    def of(self, attempt: int) -> Price:
        """The price of a region's own answer (0), or of an attempt."""
        return self.national if attempt else self.regional

    def blocks_of(self, attempt: int) -> tuple[PricedBlock, ...]:
        return tuple(block for block in self.blocks if block.national == (attempt > 0))


def reprice(asked: Asked, codebook: Codebook) -> Repriced:
    """Derives every block and prices it at the signed noise. Raises CannotDerive."""
    derived = {block.id: block for block in derive(asked, codebook)}
    signed = Counter(block.id for block in asked.blocks)
    priced = tuple(_priced(asked, derived[block.id], block) for block in asked.blocks if block.id in derived)
    return Repriced(
        priced,
        tuple(name for name in derived if name not in signed),
        tuple(name for name, times in signed.items() if name not in derived or times > 1),
        _price((block for block in priced if not block.national), asked.of("regional")),
        _price((block for block in priced if block.national), asked.of("national")),
    )


def _priced(asked: Asked, derived: Derived, signed: SignedBlock) -> PricedBlock:
    national = derived.mode == "national"
    return PricedBlock(derived, signed, asked.heaviest if national else 1, asked.group if national else None)


def _price(derived: Iterable[PricedBlock], stated: Iterable[SignedBlock]) -> Price:
    return Price(sum((block.rho for block in derived), Fraction(0)), sum((block.rho for block in stated), Fraction(0)))
