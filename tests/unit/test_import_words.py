"""The catalogue of sentences: both languages say the same with the same fields."""

import string

import pytest

from policies.pages.words import catalogue, say


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


def test_import_words_refuse_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        say("import.no_such_sentence", "nl")
    with pytest.raises(KeyError):
        say("import.bad.cohort", "en", cohort="c9")
