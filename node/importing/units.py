"""Which rows belong to which household and person, and which persons count.

Units are ordered by id, so neither the order of rows nor other households decide a place within a household.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from node.importing.arrow import text_array
from node.importing.cells import TextColumn
from node.importing.read import Raw
from node.importing.report import Finding
from node.importing.values import name_of
from policies.study.codebook import Codebook, Table

_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Kept:
    """The rows of one file that can be used: places in the file, household texts, and wave numbers, one a row."""

    rows: NDArray[np.int64]
    households: TextColumn
    waves: NDArray[np.int64]
    persons: TextColumn | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """`unit` (0..count-1) and `wave` of each used row, at place `rows` of the file; `household` of each unit.

    Units are ordered by household and, within it, by the public order of person ids.
    """

    rows: NDArray[np.int64]
    unit: NDArray[np.int64]
    wave: NDArray[np.int64]
    household: NDArray[np.int64]
    findings: tuple[Finding, ...]

    @property
    def count(self) -> int:
        return len(self.household)


def keep_rows(table: Table, raw: Raw, codebook: Codebook) -> Kept:
    """Drops rows without household id, with an unknown wave, or without person id (of a person), and counts them."""
    households = _named(raw.columns[codebook.units.household])
    keep, findings = _present(households), []
    findings.append(Finding("no_household_id", table, count=int((~keep).sum())))
    waves = _waves(raw.columns[codebook.units.wave], tuple(codebook.waves))
    findings.append(Finding("unknown_wave", table, count=int((keep & (waves < 0)).sum())))
    keep &= waves >= 0
    persons = None
    if table != "household":
        persons = _named(raw.columns[codebook.units.person])
        nameless = keep & ~_present(persons)
        findings.append(Finding("no_person_id", table, count=int(nameless.sum())))
        keep &= ~nameless
        persons = TextColumn(persons.codes[keep], persons.texts)
    return Kept(
        np.flatnonzero(keep),
        TextColumn(households.codes[keep], households.texts),
        waves[keep],
        persons,
        tuple(findings),
    )


class Numbers:
    """Names and their numbers 0..n-1, by their order as text. In Arrow: a region may have a million."""

    def __init__(self, names: pa.Array) -> None:
        self._names = names.take(pc.array_sort_indices(names))

    def __len__(self) -> int:
        return len(self._names)

    def of(self, column: TextColumn) -> NDArray[np.int64]:
        """Each row's number. Every name that a row has must be one of ours."""
        places = _used(column)
        found = pc.index_in(text_array([column.texts[place] for place in places.tolist()]), value_set=self._names)
        ranks = np.full(len(column.texts), -1, np.int64)
        ranks[places] = np.frombuffer(found.buffers()[1], np.int32, len(found), 4 * found.offset)
        return ranks[column.codes]


def number_households(kept: Mapping[Table, Kept]) -> Numbers:
    """Every household that has a usable row in any table, by the order of ids as text."""
    names = [text_array(_names(one.households)) for one in kept.values()]
    return Numbers(pc.unique(pa.concat_arrays(names)))


def households(kept: Kept, numbers: Numbers) -> Units:
    """The household table's units: all households, also those that only a persons' file has."""
    unit = numbers.of(kept.households)
    without = len(numbers) - int(np.count_nonzero(np.bincount(unit, minlength=len(numbers))))
    findings = (Finding("household_without_row", "household", count=without),)
    return Units(kept.rows, unit, kept.waves, np.arange(len(numbers), dtype=np.int64), findings)


def persons(table: Table, kept: Kept, numbers: Numbers, cap: int) -> Units:
    """A persons' table's units: of each household its first `cap` persons in the order of `natural`.

    Privacy: every household keeps at most `cap` units, chosen from its own rows by a public order before any filter, so
    its vectors obey the block bounds (policies/statistics/blocks.py). Nothing is rounded.
    """
    assert kept.persons is not None, "keep_rows sets persons for every table but household"
    home = numbers.of(kept.households)
    # Sorted as text first: ids that are alike to `natural` ("01" and "1") keep that order.
    names = sorted(sorted(set(_names(kept.persons))), key=natural)
    person = _ranks(kept.persons, {name: number for number, name in enumerate(names)})
    pairs, unit = np.unique(home * (len(names) + 1) + person, return_inverse=True)
    household = pairs // (len(names) + 1)
    place = np.arange(len(pairs)) - np.searchsorted(household, household)
    counted = place < cap
    used = counted[unit]
    unit = (np.cumsum(counted) - 1)[unit[used]]
    findings = (Finding("over_cap", table, count=int((~counted).sum())),)
    return Units(kept.rows[used], unit, kept.waves[used], household[counted], findings)


def natural(name: str) -> str:
    """The public order of person ids: runs of digits by their value ("p2" before "p10"), the rest as text."""
    return _DIGITS.sub(_by_value, name)


def _by_value(run: re.Match[str]) -> str:
    digits = run[0].lstrip("0")
    return f"{len(digits):04}{digits}"


def _used(column: TextColumn) -> NDArray[np.int64]:
    """The places of texts that some row has."""
    return np.flatnonzero(np.bincount(column.codes, minlength=len(column.texts)))


def _names(column: TextColumn) -> list[str]:
    """The texts that some row has; two may be alike once they are trimmed."""
    return [column.texts[place] for place in _used(column).tolist()]


def _named(column: TextColumn) -> TextColumn:
    return TextColumn(column.codes, tuple(name_of(text) for text in column.texts))


def _present(column: TextColumn) -> NDArray[np.bool_]:
    return np.array([bool(text) for text in column.texts], np.bool_)[column.codes]


def _waves(column: TextColumn, waves: tuple[str, ...]) -> NDArray[np.int64]:
    """The number of each row's wave in the codebook; -1 for one it does not have."""
    numbers = {wave.casefold(): number for number, wave in enumerate(waves)}
    return np.array([numbers.get(text.casefold(), -1) for text in column.texts], np.int64)[column.codes]


def _ranks(column: TextColumn, numbers: Mapping[str, int]) -> NDArray[np.int64]:
    """Each row's number; texts that no kept row has get none and are never looked up."""
    return np.array([numbers.get(text, -1) for text in column.texts], np.int64)[column.codes]
