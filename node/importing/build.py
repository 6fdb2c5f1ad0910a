"""The three tables of a snapshot, from delivered rows and, where a wave is added, from the snapshot in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from node.importing.admitting import Register, Stable, admitted, stable_ids
from node.importing.files import Delivery
from node.importing.joining import overlaid
from node.importing.kept import Held, Ids, waves_of
from node.importing.lengthen import STABLE_ID
from node.importing.problems import BadImport
from node.importing.read import Raw
from node.importing.report import Finding
from node.importing.tables import Wide, joined, widen, with_derived
from node.importing.units import (
    NOBODY,
    Kept,
    Numbers,
    Placed,
    households,
    keep_rows,
    number_households,
    persons,
    without,
)
from node.importing.withdrawn import left
from node.pseudonyms import Pseudonyms
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.derive import rules
from policies.study.mapping import STABLE

_NO_ROWS = np.empty(0, np.int64)


def _nobody_refused(_households: object) -> frozenset[bytes]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Building:
    """By what a snapshot is built: public rules, the cohort and its pseudonyms, and what is there already.

    More than `most_households` are refused. `held` is the snapshot to add to; `keep` are waves that must be there
    afterwards. `most_cohorts` is in how many cohorts a household may be, None for all; `register` says who is not.
    `forgotten` are households, by pseudonym, that are left out.
    """

    codebook: Codebook
    most_households: int
    delivery: Delivery
    cohort: str
    names: Pseudonyms
    held: Held | None = None
    keep: tuple[str, ...] = ()
    most_cohorts: int | None = None
    register: Register = field(default=_nobody_refused)
    forgotten: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Built:
    """The tables, whose rows they are, and what was found on the way. `added` are the waves that were there before."""

    tables: dict[Table, Wide]
    ids: Ids
    findings: list[Finding]
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Households:
    """Households by number: delivered rows, the pseudonym of each, and those that are held already."""

    kept: Mapping[Table, Kept]
    numbers: Numbers
    names: list[bytes]
    stable: list[Stable]
    held: Held | None
    findings: tuple[Finding, ...]


def build(raws: Mapping[Table, Raw], rule: Building) -> Built:
    """The three tables of a snapshot. Pure, but for what `register` writes down, which comes last of all refusals.

    Raises BadImport for too many households, for a file of which no row can be used, for waves that are there already
    or would be lost, and where nobody may be in the import.
    """
    kept = {table: keep_rows(table, raw, rule.codebook) for table, raw in raws.items()}
    for table, one in kept.items():
        if raws[table].rows + raws[table].ragged + raws[table].silent and not len(one.rows):
            raise BadImport("no_rows", file=rule.delivery.files(table), columns=rule.delivery.ids(table))
    findings = [finding for one in kept.values() for finding in one.findings]
    kept, held, found_forgotten = left(
        kept, rule.held, lambda name: rule.names.of("household", rule.cohort, name), rule.forgotten
    )
    findings.append(found_forgotten)
    rule = replace(rule, held=held)
    own = waves_of(rule.held.tables, rule.codebook) if rule.held else ()
    _check_waves(kept, rule, own)
    people = _households(raws, kept, rule)
    tables: dict[Table, Wide] = {}
    units: dict[Table, list[bytes]] = {}
    for table in TABLES:
        placed = _placed(table, people, rule)
        units[table] = list(placed.names)
        wide, found = widen(table, raws.get(table), placed.units, rule.codebook)
        findings += [*placed.units.findings, *found]
        if people.held is not None:
            wide, found = overlaid(table, wide, people.held.tables[table], placed.before, rule.codebook)
            findings += found
        tables[table] = wide
    return Built(_derived(tables, rule.codebook), Ids(units, people.stable), [*findings, *people.findings], own)


def _derived(tables: Mapping[Table, Wide], codebook: Codebook) -> dict[Table, Wide]:
    """With derived variables, and persons with the columns of their household."""
    derivations, found = rules(codebook), dict[Table, Wide]()
    for table in TABLES:
        wide = tables[table] if table == "household" else joined(tables[table], found["household"])
        found[table] = with_derived(wide, derivations, codebook.columns, table)
    return found


def _check_waves(kept: Mapping[Table, Kept], rule: Building, held: tuple[str, ...]) -> None:
    """A wave comes once, and none is lost that should stay."""
    numbers = set(np.concatenate([one.waves for one in kept.values()]).tolist())
    given = {wave for number, wave in enumerate(rule.codebook.waves) if number in numbers}
    if again := [wave for wave in held if wave in given]:
        raise BadImport("wave_held", waves=", ".join(again))
    if lost := [wave for wave in rule.keep if wave not in given]:
        raise BadImport("loses_wave", waves=", ".join(lost))


def _households(raws: Mapping[Table, Raw], kept: Mapping[Table, Kept], rule: Building) -> _Households:
    """Numbers every household, those that are held first, and leaves out those that may not be in the import."""
    delivered = number_households(kept)
    own = [rule.names.of("household", rule.cohort, name) for name in delivered.names.to_pylist()]
    before = list(rule.held.ids.units["household"]) if rule.held else []
    known = {name: place for place, name in enumerate(before)}
    names = [*before, *(name for name in own if name not in known)]
    places = {name: place for place, name in enumerate(names)}
    if len(names) > rule.most_households:
        raise BadImport("too_many", limit=rule.most_households)
    numbers = replace(delivered, places=np.array([places[name] for name in own], np.int64), total=len(names))
    stable = _stable(raws, kept, numbers, rule)
    found = admitted(stable, rule.most_cohorts, rule.register if _told(raws) else _nobody_refused)
    if not found.gone.any():
        return _Households(kept, numbers, names, stable, rule.held, found.findings)
    if found.gone.all():
        raise BadImport("all_left_out", most=rule.most_cohorts or 0)
    return _left(_Households(kept, numbers, names, stable, rule.held, found.findings), found.gone, len(before))


def _told(raws: Mapping[Table, Raw]) -> bool:
    """Whether the delivery has a column of stable ids."""
    return STABLE_ID in raws["household"].columns


def _stable(raws: Mapping[Table, Raw], kept: Mapping[Table, Kept], numbers: Numbers, rule: Building) -> list[Stable]:
    before = list(rule.held.ids.stable) if rule.held else []
    before += [None] * (numbers.total - len(before))
    if not _told(raws):
        if rule.most_cohorts is not None:
            raise BadImport("no_stable", most=rule.most_cohorts, column=STABLE)
        return before
    rows = kept["household"]
    column = raws["household"].columns[STABLE_ID]
    return stable_ids(column, rows, numbers.of(rows.households), lambda text: rule.names.of("stable", text), before)


def _left(people: _Households, gone: NDArray[np.bool_], held: int) -> _Households:
    """Without the households marked as gone: their rows, their persons, and what was held of them."""
    kept = {table: without(one, gone[people.numbers.of(one.households)]) for table, one in people.kept.items()}
    stay = np.flatnonzero(~gone).tolist()
    places = np.where(gone, -1, np.cumsum(~gone) - 1)
    numbers = replace(people.numbers, places=places[people.numbers.places], total=len(stay))
    return _Households(
        kept,
        numbers,
        [people.names[place] for place in stay],
        [people.stable[place] for place in stay],
        None if people.held is None else people.held.without(gone[:held]),
        people.findings,
    )


def _placed(table: Table, people: _Households, rule: Building) -> Placed:
    """A table's units, with those that are held."""
    held, numbers = people.held, people.numbers
    if table == "household":
        units = households(people.kept["household"], numbers)
        before = _NO_ROWS if held is None else np.arange(len(held.ids.units["household"]), dtype=np.int64)
        return Placed(units, tuple(people.names), before)

    def named(home: int, person: str) -> bytes:
        return rule.names.of("person", table, people.names[home], person)

    before_them = NOBODY if held is None else held.before(table)
    return persons(table, people.kept.get(table), numbers, rule.codebook.cap(table), named, before_them)
