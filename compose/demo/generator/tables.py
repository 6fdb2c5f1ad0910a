"""What the generator hands over: per region three long tables, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

WAVES = ("T0", "T1")
ANSWERED, EMPTY, CODED = 0, 1, 2
YES_NO = ("no", "yes")


@dataclass(frozen=True, slots=True)
class Answers:
    """One variable, one value a row.

    `values` are places in `codes`, or numbers in units of 10**-decimals. `gaps` says where there is no answer: the
    cell is left empty (EMPTY) or holds `missing_code` (CODED).
    """

    values: Ints
    gaps: NDArray[np.int8]
    codes: tuple[str, ...] = ()
    decimals: int = 0
    missing_code: str = ""

    def at(self, rows: NDArray[np.int64]) -> Answers:
        """The answers of these rows, in this order."""
        return replace(self, values=self.values[rows], gaps=self.gaps[rows])


Wide = dict[tuple[str, str], Answers]
"""Answers of every unit by variable and wave; the wave is empty for a variable that has none."""


@dataclass(frozen=True, slots=True)
class Table:
    """One long table: identifying columns and variables, one row per unit and wave, in file order."""

    ids: Mapping[str, Texts]
    variables: Mapping[str, Answers]


@dataclass(frozen=True, slots=True)
class Tables:
    """One region's files."""

    household: Table
    adult: Table
    child: Table

    def by_name(self) -> tuple[tuple[str, Table], ...]:
        """The tables with the names of their files."""
        return (("household", self.household), ("adult", self.adult), ("child", self.child))


def numbers(values: NDArray[np.int64] | Ints, missing_code: str = "", decimals: int = 0) -> Answers:
    """Answers that are numbers, none missing yet."""
    return Answers(values.astype(np.int32), np.zeros(len(values), np.int8), (), decimals, missing_code)


def choices(values: Ints | Bools, codes: tuple[str, ...] = YES_NO, missing_code: str = "") -> Answers:
    """Answers from a list of codes, none missing yet."""
    return Answers(values.astype(np.int32), np.zeros(len(values), np.int8), codes, 0, missing_code)


def where_asked(answers: Answers, asked: Bools) -> Answers:
    """The same answers, left empty where the question was not asked."""
    return replace(answers, gaps=np.where(asked, answers.gaps, np.int8(EMPTY)).astype(np.int8))
