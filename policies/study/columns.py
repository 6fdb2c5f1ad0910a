"""A variable as the rules see it: a name, a table, its waves, and whole numbers 0..size-1 that stand for values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import Literal

from policies.units.exact import decimal_text

_CONTEXT = Context(prec=200, traps=[Inexact])
"""Exact: lower and grid are decimals of at most 30 digits, so their denominators divide a power of ten."""

RESERVED = frozenset(("and", "or", "not", "in", "missing"))
"""The words of conditions; no variable is called so."""


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A variable at a wave; `wave` is empty for a variable that has none."""

    name: str
    wave: str = ""

    @property
    def text(self) -> str:
        return f"{self.name}@{self.wave}" if self.wave else self.name

    @property
    def stored(self) -> str:
        """The column's name in a snapshot."""
        return f"{self.name}__{self.wave}" if self.wave else self.name


@dataclass(frozen=True, slots=True)
class Column:
    """Public shape of one variable.

    `codes` lists a category's codes in the codebook's order and is empty for numbers, whose value is
    `lower + grid * index`. `sd` is a public planning figure in the variable's own unit, or None.
    """

    name: str
    table: Literal["household", "adult", "child"]
    waves: tuple[str, ...]
    codes: tuple[str, ...]
    lower: Fraction
    grid: Fraction
    size: int
    sd: Fraction | None
    sources: tuple[str, ...] = ()
    """For a derived variable: the variables that are present, at the same wave, whenever it is."""
    better: Literal["lower", "higher"] | None = None
    """For a number: which way a change is an improvement; None where the codebook does not say."""

    @property
    def categorical(self) -> bool:
        return bool(self.codes)

    def value_text(self, index: int) -> str:
        """How the value with this index is written in expressions and cells."""
        if self.codes:
            return self.codes[index]
        value = self.lower + self.grid * index
        return decimal_text(_CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator)))
