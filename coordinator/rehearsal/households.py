"""Made-up rows: every value drawn on its own, evenly over what the codebook allows. They look like no family.

A number is drawn evenly over the stretches that the codebook's own rules tell apart (0, 1 to 21, 22 and up), then
evenly within one, so that every derived category occurs. How many units there are is the calendar's public expected
count. Nothing else goes in: no data, no published figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from coordinator.rehearsal.units import Region, Unit, Values, holds
from policies.study.calendar import Expected
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.columns import Column, Ref
from policies.study.derive import MISSING_CASE, Rule, rules
from policies.study.expressions.nodes import All, Among, Expr, Some

MISSING_SHARE = 0.05
"""How many values are left out, so that a script meets what missing answers do to a table."""


def made_up(codebook: Codebook, expected: Sequence[Expected], seed: int) -> list[Region]:
    """The units of each region, all seen at every wave. The same seed and documents give the same rows.

    Where the calendar expects more persons than the codebook's caps allow its households, the rest is left out.
    """
    return [_region(codebook, counts, np.random.default_rng([seed, place])) for place, counts in enumerate(expected)]


def _region(codebook: Codebook, counts: Expected, draws: np.random.Generator) -> Region:
    derived = rules(codebook)
    homes = [
        _with_derived(values, _of(derived, codebook, "household"))
        for values in _rows(codebook, "household", counts.household, draws)
    ]
    waves = frozenset(codebook.waves)
    units: dict[Table, list[Unit]] = {"household": [Unit(place, waves, values) for place, values in enumerate(homes)]}
    for table in TABLES[1:]:
        places = _homes(counts.household, codebook.cap(table), counts.of(table), draws)
        own = _rows(codebook, table, len(places), draws)
        mine = _of(derived, codebook, table)
        units[table] = [
            Unit(place, waves, _with_derived({**homes[place], **values}, mine))
            for place, values in zip(places, own, strict=True)
        ]
    return units


def _homes(households: int, cap: int, persons: int, draws: np.random.Generator) -> list[int]:
    """Each person's household: a place of its own among the `cap` places of every household."""
    places: list[int] = draws.permutation(households * cap)[:persons].tolist()
    return [place // cap for place in places]


def _rows(codebook: Codebook, table: Table, count: int, draws: np.random.Generator) -> Iterator[dict[Ref, int | None]]:
    columns = [codebook.columns[name] for name in codebook.variables]
    cuts = _cuts(codebook)
    drawn = {
        Ref(column.name, wave): _drawn(column, cuts.get(column.name, ()), count, draws)
        for column in columns
        if column.table == table
        for wave in column.waves or ("",)
    }
    for row in range(count):
        yield {ref: values[row] for ref, values in drawn.items()}


def _cuts(codebook: Codebook) -> dict[str, set[int]]:
    """For each variable the indices at which a derived variable's conditions begin or end a range."""
    cuts: dict[str, set[int]] = {}
    for rule in rules(codebook):
        for condition, _ in rule.cases:
            for atom in _atoms(condition):
                cuts.setdefault(atom.ref.name, set()).update(edge for a, b in atom.ranges for edge in (a, b + 1))
    return cuts


def _atoms(expr: Expr) -> Iterator[Among]:
    match expr:
        case Among():
            yield expr
        case All(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from _atoms(part)


def _drawn(column: Column, cuts: Iterable[int], count: int, draws: np.random.Generator) -> list[int | None]:
    inside = () if column.categorical else (cut for cut in cuts if 0 < cut < column.size)
    starts = np.array(sorted({0, *inside}))
    ends = np.append(starts[1:], column.size)
    stretch = draws.integers(0, len(starts), count)
    values: list[int] = draws.integers(starts[stretch], ends[stretch]).tolist()
    gaps: list[bool] = (draws.random(count) < MISSING_SHARE).tolist()
    return [None if gap else value for value, gap in zip(values, gaps, strict=True)]


def _of(derived: Sequence[Rule], codebook: Codebook, table: Table) -> list[Rule]:
    return [rule for rule in derived if codebook.columns[rule.ref.name].table == table]


def _with_derived(values: Values, derived: Sequence[Rule]) -> Values:
    found = dict(values)
    for rule in derived:
        found[rule.ref] = _first_case(rule, found)
    return found


def _first_case(rule: Rule, values: Values) -> int | None:
    if any(values[ref] is None for ref in rule.required):
        return None
    index = next((index for condition, index in rule.cases if holds(condition, values)), rule.otherwise)
    return None if index == MISSING_CASE else index
