"""The same households give the same snapshot, however a region delivers them, and in any order."""

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.snapshots import Snapshot
from policies.study.codebook import TABLES, Table
from tests.deliveries import COLUMNS, Rows, long_csv, long_excel, long_parquet, long_sav, wide_sav
from tests.importing import take

CELLS = {
    "incidents": ("0", "3", "21", "825", "826", "999", ""),
    "severe": ("no", "yes", ""),
    "profile": ("1", "2", "9", ""),
    "help": ("none", "some", ""),
    "change": ("-0,5", "4", "7,5", "0,25", ""),
    "grade": ("0", "6,7", "10", "99", ""),
    "sex": ("woman", "man", ""),
    "age": ("3", "11", "30", ""),
}
WAVED = ("incidents", "severe", "grade")


@st.composite
def deliveries(draw: st.DrawFn) -> Rows:
    """Households of up to four adults and children, each at one or both waves, with rows that agree."""
    rows: dict[Table, list[tuple[str, ...]]] = {table: [] for table in TABLES}
    for home in draw(st.lists(st.sampled_from(("h1", "h2", "h10", "b")), min_size=1, unique=True)):
        for table in TABLES:
            cap = st.just(1) if table == "household" else st.integers(0, 4)
            names = draw(st.permutations(("p1", "p2", "p10", "q")))[: draw(cap)]
            for person in names:
                fixed = {name: draw(st.sampled_from(CELLS[name])) for name in COLUMNS[table] if name in CELLS}
                for wave in draw(st.sampled_from((("T0",), ("T1",), ("T0", "T1"), ("T1", "T0")))):
                    own = {name: draw(st.sampled_from(CELLS[name])) for name in fixed if name in WAVED}
                    cells = {"hh_id": home, "person_id": person, "wave": wave, **fixed, **own}
                    rows[table].append(tuple(cells[name] for name in COLUMNS[table]))
    return {table: draw(st.permutations(found)) for table, found in rows.items()}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rows=deliveries(), backwards=st.booleans())
def test_import_gives_the_same_snapshot_whatever_the_files(rows: Rows, backwards: bool) -> None:
    with TemporaryDirectory() as name:
        place = Path(name)
        folders = [
            long_csv(place / "csv", rows),
            long_csv(place / "utf-16", rows, "utf-16"),
            long_csv(place / "turned", {table: found[::-1] for table, found in rows.items()}),
            long_parquet(place / "parquet", rows),
            long_excel(place / "excel", rows),
            long_sav(place / "sav", rows),
            wide_sav(place / "wide", rows, (lambda names: names[::-1]) if backwards else list),
        ]
        taken = [take(place, one, encoding="utf-16" if one.name == "utf-16" else None) for one in folders]
        tables = [[taking.snapshot.table_path(unit).read_bytes() for unit in TABLES] for taking in taken]
        for folder, found in zip(folders, tables, strict=True):
            assert found == tables[0], folder.name


def stored(snapshot: Snapshot, unit: Table, where: str) -> list[tuple[object, ...]]:
    """These rows of a snapshot's table, in file order."""
    path = snapshot.table_path(unit)
    return duckdb.connect().execute(f"SELECT * FROM read_parquet('{path}') WHERE {where}").fetchall()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rows=deliveries())
def test_import_of_a_household_in_a_wide_file_changes_no_other(rows: Rows) -> None:
    """The last household by name is taken out, so the others keep their numbers."""
    last = max(row[0] for found in rows.values() for row in found)
    others = {table: [row for row in found if row[0] != last] for table, found in rows.items()}
    if not others["household"]:
        return
    with TemporaryDirectory() as name:
        place = Path(name)
        for write in (wide_sav, long_excel):
            both, without = (
                take(place, write(place / f"{write.__name__}-{name}", found)).snapshot
                for name, found in (("both", rows), ("without", others))
            )
            homes = len({row[0] for found in others.values() for row in found})
            for unit in TABLES:
                left = stored(without, unit, "1")
                assert stored(both, unit, f"hh < {homes}") == left, (write.__name__, unit)
