"""From a seed to every region's tables: households with their violence, help and outcome, then persons, then gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compose.demo.generator.calibration import Calibration
from compose.demo.generator.draws import Rng, yes
from compose.demo.generator.households import Households, draw_households
from compose.demo.generator.persons import draw_adults, draw_children, members
from compose.demo.generator.tables import ANSWERED, CODED, EMPTY, WAVES, Answers, Bools, Table, Tables, Texts, Wide

Rows = NDArray[np.int64]
ALWAYS_KNOWN = frozenset({"adult_sex", "child_sex", "child_age", "adult_role", "relation"})
"""What the report itself says; these have no gaps."""


def generate(seed: int, regions: Mapping[str, int], calibration: Calibration) -> dict[str, Tables]:
    """Synthetic tables for each region. `regions` maps a code to its number of households at T1 (at least 1).

    Every household has a row at T0; exactly `regions[code]` of them have one at T1, with all their persons. The same
    seed, regions and calibration give the same tables, in whichever order the regions are given.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    sizes = {code: regions[code] for code in sorted(regions)}
    homes, of_homes = draw_households(rng, sizes, calibration)
    of_adults = draw_adults(rng, homes, calibration)
    of_children = draw_children(rng, homes, calibration)
    wides = tuple(_with_gaps(rng, wide, calibration) for wide in (of_homes, of_adults, of_children))
    names = _household_names(tuple(sizes), homes)
    return {code: _region(place, homes, names, wides) for place, code in enumerate(sizes)}


def _with_gaps(rng: Rng, wide: Wide, known: Calibration) -> Wide:
    """The answers with some missing: a share of its own per question and wave, partly as code, partly left empty."""
    shares = dict(zip(WAVES, known.rows("item_missing"), strict=True))
    coded = known.number("missing_as_code")
    found: Wide = {}
    for (name, wave), answers in wide.items():
        if name in ALWAYS_KNOWN:
            found[name, wave] = answers
            continue
        low, high = shares[wave or "T0"]
        rows = len(answers.values)
        missing = yes(rng, rng.uniform(low, high), rows)
        as_code = yes(rng, coded if answers.missing_code else 0.0, rows)
        gaps = np.where((answers.gaps == ANSWERED) & missing, np.where(as_code, CODED, EMPTY), answers.gaps)
        found[name, wave] = replace(answers, gaps=gaps.astype(np.int8))
    return found


def _household_names(codes: tuple[str, ...], homes: Households) -> Texts:
    """A household's name: its region's code and a number, so that no two regions share one."""
    number = np.arange(len(homes.region)) - np.searchsorted(homes.region, homes.region) + 1
    pairs = zip(homes.region.tolist(), number.tolist(), strict=True)
    return np.array([f"{codes[region]}{count:06d}" for region, count in pairs], np.object_)


def _region(place: int, homes: Households, names: Texts, wides: tuple[Wide, ...]) -> Tables:
    mine = homes.region == place
    household = _long(np.flatnonzero(mine), homes.retained, {"hh_id": names}, wides[0])
    persons = []
    for letter, counts, wide in (("a", homes.adults, wides[1]), ("c", homes.children, wides[2])):
        home, order = members(counts)
        own = names[home]
        pairs = zip(own.tolist(), order.tolist(), strict=True)
        named = [f"{name}-{letter}{number + 1}" for name, number in pairs]
        ids = {"hh_id": own, "person_id": np.array(named, np.object_)}
        persons.append(_long(np.flatnonzero(mine[home]), homes.retained[home], ids, wide))
    return Tables(household, *persons)


def _long(units: Rows, retained: Bools, ids: Mapping[str, Texts], wide: Wide) -> Table:
    """Long rows of these units: one at T0, one at T1 where retained; unit by unit."""
    later = units[retained[units]]
    rows = np.concatenate([units, later])
    second = np.concatenate([np.zeros(len(units), np.bool_), np.ones(len(later), np.bool_)])
    order = np.lexsort((second, rows))
    rows, second = rows[order], second[order]
    columns = {name: texts[rows] for name, texts in ids.items()}
    columns["wave"] = np.where(second, WAVES[1], WAVES[0]).astype(np.object_)
    variables: dict[str, Answers] = {}
    for name in dict.fromkeys(name for name, _ in wide):
        if (name, "") in wide:
            variables[name] = wide[name, ""].at(rows)
        else:
            variables[name] = _waved(wide, name, rows, second)
    return Table(columns, variables)


def _waved(wide: Wide, name: str, rows: Rows, second: Bools) -> Answers:
    """One variable over both waves; empty at a wave where it is not asked."""
    first, last = wide.get((name, "T0")), wide.get((name, "T1"))
    known = first or last
    assert known is not None  # `name` comes from the keys of `wide`
    empty = np.int8(EMPTY)
    values = np.where(second, (last or known).values[rows], (first or known).values[rows])
    gaps = np.where(second, last.gaps[rows] if last else empty, first.gaps[rows] if first else empty)
    return Answers(values.astype(np.int32), gaps.astype(np.int8), known.codes, known.decimals, known.missing_code)
