"""One cell's text to a whole number 0..size-1, or missing: clamping, grid and codes, exactly and by public rules.

A value's fate depends on its own text and the codebook alone. Arithmetic is on integers: a float never enters.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from node.importing.cells import TextColumn
from policies.study.codebook import Variable
from policies.study.columns import Column

MISSING = -1
NOT_LISTED = "\x00"
"""Stands for a text that is no code and no number here. It is never shown."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_WHOLE = re.compile(r"([+-]?[0-9]+)[.,]0+")
_MAX_LENGTH = 1000
_PLACES = 64
"""Decimals kept of a value in bounds: more than any grid has (policies/units/exact.py), so cutting changes nothing."""
_EXACT = Context(prec=200, rounding=ROUND_FLOOR)
_FINEST = Decimal(1).scaleb(-_PLACES)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`index` is 0..size-1 or MISSING, one a row; `counts` says how often each rule applied, missing ones left out."""

    index: NDArray[np.int32]
    counts: Counter[str]


def whole(text: str) -> str:
    """The text, with a whole number's needless ".0" taken off: statistical programs write codes and ids that way."""
    if text[-1:] != "0":  # most texts, without the work of a pattern
        return text
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def name_of(text: str) -> str:
    """An id as it is compared; empty when there is none."""
    return "" if len(text) == 3 and text.casefold() == "nan" else whole(text)


def clean(column: TextColumn, variable: Variable, shape: Column) -> Cleaned:
    """Every cell of a column as an index."""
    read = readings(column, variable, shape)
    index = np.array([place for place, _ in read], np.int32)[column.codes] if read else np.empty(0, np.int32)
    often = np.bincount(column.codes, minlength=len(read))
    counts: Counter[str] = Counter()
    for (_, rule), count in zip(read, often.tolist(), strict=True):
        if rule:
            counts[rule] += count
    return Cleaned(index, counts)


def readings(column: TextColumn, variable: Variable, shape: Column) -> list[tuple[int, str]]:
    """For each distinct text its index or MISSING, and the rule that applied; empty where none did."""
    one = partial(_category, variable=variable, shape=shape) if shape.categorical else _Number(variable, shape).read
    return [one(text) for text in column.texts]


def decimal(text: str) -> Decimal | None:
    """The number a text spells, with a decimal point or comma; None for anything else, NaN and infinities included."""
    if len(text) > _MAX_LENGTH or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text.replace(",", "."))


def _category(text: str, variable: Variable, shape: Column) -> tuple[int, str]:
    for spelling in (text, whole(text)):
        if spelling in variable.missing:
            return MISSING, ""
        if spelling in shape.codes:
            return shape.codes.index(spelling), ""
    return MISSING, "unknown_code" if name_of(text) else ""


class _Number:
    """A numeric variable's rule, its bounds and grid as integers in units of 10**-_PLACES."""

    def __init__(self, variable: Variable, shape: Column) -> None:
        self._low, self._high = variable.bounds or (Decimal(0), Decimal(0))
        self._last = shape.size - 1
        self._lower, self._grid = _scaled(self._low), _scaled(variable.grid)
        self._missing_texts = frozenset(variable.missing)
        self._missing = frozenset(number for text in variable.missing if (number := decimal(text)) is not None)

    def read(self, text: str) -> tuple[int, str]:
        if not name_of(text) or text in self._missing_texts:
            return MISSING, ""
        number = decimal(text)
        if number is None:
            return MISSING, "unreadable"
        if number in self._missing:
            return MISSING, ""
        if not self._low <= number <= self._high:
            return (0 if number < self._low else self._last), "clamped"
        steps, between = divmod(2 * (_scaled(number) - self._lower) + self._grid, 2 * self._grid)
        # Half a step up, then down to the step: a value on the grid leaves exactly the half.
        return steps, "" if between == self._grid else "snapped"


def _scaled(number: Decimal) -> int:
    return int(number.quantize(_FINEST, context=_EXACT).scaleb(_PLACES, _EXACT))
