"""Every form that canonical JSON refuses, by name."""

import enum
from typing import cast

import pytest
from rondgang.canonical import MAX_INTEGER, Json, NotCanonical, decode, digest, encode


class _Colour(enum.StrEnum):
    RED = "red"


class _Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"1x", "not JSON"),
        (b'{"a":1}{"a":1}', "not JSON"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (b'"\n"', "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xc0\xaf"', "not UTF-8"),
        ("1".encode("utf-16"), "not UTF-8"),
        (b" 1", "canonical form"),
        (b"1 ", "canonical form"),
        (b"1\n", "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b"[1, 2]", "canonical form"),
        (b'{"b":1,"a":2}', "canonical form"),
        (b"-0", "canonical form"),
        (b'"\\u0041"', "canonical form"),
        (b'"\\/"', "canonical form"),
        (b'"\\u000A"', "canonical form"),
        (b'"\\u001F"', "canonical form"),
        (b'"\\u00e9"', "canonical form"),
        (b'{"a":1,"a":1}', "twice"),
        (b'[{"x":{"a":1,"b":2,"a":3}}]', "twice"),
        (b'{"a":1,"\\u0061":1}', "twice"),
        (b"1.0", "point or exponent"),
        (b"1e3", "point or exponent"),
        (b"1E400", "point or exponent"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "NaN"),
        (b"9007199254740992", "beyond"),
        (b"-9007199254740992", "beyond"),
        (b"1" * 5000, "beyond"),
        (b"01", "not JSON"),
        (b"+1", "not JSON"),
        ('{"é":1}'.encode(), "not ASCII"),
        (b'"\\ud800"', "surrogate"),
        (b'{"a":"\\udc00\\ud800"}', "surrogate"),
        (b"[" * 65 + b"]" * 65, "deeper"),
        (b"[" * 1_000_000, "deeper"),
        (b'{"a":' * 100_000, "deeper"),
    ],
)
def test_bytes_outside_the_form_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(NotCanonical, match=reason):
        decode(data)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.0, "float"),
        (float("nan"), "float"),
        ((1, 2), "tuple"),
        ({1: 2}, "not ASCII text"),
        ({"é": 2}, "not ASCII text"),
        ({_Colour.RED: 1}, "not ASCII text"),
        (_Colour.RED, "_Colour"),
        (_Number.ONE, "_Number"),
        (b"a", "bytes"),
        ({"a": {1}}, "set"),
        (MAX_INTEGER + 1, "beyond"),
        (-MAX_INTEGER - 1, "beyond"),
        ("\ud800", "surrogate"),
    ],
)
def test_values_outside_the_form_are_refused(value: object, reason: str) -> None:
    # A cast, because the types forbid what the test must try.
    with pytest.raises(NotCanonical, match=reason):
        encode(cast(Json, value))


def test_the_form_of_one_whole_document() -> None:
    value: Json = {"b": [True, False, None, -1, MAX_INTEGER], "a": {"": 'é\u2028"\\\n\x1f\x7f/'}, "A": []}
    spelt = '{"A":[],"a":{"":"é\u2028\\"\\\\\\n\\u001f\x7f/"},"b":[true,false,null,-1,9007199254740991]}'
    assert encode(value) == spelt.encode("utf-8")


def test_the_place_of_a_deviation_is_told_in_bytes() -> None:
    with pytest.raises(NotCanonical) as refused:
        decode('{"a":"é","b": 1}'.encode())
    assert refused.value.offset == len('{"a":"é","b":'.encode())


def test_a_refusal_does_not_repeat_the_content() -> None:
    with pytest.raises(NotCanonical) as refused:
        decode(b'{"canary4711":"canary4711","canary4711":1}')
    assert "4711" not in str(refused.value)


def test_text_is_not_normalised() -> None:
    assert encode("\u00e9") != encode("e\u0301")


def test_digest_is_sha256() -> None:
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
