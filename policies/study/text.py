"""Words in both languages, numbers of things in English ones, and the identifiers that documents share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from policies.documents import Document

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Identifiers of variables and statistics: lower-case ASCII, no double underscore needed by snapshots."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
"""Category codes: short ASCII words or digits."""

RegionCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")]
CohortId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,20}$")]
Wave = Annotated[str, StringConstraints(pattern=r"^T[0-9]$")]
Language = Literal["nl", "en"]

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal: the name of a document, an entry or a root."""

SnapshotId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""128 random bits; tells nothing about what was imported."""

RunId = Annotated[str, StringConstraints(pattern=r"^run-[0-9a-f]{16}$")]


class Text(Document):
    """A text shown to people: Dutch first, English second."""

    nl: str
    en: str

    def in_language(self, language: Language) -> str:
        return self.nl if language == "nl" else self.en


def some(count: int, one: str, more: str = "") -> str:
    """A number of things in English words: 1 region, 2 regions. Of other plurals `more` is the word."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
