"""Exact numbers as documents write them, read by the auditor's own hand: fractions, never floats."""

from __future__ import annotations

import re
from fractions import Fraction

NANO = 10**9
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_DIGITS = re.compile(r"0|[1-9][0-9]{0,59}")


def fraction(value: object) -> Fraction | None:
    """A decimal text such as "0.185"; None for anything else."""
    return Fraction(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def digits(value: object) -> int | None:
    """A whole number, zero or more, written in at most 60 digits; None for anything else."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else None


def whole(value: object) -> int | None:
    """A whole number as JSON has it; None for anything else, `true` and `false` included."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def nano_up(rho: Fraction) -> int:
    """Nano-rho of a price.

    Privacy: rounded up, so that a charge never says less than was spent.
    """
    return -(-rho.numerator * NANO // rho.denominator)


def nano_down(rho: Fraction) -> int:
    """Nano-rho of a cap.

    Privacy: rounded down, so that a cap never grows by rounding.
    """
    return rho.numerator * NANO // rho.denominator


def rho_text(nano: int) -> str:
    """An amount in nano-rho as people read it: "0.185"."""
    whole_part, rest = divmod(abs(nano), NANO)
    shown = f"{whole_part}.{rest:09d}".rstrip("0").rstrip(".")
    return f"-{shown}" if nano < 0 else shown
