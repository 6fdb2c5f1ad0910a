"""The catalogue of sentences: both languages say the same with the same fields."""

import string

import pytest

from policies.pages.words import catalogue, one_or_many, say
from policies.study.text import Language, some


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_import_words_have_the_same_fields_in_both_languages(key: str) -> None:
    words = catalogue()[key]
    assert words.nl.strip()
    assert words.en.strip()
    assert _fields(words.nl) == _fields(words.en)


def test_import_words_fill_in_fields() -> None:
    assert say("import.bad.cohort", "nl", cohort="c9", known="c3").startswith("Cohort c9 staat niet")
    assert say("import.units.child", "en") == "children"


@pytest.mark.parametrize(
    ("lang", "count", "words"),
    [
        ("nl", 1, "c1, in 1 regio"),
        ("en", 1, "c1, in 1 region"),
        ("nl", 13, "c1, in 13 regio's"),
        ("en", 13, "c1, in 13 regions"),
    ],
)
def test_one_thing_is_not_spoken_of_as_many(lang: Language, count: int, words: str) -> None:
    assert say(one_or_many("node.pending.of_regions", count), lang, cohort="c1", count=count) == words


def test_a_sentence_about_many_things_is_there_about_one_too_and_needs_no_more() -> None:
    many = {key.removesuffix(".many"): words for key, words in catalogue().items() if key.endswith(".many")}
    assert many
    for key, words in many.items():
        assert _fields(catalogue()[f"{key}.one"].en) <= _fields(words.en), key


def test_numbers_of_things_in_english() -> None:
    assert [some(count, "region") for count in (0, 1, 1_200)] == ["0 regions", "1 region", "1,200 regions"]
    assert [some(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


def test_import_words_refuse_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        say("import.no_such_sentence", "nl")
    with pytest.raises(KeyError):
        say("import.bad.cohort", "en", cohort="c9")
