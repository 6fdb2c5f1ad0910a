"""Numbers as Statistics Netherlands (CBS) prints them, in Dutch; the same rules with English signs for English readers.

    12.345,6   a thousands point and a decimal comma
    -          nil: exactly zero
    0 (0,0)    less than half of the unit that is shown
    .          unknown: withheld or missing; the reason stands beside it
    12,3 tot 45,7   an interval, rounded outwards, so that rounding never makes it narrower

A noisy number is shown as it is, below zero and above 100% too: only its digits are rounded, half away from zero.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

from policies.study.text import Language

UNKNOWN = "."
NIL = "-"
_DIGITS = 60
"""More than any number here has: quantizing never runs out of digits."""
_TO = {"nl": " tot ", "en": " to "}
_SIGNS = {"nl": str.maketrans(",.", ".,"), "en": str.maketrans("", "")}


def number(value: Decimal, places: int, lang: Language) -> str:
    """A figure with this many decimals, `-` where it is exactly zero. Raises ValueError unless it is finite."""
    if value == 0:
        return NIL
    return _printed(value, places, lang, ROUND_HALF_UP)


def percentage(share: Decimal, lang: Language, places: int = 1) -> str:
    """A share as a percentage without its sign: 0.1234 is `12,3`."""
    return number(share.scaleb(2), places, lang)


def interval(low: Decimal, high: Decimal, places: int, lang: Language) -> str:
    """From `low` to `high`, the one rounded down and the other up. Zero is written out: a bound is never nil."""
    return _printed(low, places, lang, ROUND_FLOOR) + _TO[lang] + _printed(high, places, lang, ROUND_CEILING)


def percentage_interval(low: Decimal, high: Decimal, lang: Language, places: int = 1) -> str:
    """An interval of shares as percentages, rounded outwards."""
    return interval(low.scaleb(2), high.scaleb(2), places, lang)


def at_most(value: Decimal, places: int, lang: Language) -> str:
    """A number rounded up, such as an epsilon: what is shown is never less than what was spent."""
    return _printed(value, places, lang, ROUND_CEILING)


def exact(value: Decimal, lang: Language) -> str:
    """Every digit of a number, with the signs of the language."""
    return f"{value:,f}".translate(_SIGNS[lang])


def _printed(value: Decimal, places: int, lang: Language, rounding: str) -> str:
    if not value.is_finite():
        raise ValueError("only a finite number can be printed")
    with localcontext(prec=_DIGITS):
        rounded = value.quantize(Decimal(1).scaleb(-places), rounding)
    # Minus zero would read as a number below nil.
    return f"{abs(rounded) if rounded == 0 else rounded:,f}".translate(_SIGNS[lang])
