"""The one catalogue of sentences that people read in Dutch or English: words.yaml beside this file.

Fields are public facts (names, limits, dates) and, on a steward's own screen, counts of the steward's own import.
Never a value from a row: whoever adds a sentence keeps that promise.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from policies.documents import Document, load_yaml
from policies.study.text import Language, Text

CATALOGUE = Path(__file__).with_suffix(".yaml")


class Words(Document):
    """Every sentence, by a dotted key whose first part names who says it."""

    words: dict[str, Text]


@cache
def catalogue() -> dict[str, Text]:
    """The sentences by key, read once. Raises BadDocument where the file is damaged."""
    return load_yaml(Words, CATALOGUE).words


def one_or_many(key: str, count: int) -> str:
    """The key of the sentence about this many: `key.one` about a single thing, else `key.many`."""
    return f"{key}.one" if count == 1 else f"{key}.many"


def say(key: str, lang: Language, **fields: str | int) -> str:
    """The sentence in this language with its `{fields}` filled in.

    Raises KeyError for an unknown key or a field that the sentence needs and was not given: a fault of the caller.
    """
    return catalogue()[key].in_language(lang).format_map(fields)
