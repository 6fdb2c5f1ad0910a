"""Findings in Dutch: what each means and what to ask. What exactly was found stays in the words of the check."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from policies.documents import Document, load_yaml

CATALOGUE = Path(__file__).with_name("findings.nl.yaml")


class Meant(Document):
    """`ask` is empty where there is nothing to ask."""

    meaning: str
    ask: str


class Findings(Document):
    """By the code of the finding."""

    findings: dict[str, Meant]


@cache
def in_dutch() -> Mapping[str, Meant]:
    """Every finding that has Dutch words, read once. Raises BadDocument where the file is damaged."""
    return load_yaml(Findings, CATALOGUE).findings
