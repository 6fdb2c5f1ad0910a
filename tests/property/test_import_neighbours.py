"""What a household becomes depends on its own rows alone: not on their order, and not on other households."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from node.importing.build import Building, build
from node.importing.cells import TextColumn
from node.importing.files import Delivery, plain_parts
from node.importing.problems import BadImport
from node.importing.read import Raw
from node.importing.tables import Wide
from node.importing.values import MISSING, clean
from node.importing.write import parquet
from node.pseudonyms import Pseudonyms
from policies.study.codebook import TABLES, Table
from tests.importing import CODEBOOK

Rows = dict[Table, list[tuple[str, ...]]]
COLUMNS: Mapping[Table, tuple[str, ...]] = {
    "household": ("hh_id", "wave", "incidents", "severe", "profile", "help", "change"),
    "adult": ("hh_id", "person_id", "wave", "grade", "sex"),
    "child": ("hh_id", "person_id", "wave", "age"),
}
NUMBERS = ("0", "3", "21,5", "825", "826", "-1", "1e308", "-1e308", "999", "99", "NaN", "inf", "-inf", "", " 7 ", "x")
CELLS: Mapping[str, tuple[str, ...]] = {
    "person_id": ("1", "01", "2", "10", "p2", "p10", "1.0", "3", ""),
    "wave": ("T0", "T1", "T0", "T1", "t1", "T2", ""),
    "severe": ("no", "yes", "", "7"),
    "profile": ("1", "1.0", "2", "9", "x", ""),
    "help": ("none", "some", ""),
    "sex": ("woman", "man", "1", ""),
}
OTHERS = ("b", "b2", "b10", "c.0", "c")
DELIVERY = Delivery(tuple((part, Path(f"{part.table}.csv")) for part in plain_parts(CODEBOOK.units)), ())
BUILDING = Building(CODEBOOK, 1000, DELIVERY, "c3", Pseudonyms(bytes(32)))


def _rows(homes: tuple[str, ...], most: int) -> st.SearchStrategy[Rows]:
    def table(name: Table) -> st.SearchStrategy[list[tuple[str, ...]]]:
        cells = [st.sampled_from(homes if c == "hh_id" else CELLS.get(c, NUMBERS)) for c in COLUMNS[name]]
        return st.lists(st.tuples(*cells), max_size=most)

    return st.fixed_dictionaries({name: table(name) for name in TABLES})


def _raw(name: Table, rows: list[tuple[str, ...]]) -> Raw:
    columns = {}
    for place, column in enumerate(COLUMNS[name]):
        texts = [row[place].strip() for row in rows]
        distinct = tuple(dict.fromkeys(texts))
        columns[column] = TextColumn(np.array([distinct.index(text) for text in texts], np.int32), distinct)
    return Raw(columns, len(rows))


def _built(rows: Rows) -> dict[Table, Wide] | None:
    """The tables, or None where no row of a file can be used."""
    try:
        return build({name: _raw(name, rows[name]) for name in TABLES}, BUILDING).tables
    except BadImport:
        return None


def _units(wide: Wide) -> list[tuple[int, tuple[int, ...]]]:
    """Household number and everything else, one a unit."""
    columns = [*wide.present.values(), *wide.values.values()]
    return [(home, tuple(int(column[i]) for column in columns)) for i, home in enumerate(wide.household.tolist())]


@given(rows=_rows(("a", *OTHERS), 12), data=st.data())
def test_import_does_not_see_the_order_of_rows(rows: Rows, data: st.DataObject) -> None:
    turned: Rows = {name: data.draw(st.permutations(found)) for name, found in rows.items()}
    first, second = _built(rows), _built(turned)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert [parquet(first[name]) for name in TABLES] == [parquet(second[name]) for name in TABLES]


@given(others=_rows(OTHERS, 10), own=_rows(("a",), 6), place=st.integers(0, 10))
def test_import_of_a_household_changes_no_other(others: Rows, own: Rows, place: int) -> None:
    """Household "a" comes first, so with it the others' numbers are one higher and nothing else."""
    together: Rows = {name: others[name][:place] + own[name] + others[name][place:] for name in TABLES}
    without, alone, both = _built(others), _built(own), _built(together)
    assume(without is not None and alone is not None and both is not None)
    assert without is not None
    assert alone is not None
    assert both is not None
    joins = 1 if len(alone["household"].household) else 0
    for name in TABLES:
        rest = [(home - joins, values) for home, values in _units(both[name]) if home >= joins]
        mine = [unit for unit in _units(both[name]) if unit[0] < joins]
        assert rest == _units(without[name])
        assert mine == _units(alone[name])
        assert len(mine) <= CODEBOOK.cap(name)


@given(rows=_rows(("a", *OTHERS), 12))
def test_import_stores_only_indices_of_the_codebook(rows: Rows) -> None:
    built = _built(rows)
    for wide in (built or {}).values():
        for stored, index in wide.values.items():
            assert ((index >= MISSING) & (index < wide.sizes[stored])).all()
        homes = wide.household.tolist()
        assert homes == sorted(homes)


@given(
    number=st.decimals(allow_nan=False, allow_infinity=False, places=None)
    | st.decimals(min_value=-7, max_value=12, places=3)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda x: Decimal(repr(x))),
    name=st.sampled_from(("incidents", "change", "grade", "age")),
    comma=st.booleans(),
)
def test_import_snaps_numbers_as_fractions_say(number: Decimal, name: str, comma: bool) -> None:
    shape, variable = CODEBOOK.columns[name], CODEBOOK.variables[name]
    exact = Fraction(number)
    top = shape.lower + shape.grid * (shape.size - 1)
    steps = floor((min(max(exact, shape.lower), top) - shape.lower) / shape.grid + Fraction(1, 2))
    wanted = MISSING if any(exact == Fraction(code) for code in variable.missing) else steps
    text = str(number).replace(".", "," if comma else ".")
    assert int(clean(TextColumn(np.zeros(1, np.int32), (text,)), variable, shape).index[0]) == wanted
