"""The synthetic data: labelled, inside its public bounds, the same for the same seed, and shaped like real files."""

import csv
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pyreadstat
import pytest

from compose.demo.generator.calibration import Calibration, load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.tables import ANSWERED, CODED, EMPTY, Answers, Table, Tables
from compose.demo.generator.truth import frame, truth, wide
from compose.demo.generator.write import LABEL, LABEL_FILE, LABEL_TEXT, Format, folder_name, write_all, write_region
from node.importing.run import ImportRequest, import_files
from policies.documents import load_yaml
from policies.statistics.programme import Draft
from policies.study.calendar import Calendar
from policies.study.codebook import TABLES, Codebook

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
KNOWN: Calibration = load_calibration()
REGIONS = load_yaml(Calendar, SHIPPED / "rotation.yaml").members("c3")
SIZES = KNOWN.sizes(REGIONS)
BOOK = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")


@pytest.fixture(scope="module")
def data() -> dict[str, Tables]:
    return generate(1, SIZES, KNOWN)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    backwards = dict(reversed(SIZES.items()))
    for name, seed, sizes in (("first", 7, SIZES), ("again", 7, backwards), ("other", 8, SIZES)):
        write_all(tmp_path / name, generate(seed, sizes, KNOWN))
    first, again, other = (files(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert set(first) == set(other)
    assert all(first[name] != other[name] for name in first if not name.endswith((LABEL_FILE, "mapping.yaml")))


def test_every_folder_and_parquet_file_is_labelled_synthetic(data: dict[str, Tables], tmp_path: Path) -> None:
    folders = write_all(tmp_path, data)
    assert set(folders) == set(REGIONS)
    forms = set()
    for region, folder in folders.items():
        assert folder.name == folder_name(region) == f"synthetic-{region}"
        assert (folder / LABEL_FILE).read_text(encoding="utf-8") == LABEL_TEXT
        assert LABEL_TEXT.startswith(f"SYNTHETIC DATA - {LABEL}.")
        for path in folder.glob("*.parquet"):
            assert pq.read_schema(path).metadata[b"rondgang.label"].decode() == LABEL
        for path in folder.glob("*.sav"):
            assert pyreadstat.read_sav(path, metadataonly=True)[1].file_label == LABEL
        forms.add(frozenset(path.name for path in folder.iterdir()) - {LABEL_FILE})
    names = ("household", "adult", "child")
    wide = frozenset(("gezinnen.sav", "mapping.yaml"))
    assert forms == {wide, *(frozenset(f"{name}.{form}" for name in names) for form in ("csv", "parquet"))}


def test_a_region_has_exactly_its_households_at_t1_and_more_at_t0(data: dict[str, Tables]) -> None:
    for region, tables in data.items():
        waves = tables.household.ids["wave"]
        assert int((waves == "T1").sum()) == SIZES[region]
        assert SIZES[region] < int((waves == "T0").sum()) < 3 * SIZES[region]
    everyone = sum(int((tables.household.ids["wave"] == "T0").sum()) for tables in data.values())
    assert 0.5 < sum(SIZES.values()) / everyone < 0.75


def test_no_household_or_person_is_in_two_regions(data: dict[str, Tables]) -> None:
    for name in ("household", "adult", "child"):
        column = "hh_id" if name == "household" else "person_id"
        own = [set(getattr(tables, name).ids[column]) for tables in data.values()]
        assert all(one.isdisjoint(other) for one, other in combinations(own, 2))
    for tables in data.values():
        homes = set(tables.household.ids["hh_id"])
        assert set(tables.adult.ids["hh_id"]) == homes
        assert set(tables.child.ids["hh_id"]) <= homes


def test_rows_are_one_a_unit_and_wave_and_persons_follow_their_household(data: dict[str, Tables]) -> None:
    for tables in data.values():
        later = set(tables.household.ids["hh_id"][tables.household.ids["wave"] == "T1"])
        for name, table in tables.by_name():
            unit = "hh_id" if name == "household" else "person_id"
            keys = list(zip(table.ids[unit], table.ids["wave"], strict=True))
            assert len(set(keys)) == len(keys)
            at_t1 = table.ids["wave"] == "T1"
            assert {home for home in table.ids["hh_id"] if home in later} == set(table.ids["hh_id"][at_t1])


def test_households_stay_below_the_caps(data: dict[str, Tables]) -> None:
    for tables in data.values():
        for table, cap in ((tables.adult, BOOK.caps.adults), (tables.child, BOOK.caps.children)):
            at_report = table.ids["hh_id"][table.ids["wave"] == "T0"]
            assert max(np.unique(at_report.astype(str), return_counts=True)[1]) <= cap


def test_columns_are_the_codebooks_and_waves_are_kept(data: dict[str, Tables]) -> None:
    for tables in data.values():
        for name, table in tables.by_name():
            own = {key for key, variable in BOOK.variables.items() if variable.table == name}
            assert set(table.variables) == own
            for key, answers in table.variables.items():
                check_waves(table, answers, BOOK.variables[key].waves)


def check_waves(table: Table, answers: Answers, waves: tuple[str, ...]) -> None:
    for wave in ("T0", "T1"):
        here = answers.gaps[table.ids["wave"] == wave]
        if waves and wave not in waves:
            assert (here == EMPTY).all()
        else:
            assert (here == ANSWERED).any()


def test_every_value_is_inside_its_public_bounds(data: dict[str, Tables]) -> None:
    for tables in data.values():
        for _, table in tables.by_name():
            for key, answers in table.variables.items():
                check_bounds(key, answers)


def check_bounds(key: str, answers: Answers) -> None:
    variable = BOOK.variables[key]
    given = answers.values[answers.gaps == ANSWERED]
    if variable.bounds is None:
        assert answers.codes == tuple(category.code for category in variable.categories)
        assert given.min() >= 0
        assert given.max() < len(answers.codes)
    else:
        low, high = variable.bounds
        scale = 10**answers.decimals
        assert low * scale <= int(given.min())
        assert int(given.max()) <= high * scale
        assert Decimal(1) / scale == variable.grid
    assert not (answers.gaps == CODED).any() or answers.missing_code in variable.missing


def test_what_persons_say_agrees_with_their_household(data: dict[str, Tables]) -> None:
    for tables in data.values():
        homes = wide(frame(tables.household), "hh_id")
        for wave in ("T0", "T1"):
            assert not (homes[f"partner_incidents__{wave}"] > homes[f"incidents__{wave}"]).any()
        children = frame(tables.child)
        for wave in ("T0", "T1"):
            mine = children[children["wave"] == wave]
            family = mine["hh_id"].map(homes[f"incidents__{wave}"])
            assert not (mine["child_incidents"] > family).any()
        young = children["child_age"] < KNOWN.number("self_report_age")
        assert children.loc[young, "child_felt_safe"].isna().all()


def test_csv_and_parquet_hold_the_same_answers(data: dict[str, Tables], tmp_path: Path) -> None:
    tables = data["FR"]
    write_region(tmp_path / "csv", tables, "csv")
    write_region(tmp_path / "parquet", tables, "parquet")
    for name, _ in tables.by_name():
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, delimiter=";")
        stored = pq.read_table(tmp_path / "parquet" / f"{name}.parquet").to_pydict()
        assert header == list(stored)
        for place, column in enumerate(header):
            assert [row[place] for row in rows] == [spelled(column, value) for value in stored[column]]


def test_a_wide_spss_file_imports_as_the_csv_files_do(data: dict[str, Tables], tmp_path: Path) -> None:
    found = []
    (tmp_path / "snapshots").mkdir()
    forms: tuple[Format, ...] = ("csv", "spss")
    for form in forms:
        write_region(tmp_path / form, data["FR"], form)
        taken = import_files(ImportRequest(tmp_path, (tmp_path / form,), "c3", BOOK, "0" * 64, 1000))
        found.append([taken.snapshot.table_path(unit).read_bytes() for unit in TABLES])
    assert found[0] == found[1]
    assert taken.report.mapping == "mapping.yaml"
    assert {one.rule for one in taken.report.findings} == {"missing"}


def spelled(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        code = f"{value:.0f}"
        return code if code in BOOK.variables[column].missing else f"{value:.1f}".replace(".", ",")
    return str(value)


def test_the_truth_has_every_statistic_of_the_shipped_programme(data: dict[str, Tables]) -> None:
    figures = truth(data.values())
    draft = load_yaml(Draft, SHIPPED / "cohort3.programme.yaml")
    assert {statistic for statistic, _ in figures} == {statistic.id for statistic in draft.statistics}
    rows = [sum(figures["state_change", (first, last)].value for last in STATES) for first in STATES]
    assert rows == pytest.approx([1, 1, 1])


STATES = ("none", "some", "frequent_or_severe")


def test_sizes_scale_for_load_tests_and_unknown_regions_are_refused() -> None:
    assert KNOWN.sizes(("FR", "AA"), 10) == {"FR": 670, "AA": 880}
    assert KNOWN.sizes(("FR",), 0.001) == {"FR": 1}
    with pytest.raises(KeyError):
        KNOWN.sizes(("XX",))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_tiny_regions_can_be_generated(size: int, tmp_path: Path) -> None:
    data = generate(size, {"FR": size, "DR": 1}, KNOWN)
    write_all(tmp_path, data)
    assert int((data["FR"].household.ids["wave"] == "T1").sum()) == size
