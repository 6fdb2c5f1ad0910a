"""Which rows belong to which household and person, and which persons count.

Units are ordered by id, so neither the order of rows nor other households decide a place within a household.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class Numbers:
    """Delivered households and their numbers: `places` of the names in their order as text, below `total`.

    In Arrow: a region may have a million. Households that are known from before have their numbers already.
    """

    names: pa.Array
    places: NDArray[np.int64]
    total: int

    def of(self, column: TextColumn) -> NDArray[np.int64]:
        """Each row's number. Every name that a row has must be one of ours."""
        used = _used(column)
        found = pc.index_in(text_array([column.texts[place] for place in used.tolist()]), value_set=self.names)
        numbers = np.full(len(column.texts), -1, np.int64)
        numbers[used] = self.places[np.frombuffer(found.buffers()[1], np.int32, len(found), 4 * found.offset)]
        return numbers[column.codes]


@dataclass(frozen=True, slots=True)
class Before:
    """Units of a table that count from before: the household's number and the pseudonym of each, in their order."""

    household: NDArray[np.int64]
    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A table's units with the pseudonym of each; `before` says which unit each of those from before is now."""

    units: Units
    names: tuple[bytes, ...]
    before: NDArray[np.int64]


Named = Callable[[int, str], bytes]
"""The pseudonym of a person, by the household's number and the person's id."""
NOBODY = Before(np.empty(0, np.int64), ())


def number_households(kept: Mapping[Table, Kept]) -> Numbers:
    """Every household that has a usable row in any table, by the order of ids as text."""
    names = pc.unique(pa.concat_arrays([text_array(_names(one.households)) for one in kept.values()]))
    names = names.take(pc.array_sort_indices(names))
    return Numbers(names, np.arange(len(names), dtype=np.int64), len(names))


def households(kept: Kept, numbers: Numbers) -> Units:
    """The household table's units: all households, also those that only a persons' file has."""
    unit = numbers.of(kept.households)
    without = int((numbers.places >= 0).sum()) - len(np.unique(unit))
    findings = (Finding("household_without_row", "household", count=without),)
    return Units(kept.rows, unit, kept.waves, np.arange(numbers.total, dtype=np.int64), findings)


def persons(table: Table, kept: Kept | None, numbers: Numbers, cap: int, named: Named, before: Before) -> Placed:
    """A persons' table's units: of each household those from before, then the delivered ones in the order of `natural`,
    and of these together the first `cap`.

    Privacy: every household keeps at most `cap` units, chosen from its own rows by a public order before any filter, so
    its vectors obey the block bounds (policies/statistics/blocks.py). Nothing is rounded.
    """
    given = _NONE_GIVEN if kept is None else _given(kept, numbers)
    names = tuple(named(home, person) for home, person in zip(given.household.tolist(), given.persons, strict=True))
    known = {name: place for place, name in enumerate(before.names)}
    old = np.fromiter((known.get(name, -1) for name in names), np.int64, len(names))
    fresh = np.flatnonzero(old < 0)
    homes = given.household[fresh]
    first = np.bincount(before.household, minlength=numbers.total)[homes] if len(homes) else homes
    fresh_counted = first + np.arange(len(homes)) - np.searchsorted(homes, homes) < cap
    over = int((~fresh_counted).sum())
    fresh = fresh[fresh_counted]
    # Those from before stand first, so that they come first in their household.
    household = np.concatenate([before.household, given.household[fresh]])
    order = np.argsort(household, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    unit = np.full(len(names), -1, np.int64)
    unit[old >= 0] = place[old[old >= 0]]
    unit[fresh] = place[len(before.names) :]
    used = unit[given.unit] >= 0
    rows = Units(
        given.rows[used],
        unit[given.unit[used]],
        given.waves[used],
        household[order],
        (Finding("over_cap", table, count=over),),
    )
    every = (*before.names, *(names[one] for one in fresh.tolist()))
    return Placed(rows, tuple(every[one] for one in order.tolist()), place[: len(before.names)])


@dataclass(frozen=True, slots=True)
class _Given:
    """Delivered persons: the household's number and the id of each, by household and then by the order of `natural`;
    and which person (`unit`) and wave each used row is of."""

    rows: NDArray[np.int64]
    unit: NDArray[np.int64]
    waves: NDArray[np.int64]
    household: NDArray[np.int64]
    persons: tuple[str, ...]


_NO_ROWS = np.empty(0, np.int64)
_NONE_GIVEN = _Given(_NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS, ())


def _given(kept: Kept, numbers: Numbers) -> _Given:
    assert kept.persons is not None, "keep_rows sets persons for every table but household"
    home = numbers.of(kept.households)
    # Sorted as text first: ids that are alike to `natural` ("01" and "1") keep that order.
    names = sorted(sorted(set(_names(kept.persons))), key=natural)
    person = _ranks(kept.persons, {name: number for number, name in enumerate(names)})
    pairs, unit = np.unique(home * (len(names) + 1) + person, return_inverse=True)
    who = tuple(names[place] for place in (pairs % (len(names) + 1)).tolist())
    return _Given(kept.rows, unit, kept.waves, pairs // (len(names) + 1), who)


def without(kept: Kept, gone: NDArray[np.bool_]) -> Kept:
    """The rows that are left where those marked as gone are taken out."""
    stay, persons = ~gone, kept.persons
    return replace(
        kept,
        rows=kept.rows[stay],
        households=TextColumn(kept.households.codes[stay], kept.households.texts),
        waves=kept.waves[stay],
        persons=None if persons is None else TextColumn(persons.codes[stay], persons.texts),
    )


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
