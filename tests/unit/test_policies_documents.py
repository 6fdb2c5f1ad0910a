"""The one YAML loader and the canonical form: what a person wrote wrong is said with file, line and key."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from policies.documents import BadDocument, Document, from_canonical, load_yaml, parse_yaml, to_canonical
from policies.rules.region_policy import RegionPolicy
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.exact import BigInt, Exact
from tests import small_study


class Inner(Document):
    word: str
    number: int = 0


class Sample(Document):
    words: dict[str, str] = Field(default_factory=dict)
    many: tuple[str, ...] = ()
    number: int = 7
    flag: bool = False
    exact: Exact = Decimal(1)
    big: BigInt = 0
    inner: Inner | None = None
    items: tuple[Inner, ...] = ()


def refusal(text: str, model: type[Document] = Sample) -> str:
    with pytest.raises(BadDocument) as caught:
        parse_yaml(model, text, "some.yaml")
    assert caught.value.source == "some.yaml"
    assert str(caught.value) == "\n".join(caught.value.places)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("number: 1\nother: 2\n", "some.yaml:2: other:", "not known here"),
        ("inner:\n  number: 3\n", "some.yaml:1: inner.word:", "missing"),
        ("items:\n  - word: a\n  - word: b\n    number: many\n", "some.yaml:4: items.1.number:", "valid integer"),
        ("number: 1\n\nnumber: 2\n", "some.yaml:3: number:", "twice"),
        ("inner:\n  word: a\n  word: b\n", "some.yaml:3: inner.word:", "twice"),
        ("exact: nan\n", "some.yaml:1: exact:", "decimal number in quotes"),
        ("inner: [1]\n", "some.yaml:1: inner:", "Inner"),
        ("words: {a: 1}\n", "some.yaml:1: words.a:", "valid string"),
        ("? [a, b]\n: c\n", "some.yaml:1: (document):", "a single word as a key"),
        ("number: !!int '0x10'\n", "some.yaml:1: number:", "without the tag"),
        ("number: !!float '1.0'\n", "some.yaml:1: number:", "without the tag"),
        ("flag: !!bool yes\n", "some.yaml:1: flag:", "without the tag"),
        ("many: !!set {a, b}\n", "some.yaml:1: many:", "without the tag"),
        ("words: {a: !!python/name:os.system x}\n", "some.yaml:1: words.a:", "without the tag"),
        ("number: 9007199254740992\n", "some.yaml:1: number:", "below 2**53"),
        ("a: b\n\tc: d\n", "some.yaml:2:", "not readable as YAML"),
        ("a: [b\n", "some.yaml:2:", "not readable as YAML"),
        ("number: 1\n---\nnumber: 2\n", "some.yaml:2:", "single document"),
        ("a: \x00\n", "some.yaml:1:", "not plain text"),
        ("- a\n- b\n", "some.yaml:1: (document):", "keys with values"),
        ("just words\n", "some.yaml:1: (document):", "keys with values"),
        ("", "some.yaml:1: (document):", "keys with values"),
        ("# only a comment\n", "some.yaml:1: (document):", "keys with values"),
    ],
)
def test_a_mistake_is_said_with_line_key_and_what_was_expected(text: str, place: str, expected: str) -> None:
    said = refusal(text)
    assert said.startswith(place)
    assert expected in said


def test_every_mistake_is_said_at_once() -> None:
    assert len(refusal("number: many\nother: 1\ninner: {}\n").splitlines()) == 3


def test_a_mistake_below_a_field_of_two_types_has_a_readable_place() -> None:
    said = refusal(small_study.DRAFT.replace("statistics:", "weights: {aa: 1}\nstatistics:", 1), Draft)
    assert "weights.aa" in said
    assert "[" not in said.replace("'^[A-Z]{2,4}$'", "")


def test_numbers_with_a_point_and_words_that_look_like_values_stay_as_written() -> None:
    text = "{words: {a: no, b: yes, c: 2027-01-31, d: 0x1F, e: 1_000, f: on, g: 010, h: 12:30:00, i: 1e3, j: 1.0}}"
    wanted = {"a": "no", "b": "yes", "c": "2027-01-31", "d": "0x1F", "e": "1_000", "f": "on", "g": "010"}
    found = parse_yaml(Sample, text, "some.yaml").words
    assert found == wanted | {"h": "12:30:00", "i": "1e3", "j": "1.0"}


def test_regression_a_key_is_the_word_that_was_written() -> None:
    """`true`, `null` and 1 as keys used to become Python's words for them."""
    text = "words: {true: a, null: b, ~: c, no: d, 1: e, 1.50: f, 2027-01-31: g}"
    assert list(parse_yaml(Sample, text, "some.yaml").words) == ["true", "null", "~", "no", "1", "1.50", "2027-01-31"]


def test_a_decimal_without_quotes_is_exact() -> None:
    assert parse_yaml(Sample, "exact: 0.1", "some.yaml").exact == Decimal("0.1")
    assert parse_yaml(Sample, "exact: 3", "some.yaml").exact == 3
    huge = "123456789012345678901234567.891"
    assert to_canonical(parse_yaml(Sample, f"exact: {huge}", "some.yaml")) == f'{{"exact":"{huge}"}}'.encode()


def test_a_file_from_windows_reads_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(b"\xef\xbb\xbfnumber: 3\r\nmany:\r\n- a\r\n- b\r\n")
    assert load_yaml(Sample, path) == Sample(number=3, many=("a", "b"))


def test_a_file_that_cannot_be_read_is_a_bad_document(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("words: {a: Fryslân}".encode("latin-1"))
    for path in (tmp_path / "absent.yaml", tmp_path, latin):
        with pytest.raises(BadDocument, match="cannot be read") as caught:
            load_yaml(Sample, path)
        assert caught.value.places[0].startswith(str(path))


def test_regression_aliases_cannot_make_a_small_file_large() -> None:
    """Nine lines of aliases used to stand for a thousand million words ("billion laughs")."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    assert (
        refusal("\n".join(lines))
        == "some.yaml:2: not readable as YAML: aliases (*name) are not used here; write it out"
    )
    assert "aliases" in refusal("inner: &i {word: a}\nitems: [{<<: *i}]")


def test_a_merge_key_is_an_unknown_key_like_any_other() -> None:
    assert "inner.<<: this key is not known here" in refusal("inner: {<<: {word: a}}")


@pytest.mark.parametrize("text", ["many: " + "[" * 5000, "words: " + "{a: " * 5000, "number: " + "9" * 5000])
def test_regression_depth_and_long_numbers_are_refused_not_raised(text: str) -> None:
    """RecursionError and Python's limit on integer digits used to escape."""
    assert refusal(text).startswith("some.yaml:")


@given(st.text(max_size=60) | st.text("ab: -[]{}!&*\n'\"0123456789#?|>", max_size=60))
@settings(deadline=None)
def test_no_text_raises_anything_but_a_bad_document(text: str) -> None:
    try:
        document = parse_yaml(Sample, text, "some.yaml")
    except BadDocument as error:
        assert all(place.startswith("some.yaml:") for place in error.places)
    else:
        assert isinstance(document, Sample)


@given(
    st.builds(
        Sample,
        words=st.dictionaries(
            st.text("abc", max_size=4), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
        ),
        many=st.lists(st.text('é\n"\\x', max_size=3)).map(tuple),
        number=st.integers(-(2**53) + 1, 2**53 - 1),
        flag=st.booleans(),
        exact=st.decimals(-1000, 1000, places=4),
        big=st.integers(),
        inner=st.none() | st.builds(Inner, word=st.text("ab"), number=st.integers(-5, 5)),
    )
)
@settings(deadline=None)
def test_a_document_comes_back_from_its_bytes(document: Sample) -> None:
    data = to_canonical(document)
    assert from_canonical(Sample, data) == document
    assert to_canonical(from_canonical(Sample, data)) == data


def test_defaults_are_left_out_in_whatever_spelling() -> None:
    for text in ("{number: 7}", "{exact: '1.00'}", "{exact: 1}", "{big: 0}", "{items: []}", "{inner: null}"):
        assert to_canonical(parse_yaml(Sample, text, "some.yaml")) == b"{}"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"number":7}', "same bytes"),
        (b'{"inner":null}', "same bytes"),
        (b'{"number":"8"}', "same bytes"),
        (b'{"number":true}', "same bytes"),
        (b'{"flag":1}', "same bytes"),
        (b'{"exact":"0.50"}', "same bytes"),
        (b'{"exact":"5e-1"}', "same bytes"),
        (b'{"exact":2}', "same bytes"),
        (b'{"big":12}', "same bytes"),
        (b'{"big":"012"}', "decimal digits"),
        (b'{"number": 8}', "not canonical"),
        (b'{"number":8,"flag":true}', "not canonical"),
        (b'{"number":8,"number":8}', "not canonical"),
        (b'{"number":8.0}', "not canonical"),
        (b'{"exact":0.5}', "not canonical"),
        (b'{"number":8}\n', "not canonical"),
        (b'\xef\xbb\xbf{"number":8}', "not canonical"),
        (b'{"words":{"a":"\\u0062"}}', "not canonical"),
        (b'{"other":1}', "not known here"),
        (b'{"inner":{}}', "missing"),
        (b"[]", "an object"),
        (b"", "not canonical"),
        (b"\xff", "not canonical"),
    ],
)
def test_bytes_in_any_other_form_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadDocument, match=why):
        from_canonical(Sample, data)


@pytest.mark.parametrize(
    "document",
    [
        small_study.codebook(),
        small_study.calendar(),
        small_study.draft(),
        small_study.region_policy(),
        small_study.planned(),
    ],
    ids=lambda document: type(document).__name__,
)
def test_each_kind_of_document_has_one_byte_string(document: Document) -> None:
    data = to_canonical(document)
    again = from_canonical(type(document), data)
    assert again == document
    assert to_canonical(again) == data
    assert json.loads(data) == document.model_dump(mode="json", exclude_defaults=True, by_alias=True)


def test_the_order_of_writing_does_not_change_the_bytes() -> None:
    one = "{number: 1, flag: true, words: {a: x, b: y}}"
    other = "words: {b: y, a: x}\nflag: true\nnumber: 1\n"
    assert to_canonical(parse_yaml(Sample, one, "a")) == to_canonical(parse_yaml(Sample, other, "b"))


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Calendar, b"{}"),
        (Codebook, b'{"codebook":{"id":"a","version":1}}'),
        (Programme, b'{"blocks":[]}'),
        (RegionPolicy, b'{"cohorts":{"c1":{"rho":"-1"}}}'),
    ],
)
def test_half_a_document_is_a_bad_document(model: type[Document], data: bytes) -> None:
    with pytest.raises(BadDocument):
        from_canonical(model, data)


def test_a_number_too_large_to_be_written_back_is_a_bad_document_and_no_fault() -> None:
    """Digits in quotes read as a number: an order with such a deadline made a node say FAULT instead of MALFORMED."""
    data = b'{"number":"' + b"9" * 30 + b'","word":"x"}'
    with pytest.raises(BadDocument, match="not canonical"):
        from_canonical(Inner, data)
