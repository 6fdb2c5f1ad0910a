"""Exact numbers as people write them: decimals stay decimals, big integers stay text in documents.

A float never enters: `0.1` in a document is one tenth, and two spellings of one number ("0.10", "1e-1") have one
canonical text, so that they hash alike.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DIGITS = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_MOST_DIGITS = 30


def parse_decimal(value: object) -> Decimal:
    """One exact decimal from an integer or a text such as "0.185" or "1e-6".

    Raises ValueError for anything else, for NaN and infinities, and beyond 30 digits: in all, before the point, or of
    zeros behind it. `decimal_text` of the result can be parsed again.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError('expected a decimal number in quotes, such as "0.185"')
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError('expected a decimal number in quotes, such as "0.185"')
    number = Decimal(value)
    if (
        not number.is_finite()
        or not -_MOST_DIGITS <= number.adjusted() < _MOST_DIGITS
        or len(number.as_tuple().digits) > _MOST_DIGITS
    ):
        raise ValueError("expected a finite decimal number of at most 30 digits")
    return number


def decimal_text(number: Decimal) -> str:
    """The canonical text of a decimal: no exponent, no trailing zeros, no minus zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def parse_digits(value: object) -> int:
    """An integer from its decimal digits; documents carry possibly large integers as text. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _DIGITS.fullmatch(value) or value == "-0":
        raise ValueError("expected an integer written in decimal digits")
    return int(value)


Exact = Annotated[
    Decimal,
    BeforeValidator(parse_decimal),
    PlainSerializer(decimal_text, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "pattern": rf"^{_DECIMAL.pattern}$"}),
]
"""Written with or without quotes; an editor that reads 0.1 as a number has no complaint."""

BigInt = Annotated[
    int,
    BeforeValidator(parse_digits),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^-?(0|[1-9][0-9]*)$"}),
]
