"""Privacy money: integer nano-rho of zCDP. Exact; a float never enters and no amount is infinite."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Self

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True, order=True)
class NanoRho:
    """An amount of zCDP in nano-rho (1e-9 rho): a whole number, never negative, of any size."""

    nano: int

    def __post_init__(self) -> None:
        if self.nano < 0:
            raise ValueError("nano-rho is a whole number, zero or more")

    @classmethod
    def ceil(cls, rho: Fraction) -> Self:
        """Round a charge up: a ledger never under-counts what was spent."""
        return cls(-(-rho.numerator * NANO // rho.denominator))

    @classmethod
    def floor(cls, rho: Fraction) -> Self:
        """Round an allowance down: a cap never grows by rounding."""
        return cls(rho.numerator * NANO // rho.denominator)

    def __add__(self, other: NanoRho) -> NanoRho:
        return NanoRho(self.nano + other.nano)

    def left_after(self, spent: NanoRho) -> NanoRho:
        """What remains of this cap once `spent` is gone; zero when overspent."""
        return NanoRho(max(0, self.nano - spent.nano))

    @property
    def rho(self) -> Fraction:
        """The amount in rho, exactly."""
        return Fraction(self.nano, NANO)

    def text(self) -> str:
        """The amount in rho as an exact decimal text, for people: "0.185"."""
        whole, rest = divmod(self.nano, NANO)
        return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def allowance(rho: Decimal) -> NanoRho:
    """The cap that a written decimal allows. Privacy: rounded down, so a cap is never exceeded by rounding."""
    return NanoRho.floor(Fraction(rho))
