"""CBS notation: what is printed reads back as the rounded number, and rounding never narrows an interval."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.pages.numbers import NIL, at_most, exact, interval, number, percentage, percentage_interval
from policies.study.text import Language

NUMBERS = st.decimals(-(10**15), 10**15, places=12, allow_nan=False, allow_infinity=False)
SHARES = st.floats(-10, 10, allow_nan=False).map(lambda value: Decimal(repr(value)))
PLACES = st.integers(0, 4)
LANGUAGES = st.sampled_from(get_args(Language))
DUTCH = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})*(,[0-9]+)?")


def back(text: str, lang: Language) -> Decimal:
    """The number that a reader of this language sees."""
    thousands, point = (".", ",") if lang == "nl" else (",", ".")
    return Decimal(text.replace(thousands, "").replace(point, "."))


@given(NUMBERS, PLACES, LANGUAGES)
def test_a_number_reads_back_as_itself_rounded_half_away_from_zero(value: Decimal, places: int, lang: Language) -> None:
    text = number(value, places, lang)
    if value == 0:
        assert text == NIL
        return
    assert text != NIL
    assert back(text, lang) == value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert len(text.partition("," if lang == "nl" else ".")[2]) == places
    if lang == "nl":
        assert DUTCH.fullmatch(text)


@given(NUMBERS, NUMBERS, PLACES, LANGUAGES)
def test_an_interval_is_never_narrower_than_it_was_and_hardly_wider(
    one: Decimal, other: Decimal, places: int, lang: Language
) -> None:
    low, high = min(one, other), max(one, other)
    shown = [back(text, lang) for text in re.split(" tot | to ", interval(low, high, places, lang))]
    unit = Decimal(1).scaleb(-places)
    assert shown[0] <= low < shown[0] + unit
    assert shown[1] - unit < high <= shown[1]


@given(SHARES, LANGUAGES)
def test_a_share_is_printed_in_percent_with_one_decimal(share: Decimal, lang: Language) -> None:
    text = percentage(share, lang)
    if share == 0:
        assert text == NIL
    else:
        assert abs(back(text, lang) - 100 * share) <= Decimal("0.05")


@given(NUMBERS, PLACES, LANGUAGES)
def test_at_most_never_shows_less_than_was_spent(value: Decimal, places: int, lang: Language) -> None:
    assert back(at_most(value, places, lang), lang) >= value


@given(NUMBERS, LANGUAGES)
def test_exact_shows_every_digit(value: Decimal, lang: Language) -> None:
    assert back(exact(value, lang), lang) == value


@pytest.mark.parametrize(
    ("value", "places", "nl", "en"),
    [
        ("12345.649", 1, "12.345,6", "12,345.6"),
        ("1234567", 0, "1.234.567", "1,234,567"),
        ("0", 1, "-", "-"),
        ("0.0", 0, "-", "-"),
        ("0.04", 1, "0,0", "0.0"),
        ("-0.04", 1, "0,0", "0.0"),
        ("0.4", 0, "0", "0"),
        ("0.05", 1, "0,1", "0.1"),
        ("-3.25", 1, "-3,3", "-3.3"),
        ("999.95", 1, "1.000,0", "1,000.0"),
        ("1e-05", 1, "0,0", "0.0"),
    ],
)
def test_the_signs_of_cbs(value: str, places: int, nl: str, en: str) -> None:
    assert number(Decimal(value), places, "nl") == nl
    assert number(Decimal(value), places, "en") == en


def test_intervals_as_printed() -> None:
    assert percentage_interval(Decimal("-0.33219"), Decimal(1), "nl") == "-33,3 tot 100,0"
    assert interval(Decimal(0), Decimal("12.31"), 1, "en") == "0.0 to 12.4"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_not_printed(value: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        number(Decimal(value), 1, "nl")
