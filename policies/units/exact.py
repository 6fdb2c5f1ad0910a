"""Exact numbers as people write them: decimals stay decimals, big integers stay text in documents.

A float never enters: `0.1` in a document is one tenth, and two spellings of one number ("0.10", "1e-1") have one
canonical text, so that they hash alike.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DIGITS = re.compile(r"-?(0|[1-9][0-9]*)")
_MAX_EXPONENT = 30


def parse_decimal(value: object) -> Decimal:
    """One exact decimal from an integer or a text such as "0.185" or "1e-6".

    Raises ValueError for anything else, for NaN and infinities, and beyond 30 digits on either side of the point.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError('expected a decimal number in quotes, such as "0.185"')
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError('expected a decimal number in quotes, such as "0.185"') from error
    if (
        not number.is_finite()
        or abs(number.adjusted()) > _MAX_EXPONENT
        or len(number.as_tuple().digits) > _MAX_EXPONENT
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
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?$"}),
]

BigInt = Annotated[
    int,
    BeforeValidator(parse_digits),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)$"}),
]
