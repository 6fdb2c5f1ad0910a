"""Files that cannot be imported at all: the steward's to repair."""

from __future__ import annotations

from policies.pages.words import say
from policies.study.text import Language


class BadImport(Exception):
    """Nothing was imported. `sentence` says why and what to do; it names files and columns, never a value."""

    def __init__(self, reason: str, **fields: str | int) -> None:
        self.reason = reason
        self.fields = fields
        super().__init__(self.sentence("en"))

    def sentence(self, lang: Language) -> str:
        return say(f"import.bad.{self.reason}", lang, **self.fields)


def shown_lines(text: str) -> str:
    """What a document's loader says, line by line: keys and names of columns, never a row's value."""
    return "\n".join("".join(sign if sign.isprintable() else "?" for sign in line) for line in text.splitlines())


def shown(name: str) -> str:
    """A file's or a column's name, safe for a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:80]
