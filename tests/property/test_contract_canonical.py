"""Canonical bytes: what encodes comes back, what decodes goes out again, and there is one spelling of each value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rondgang.canonical import MAX_DEPTH, MAX_INTEGER, Json, NotCanonical, decode, digest, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=127))
SCALARS = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=30
)


@given(VALUES)
def test_a_value_comes_back_as_it_went(value: Json) -> None:
    again = decode(encode(value))
    assert again == value
    # Equality alone would take True for 1.
    assert repr(_sorted(again)) == repr(_sorted(value))


@given(VALUES, st.sampled_from([(", ", ":"), (",", ": "), (",\n", ":")]))
def test_any_other_spelling_is_refused(value: Json, separators: tuple[str, str]) -> None:
    spelt = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=separators).encode()
    if spelt == encode(value):
        assert decode(spelt) == value
    else:
        with pytest.raises(NotCanonical):
            decode(spelt)


@given(st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_refused_or_go_out_again_unchanged(data: bytes) -> None:
    outcome = _decoded(data)
    if isinstance(outcome, NotCanonical):
        assert outcome.offset is None or 0 <= outcome.offset <= len(data)
    else:
        assert encode(outcome) == data


@given(VALUES, st.data())
def test_no_byte_can_be_cut_off_or_added_or_changed_without_a_new_hash(value: Json, data: st.DataObject) -> None:
    whole = encode(value)
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda other: other != whole[place]))
    for other in (whole[:place], whole + bytes([byte]), whole[:place] + bytes([byte]) + whole[place + 1 :]):
        assert digest(other) != digest(whole)
        outcome = _decoded(other)
        # Another byte string is another value, or none: never the same value spelt twice.
        assert isinstance(outcome, NotCanonical) or repr(_sorted(outcome)) != repr(_sorted(value))


@given(st.dictionaries(KEYS, st.integers(0, 9), min_size=2))
def test_the_order_in_which_keys_were_put_in_does_not_matter(value: dict[str, int]) -> None:
    forwards: dict[str, Json] = dict(value.items())
    backwards: dict[str, Json] = dict(reversed(list(value.items())))
    assert encode(forwards) == encode(backwards)


@given(st.integers(0, MAX_DEPTH + 3), st.booleans())
def test_nesting_is_taken_up_to_the_limit_and_no_further(depth: int, objects: bool) -> None:
    value: Json = 7
    for _ in range(depth):
        value = {"a": value} if objects else [value]
    if depth <= MAX_DEPTH:
        assert decode(encode(value)) == value
    else:
        with pytest.raises(NotCanonical, match="deeper"):
            encode(value)
        with pytest.raises(NotCanonical, match="deeper"):
            decode(json.dumps(value, separators=(",", ":")).encode())


def _decoded(data: bytes) -> Json | NotCanonical:
    try:
        return decode(data)
    except NotCanonical as refused:
        return refused


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
