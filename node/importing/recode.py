"""Their codes to the codebook's: each distinct text by itself, by public rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from node.importing.cells import TextColumn
from node.importing.database import Database
from node.importing.values import NOT_LISTED, decimal, name_of, whole
from policies.study.codebook import Variable
from policies.study.definitions import Category
from policies.study.mapping import Source, TextFiles

EITHER = "either"
"""The decimal sign of numbers that are written as text, where nobody said which it is."""
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every part: how text files are written, codes that mean "not known" everywhere, and where queries
    go."""

    text: TextFiles
    missing: tuple[str, ...]
    database: Database | None = None


def recoded(column: TextColumn, variable: Variable, source: Source, missing: frozenset[str], sign: str) -> TextColumn:
    """The column with nothing where the value is missing, and with the codebook's codes.

    `missing` are further codes for "not known". `sign` is the decimal sign of numbers, EITHER, or empty where they are
    not written as text; a number written with the other one becomes what is no number. A declared value label stands
    for the category of that code or label; where the mapping lists codes, only those count, by value or by label.
    """
    missing |= {*variable.missing, *source.missing}
    categorical = variable.type == "category"
    codes = {_key(theirs): ours for theirs, ours in source.codes.items()}
    names = _by_label(variable.categories) if categorical and not codes else codes
    own = frozenset(category.code for category in variable.categories)
    texts = []
    for place, text in enumerate(column.texts):
        label = _key(column.labels[place]) if column.labels else ""
        if place in column.declared or not name_of(text) or missing & {text, whole(text)}:
            texts.append("")
        elif codes:
            texts.append(codes.get(_key(text)) or codes.get(_key(whole(text))) or names.get(label, NOT_LISTED))
        elif categorical:
            texts.append(text if own & {text, whole(text)} else names.get(label, text))
        else:
            texts.append(_number(text, sign, variable))
    return TextColumn(column.codes, tuple(texts))


def without_declared(column: TextColumn) -> TextColumn:
    """An identifying column: what the file declares missing is nothing."""
    if not column.declared:
        return column
    return TextColumn(column.codes, tuple("" if i in column.declared else t for i, t in enumerate(column.texts)))


def translated(column: TextColumn, values: Mapping[str, str]) -> TextColumn:
    """An identifying column in the codebook's words; without `values` it already is."""
    if not values:
        return column
    keys = {_key(value): ours for value, ours in values.items()}
    found = (keys.get(_key(text)) or keys.get(_key(whole(text)), "") for text in column.texts)
    return TextColumn(column.codes, tuple(found))


def _by_label(categories: Iterable[Category]) -> dict[str, str]:
    """Codes by their own name and their labels; a label that two categories share stands for neither."""
    found: dict[str, set[str]] = {}
    for category in categories:
        for name in (category.code, category.label.nl, category.label.en):
            found.setdefault(_key(name), set()).add(category.code)
    return {name: min(codes) for name, codes in found.items() if len(codes) == 1 and name}


def _key(text: str) -> str:
    """Labels as people compare them: whatever the spaces and capitals."""
    return " ".join(text.split()).casefold()


def _number(text: str, sign: str, variable: Variable) -> str:
    if sign == EITHER:
        # A whole number of thousands, or one with three decimals: nobody can tell, and the two differ by a thousand.
        return NOT_LISTED if variable.type == "integer" and _THOUSANDS.fullmatch(text) else text
    other = {",": ".", ".": ","}.get(sign, "")
    return NOT_LISTED if other and other in text and decimal(text) is not None else text
