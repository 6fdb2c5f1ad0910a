"""A wave that is added later: the same snapshot as if all had come at once, household by household."""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.importing.build import Building, Built, build
from node.importing.cells import TextColumn
from node.importing.files import Delivery, plain_parts
from node.importing.kept import Held, held_waves, ids_parquet, read_held
from node.importing.lengthen import STABLE_ID
from node.importing.problems import BadImport
from node.importing.read import Raw
from node.importing.values import name_of
from node.importing.write import parquet
from node.pseudonyms import Pseudonyms
from policies.study.codebook import TABLES, Table
from tests.importing import CODEBOOK

Row = tuple[str, ...]
Rows = dict[Table, list[Row]]
COLUMNS: Mapping[Table, Sequence[str]] = {
    "household": ("hh_id", "wave", "incidents", "severe", "profile", "help", "change", STABLE_ID),
    "adult": ("hh_id", "person_id", "wave", "grade", "sex"),
    "child": ("hh_id", "person_id", "wave", "age"),
}
CELLS: Mapping[str, Sequence[str]] = {
    "hh_id": ("a", "b", "b2", "b10", "c"),
    "person_id": ("1", "01", "2", "10", "p2", "3", ""),
    "severe": ("no", "yes", "", "7"),
    "profile": ("1", "2", "9", ""),
    "help": ("none", "some", ""),
    "sex": ("woman", "man", ""),
    STABLE_ID: ("s1", "s2", ""),
}
NUMBERS = ("0", "3", "5", "21,5", "826", "99", "")
NAMES = Pseudonyms(bytes(range(32)))
DELIVERY = Delivery(tuple((part, Path(f"{part.table}.csv")) for part in plain_parts(CODEBOOK.units)), ())
WAVES = ("T0", "T1")


def rows(*waves: str) -> st.SearchStrategy[Rows]:
    def table(name: Table) -> st.SearchStrategy[list[Row]]:
        cells = [waves if c == "wave" else CELLS.get(c, NUMBERS) for c in COLUMNS[name]]
        return st.lists(st.tuples(*map(st.sampled_from, cells)), max_size=8)

    return st.fixed_dictionaries({name: table(name) for name in TABLES})


def raw(name: Table, given_rows: Sequence[Row]) -> Raw:
    columns = {}
    for place, column in enumerate(COLUMNS[name]):
        texts = [row[place] for row in given_rows]
        distinct = tuple(dict.fromkeys(texts))
        columns[column] = TextColumn(np.array([distinct.index(text) for text in texts], np.int32), distinct)
    return Raw(columns, len(given_rows))


def built(
    delivered: Rows, held: Held | None = None, out: frozenset[str] = frozenset(), most: int | None = None
) -> Built:
    """`out`: households by stable id that the registry refuses."""
    refused = frozenset(NAMES.of("stable", one) for one in out)
    tables = {name: raw(name, delivered[name]) for name in TABLES if delivered[name] or name == "household"}
    building = Building(CODEBOOK, 1000, DELIVERY, "c3", NAMES, held, most_cohorts=most, register=lambda _given: refused)
    return build(tables, building)


def written(found: Built) -> Held:
    """What a later import reads of it, through its files."""
    with tempfile.TemporaryDirectory(prefix="rondgang-waves-") as folder:
        for name, wide in found.tables.items():
            (Path(folder) / f"{name}.parquet").write_bytes(parquet(wide))
        (Path(folder) / "ids.parquet").write_bytes(ids_parquet(found.ids, found.tables, NAMES.check))
        held = read_held(Path(folder), CODEBOOK, NAMES.check)
        assert not isinstance(held, str)
        assert read_held(Path(folder), CODEBOOK, "f" * 32) == "other_key"
        waves = [wave for wave in WAVES if any(wide.present[wave].any() for wide in found.tables.values())]
        assert held_waves(Path(folder)) == tuple(waves)
    return held


def units(found: Built, table: Table) -> dict[bytes, tuple[bytes, dict[str, int]]]:
    """Whose household it is, and all that is stored, by pseudonym."""
    wide, homes = found.tables[table], found.ids.units["household"]
    names = [*(f"present__{wave}" for wave in wide.present), *wide.values]
    columns = [*wide.present.values(), *wide.values.values()]
    assert len(set(found.ids.units[table])) == len(found.ids.units[table]) == len(wide.household)
    return {
        name: (homes[home], dict(zip(names, (int(column[place]) for column in columns), strict=True)))
        for place, (name, home) in enumerate(zip(found.ids.units[table], wide.household.tolist(), strict=True))
    }


def crowded(table: Table, *deliveries: Rows) -> set[bytes]:
    """Households with more persons than count."""
    people = {(row[0], name_of(row[1])) for one in deliveries for row in one[table] if row[1]}
    counted = Counter(home for home, _person in people)
    return {household(home) for home, count in counted.items() if count > CODEBOOK.cap(table)}


def household(home: str) -> bytes:
    return NAMES.of("household", "c3", home)


def usable(*deliveries: Rows) -> None:
    """Files of which some row can be used."""
    for delivered in deliveries:
        assume(delivered["household"])
        assume(all(not delivered[name] or any(row[1] for row in delivered[name]) for name in ("adult", "child")))


@given(rows("T0"), rows("T1"))
@settings(max_examples=60, deadline=None)
def test_a_wave_that_is_added_makes_the_snapshot_of_both_at_once(first: Rows, second: Rows) -> None:
    usable(first, second)
    added = built(second, written(built(first)))
    whole = built({name: first[name] + second[name] for name in TABLES})
    for table in TABLES:
        over = crowded(table, first, second) if table != "household" else set()
        one, other = (
            {name: row for name, row in units(found, table).items() if row[0] not in over} for found in (added, whole)
        )
        assert one == other
        assert max(Counter(found[0] for found in units(added, table).values()).values(), default=0) <= (
            1 if table == "household" else CODEBOOK.cap(table)
        )
    both = dict(zip(whole.ids.units["household"], whole.ids.stable, strict=True))
    for name, stable in zip(added.ids.units["household"], added.ids.stable, strict=True):
        assert stable == both[name] or both[name] is None, "one that contradicted itself may be said again"


@given(rows("T0"), rows("T1"))
@settings(max_examples=30, deadline=None)
def test_what_is_there_stays_as_it_was(first: Rows, second: Rows) -> None:
    """Every person that counted counts, and no value of the wave that is there changes."""
    usable(first, second)
    before = built(first)
    after = built(second, written(before))
    for table in TABLES:
        had, has = units(before, table), units(after, table)
        assert had.keys() <= has.keys()
        for name, (home, row) in had.items():
            asked = {stored for stored in row if stored.endswith("__T0") and stored[:-4] in CODEBOOK.variables}
            assert asked or table == "child"
            assert has[name][0] == home
            assert {stored: has[name][1][stored] for stored in asked} == {stored: row[stored] for stored in asked}


@given(rows("T0"), rows("T1"), st.sampled_from(CELLS["hh_id"]))
@settings(max_examples=40, deadline=None)
def test_a_household_more_in_either_wave_changes_no_other(first: Rows, second: Rows, home: str) -> None:
    """Neighbours: the same deliveries with and without all rows of one household."""
    without = [{name: [row for row in one[name] if row[0] != home] for name in TABLES} for one in (first, second)]
    usable(first, second, *without)
    everybody = built(second, written(built(first)))
    others = built(without[1], written(built(without[0])))
    for table in TABLES:
        rest = {name: row for name, row in units(everybody, table).items() if row[0] != household(home)}
        assert rest == units(others, table)


@given(rows(*WAVES), st.sets(st.sampled_from(["s1", "s2"])))
@settings(max_examples=60, deadline=None)
def test_households_that_may_not_be_in_it_leave_no_trace_and_the_others_stay(delivered: Rows, out: set[str]) -> None:
    usable(delivered)
    told: dict[str, set[str]] = {}
    for row in delivered["household"]:
        told.setdefault(row[0], set()).update({row[-1]} - {""})
    stays = {home for home, ids in told.items() if len(ids) == 1 and not ids & out}
    everybody = built(delivered)
    if not stays:
        try:
            built(delivered, None, frozenset(out), 2)
        except BadImport as error:
            assert error.reason == "all_left_out"
            return
        raise AssertionError("somebody was let in")
    found = built(delivered, None, frozenset(out), 2)
    for table in TABLES:
        left = {name: row for name, row in units(everybody, table).items() if row[0] in set(map(household, stays))}
        assert units(found, table) == left
