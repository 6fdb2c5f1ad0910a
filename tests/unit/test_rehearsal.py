"""A rehearsal: rows from the codebook alone, summed the obvious way as an engine sums them, labelled everywhere."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rondgang.canonical import digest
from typer.testing import CliRunner, Result

from coordinator.cli import app
from coordinator.estimates.rows import SYNTHETIC
from coordinator.estimates.tables import COLUMNS
from coordinator.rehearsal.households import made_up
from coordinator.rehearsal.noise import NoSampler, sampler, with_parts
from coordinator.rehearsal.rehearse import rehearse
from coordinator.rehearsal.sums import exact_sums
from coordinator.rehearsal.units import Region, Unit
from node.snapshots import Snapshot
from node.vectors.sums import Engine
from policies.documents import load_yaml, parse_yaml, to_canonical
from policies.secure.rounds import group_of
from policies.starters import starters
from policies.statistics.blocks import Ones
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import Draft, PlannedBlock, Secure
from policies.statistics.statistic import Kind, Statistic
from policies.study.calendar import Expected
from policies.study.codebook import TABLES, Codebook
from policies.study.columns import Ref
from tests import national_study, small_study
from tests.desk import Country, DeskThread

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
CODEBOOK = SHIPPED / "cohort3.codebook.yaml"
CALENDAR = SHIPPED / "rotation.yaml"
PROGRAMME = SHIPPED / "programmes" / "stopping.yaml"
FEW = Expected(household=150, adult=170, child=400)


def exactly(values: Sequence[int], planned: PlannedBlock) -> list[int]:
    """No noise, so that a test sees what was summed."""
    return [planned.multiplier * value for value in values]


def seldom_seen(region: Region, codebook: Codebook, seed: int) -> Region:
    """The same units with a wave and more values gone here and there, and what was derived from such a value."""
    draws = np.random.default_rng(seed)

    def thinned(unit: Unit) -> Unit:
        values = {ref: None if draws.random() < 0.2 else value for ref, value in unit.values.items()}
        for ref in values:
            if any(values[Ref(source, ref.wave)] is None for source in codebook.columns[ref.name].sources):
                values[ref] = None
        return replace(unit, waves=frozenset(w for w in unit.waves if draws.random() < 0.8), values=values)

    return {kind: [thinned(unit) for unit in units] for kind, units in region.items()}


def as_snapshot(region: Region, codebook: Codebook, folder: Path) -> Snapshot:
    """The rows as import stores them."""
    folder.mkdir()
    for kind, units in region.items():
        table: dict[str, Any] = {"hh": pa.array([unit.household for unit in units], pa.int32())}
        for wave in codebook.waves:
            table[f"present__{wave}"] = pa.array([wave in unit.waves for unit in units])
        for ref in units[0].values:
            table[ref.stored] = pa.array([unit.values[ref] for unit in units], pa.int32())
        pq.write_table(pa.table(table), folder / f"{kind}.parquet")
    return Snapshot("0" * 32, "c3", "0" * 64, folder)


def differ(codebook: Codebook, statistics: tuple[Statistic, ...], folder: Path) -> dict[str, tuple[Any, Any]]:
    """Blocks that the engine and the obvious sums do not agree on. Fails where no unit is counted."""
    (region,) = made_up(codebook, [FEW], 7)
    region = seldom_seen(region, codebook, 8)
    blocks = compile_blocks(statistics, codebook).blocks
    obvious = exact_sums(region, blocks)
    engine = Engine(folder)
    found = engine.sums(as_snapshot(region, codebook, folder / "rows"), blocks)
    engine.close()
    assert all(any(obvious[block.id]) for block in blocks if isinstance(block.summand, Ones))
    return {block: (obvious[block], found[block]) for block in obvious if obvious[block] != found[block]}


@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.name)
def test_a_node_sums_the_same_rows_to_the_same_numbers(starter: Any, tmp_path: Path) -> None:
    assert differ(load_yaml(Codebook, CODEBOOK), starter.draft.statistics, tmp_path) == {}


def test_a_node_sums_every_form_of_a_small_study_alike(tmp_path: Path) -> None:
    assert differ(small_study.codebook(), small_study.draft().statistics, tmp_path) == {}


EVERY_KIND = """
statistics:
  - {id: a, kind: sum, of: incidents, unit: household, wave: T0, within: ["1", "3"], by: [profile]}
  - {id: b, kind: histogram, of: incidents, bins: ["1", "3"], unit: household, wave: "T0+T1", by: [profile, help]}
  - {id: c, kind: cross_table, of: [safe, profile], unit: adult, wave: "T0+T1"}
  - {id: d, kind: paired_change, of: incidents, unit: household, wave: "T0->T1", within: ["0", "2"], by: [profile]}
  - {id: e, kind: paired_change, of: wellbeing, unit: adult, wave: "T0->T1", where: "state@T0 != none"}
  - {id: f, kind: variance, of: incidents, unit: household, wave: T1, within: ["1", "4"]}
  - {id: g, kind: standard_deviation, of: wellbeing, unit: adult, wave: "T0+T1", by: [safe]}
  - {id: h, kind: transition, of: trauma, unit: child, wave: "T0->T1", by: [profile]}
  - {id: i, kind: count, unit: child, wave: "T0+T1", where: "missing(trauma) or help == yes", by: [state, profile]}
  - {id: j, kind: mean, of: wellbeing, unit: adult, wave: "T0+T1", where: "safe == yes and incidents > 1"}
  - {id: k, kind: proportion, of: "trauma == yes or state == many", unit: child, wave: "T0+T1"}
  - {id: l, kind: covariance, of: [incidents, grade], unit: household, wave: T1, ranges: {grade: ["-0.5", "1"]}}
  - {id: m, kind: correlation, of: ["safe == yes", wellbeing], unit: adult, wave: T1, by: [profile]}
  - {id: o, kind: regression, of: [wellbeing, "safe@T0 == yes", wellbeing@T0, grade], unit: adult, wave: T1}
  - {id: p, kind: quantile, of: incidents, unit: household, wave: T1, at: ["0.5"], within: ["1", "4"], leaves: 4}
  - {id: q, kind: adjusted_difference, of: "safe == yes", unit: adult, wave: T1, compare: profile, strata: [help]}
"""


def test_a_node_sums_every_kind_alike(tmp_path: Path) -> None:
    text = small_study.CODEBOOK
    for name, way in (("incidents", "lower"), ("wellbeing", "higher")):
        text = text.replace(f"  {name}: {{", f"  {name}: {{better: {way}, ")
    codebook = parse_yaml(Codebook, text, "codebook.yaml")
    head, _, _ = small_study.DRAFT.partition("statistics:")
    statistics = parse_yaml(Draft, head + EVERY_KIND, "programme.yaml").statistics
    asked = {statistic.kind for statistic in (*statistics, *small_study.draft().statistics)}
    assert asked == set(get_args(Kind))
    assert differ(codebook, statistics, tmp_path) == {}


def test_rows_stay_within_the_codebook_and_hold_the_expected_numbers() -> None:
    codebook = load_yaml(Codebook, CODEBOOK)
    (region,) = made_up(codebook, [FEW], 1)
    assert {kind: len(units) for kind, units in region.items()} == {"household": 150, "adult": 170, "child": 400}
    for table in TABLES:
        assert max(Counter(unit.household for unit in region[table]).values()) <= codebook.cap(table)
        for unit in region[table]:
            assert unit.waves == {"T0", "T1"}
            for ref, value in unit.values.items():
                assert value is None or 0 <= value < codebook.columns[ref.name].size
    homes = {unit.household: unit for unit in region["household"]}
    for child in region["child"]:
        assert child.values.items() >= homes[child.household].values.items()


def test_more_persons_than_the_caps_allow_are_left_out() -> None:
    codebook = small_study.codebook()
    (region,) = made_up(codebook, [Expected(household=10, adult=100, child=5)], 1)
    assert Counter(unit.household for unit in region["adult"]) == dict.fromkeys(range(10), 2)


def test_every_category_and_state_occurs() -> None:
    codebook = load_yaml(Codebook, CODEBOOK)
    (region,) = made_up(codebook, [FEW], 1)
    for name, column in codebook.columns.items():
        for wave in column.waves or ("",):
            seen = {unit.values[Ref(name, wave)] for unit in region[column.table]}
            assert None in seen
            if column.categorical:
                assert seen >= set(range(column.size)), name


def test_a_seed_fixes_the_rows_and_each_region_has_its_own() -> None:
    codebook = small_study.codebook()
    first, second = made_up(codebook, [FEW, FEW], 3)
    assert [first, second] == made_up(codebook, [FEW, FEW], 3)
    assert first != second
    assert first != made_up(codebook, [FEW], 4)[0]


def test_the_noise_is_as_large_as_planned_and_never_the_same() -> None:
    """sd of 4,000 draws within a tenth: nine standard errors, a false alarm below one in 10^18."""
    planned = small_study.planned(rho="0.01").blocks[0]
    values = [3] * 4000
    noisy = sampler()
    first = np.array(noisy(values, planned)) - 3 * planned.multiplier
    assert abs(first.std() / planned.scale.value - 1) < 0.1
    assert list(first) != list(np.array(noisy(values, planned)) - 3 * planned.multiplier)


def test_without_noise_the_estimates_are_those_of_the_rows() -> None:
    draft, codebook, calendar = small_study.draft(), small_study.codebook(), small_study.calendar()
    found = rehearse(draft, codebook, calendar, 5, exactly)
    rows = {(row["statistic"], row["scope"]): row for row in json.loads(found.rows_json) if not row["cell"]}
    regions = made_up(codebook, [calendar.cohorts["c1"].expected[code] for code in ("AA", "BB", "CC")], 5)
    for code, region in zip(("AA", "BB", "CC"), regions, strict=True):
        states = [unit.values[Ref("state", "T1")] for unit in region["household"]]
        known = [state for state in states if state is not None]
        assert rows["stopped", code]["estimate"] == pytest.approx(known.count(0) / len(known))
        assert rows["stopped", code]["denominator_noisy"] == len(known)


def test_the_programme_is_planned_as_the_real_one_but_for_its_mark() -> None:
    draft, codebook, calendar = small_study.draft(), small_study.codebook(), small_study.calendar()
    found, real = rehearse(draft, codebook, calendar, 1, exactly).programme, small_study.planned()
    assert found.programme.data == "synthetic"
    assert (found.blocks, found.charge, found.statistics) == (real.blocks, real.charge, real.statistics)
    assert digest(to_canonical(found)) != digest(to_canonical(real))


def rondgang(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["rehearse", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == exit_code, result.output
    return result


def test_offline_it_writes_the_files_of_a_real_run_with_a_label_on_every_row(tmp_path: Path) -> None:
    out = tmp_path / "a new folder"
    result = rondgang(PROGRAMME, "--codebook", CODEBOOK, "--calendar", CALENDAR, "--out", out, "--json")
    facts = json.loads(result.stdout)
    assert facts["synthetic"]
    assert sorted(facts["files"]) == sorted(str(path) for path in out.iterdir())
    rows = json.loads((out / "estimates.json").read_bytes())
    assert {tuple(row) for row in rows} == {COLUMNS}
    assert {row["run"] for row in rows} == {"rehearsal"}
    assert all(SYNTHETIC in row["note"] for row in rows)
    assert {row["scope"] for row in rows} == {"national", *facts["regions"]}
    assert {row["status"] for row in rows} <= {"ok", "withheld"}
    with (out / "estimates.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert tuple(written[0]) == COLUMNS
    assert len(written) == len(rows)
    price = json.loads((out / "price.json").read_bytes())
    assert price["rho"] == facts["rho"]
    assert {region["decision"] for region in price["regions"]} == {"away"}
    assert (out / "programme.yaml").read_bytes() == PROGRAMME.read_bytes()
    assert "REHEARSAL" in (out / "SYNTHETIC.txt").read_text(encoding="utf-8")


def test_on_screen_the_label_comes_first() -> None:
    result = rondgang(PROGRAMME, "--codebook", CODEBOOK, "--calendar", CALENDAR)
    assert result.stderr.startswith("REHEARSAL: synthetic rows")
    assert "stopped_state" in result.stdout
    assert "The real run would charge each region 0.0" in result.stdout


def test_from_the_desk_it_takes_the_documents_and_opens_no_run(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    path = tmp_path / "programme.yaml"
    path.write_text(small_study.DRAFT, encoding="utf-8")
    with DeskThread(country):
        facts = json.loads(rondgang(path, "--home", country.researcher.folder, "--json").stdout)
    assert facts["regions"] == ["AA", "BB", "CC"]
    assert not list((tmp_path / "coordinator").glob("run*"))


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        ((PROGRAMME, "--codebook", CODEBOOK), 2, "both --codebook and --calendar"),
        ((PROGRAMME, "--codebook", CALENDAR, "--calendar", CALENDAR), 2, "not known here"),
        (("absent.yaml", "--codebook", CODEBOOK, "--calendar", CALENDAR), 2, "cannot be read"),
        ((PROGRAMME, "--codebook", CODEBOOK, "--calendar", CALENDAR, "--seed", "-1"), 2, "seed"),
    ],
)
def test_what_cannot_be_rehearsed_says_why(words: tuple[str | Path, ...], exit_code: int, said: str) -> None:
    assert said in rondgang(*words, exit_code=exit_code).output


def test_a_programme_that_cannot_be_planned_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "programme.yaml"
    path.write_text(PROGRAMME.read_text(encoding="utf-8").replace("state == none", "mood == good"), encoding="utf-8")
    said = rondgang(path, "--codebook", CODEBOOK, "--calendar", CALENDAR, exit_code=2).output
    assert "mood" in said


def test_without_opendp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.measurements", None)
    with pytest.raises(NoSampler, match="is not installed here"):
        sampler()
    assert "OpenDP" in rondgang(PROGRAMME, "--codebook", CODEBOOK, "--calendar", CALENDAR, exit_code=2).output


def test_a_codebook_whose_cases_leave_values_missing_is_followed() -> None:
    cases = '{when: "incidents == 0", missing: true}, {when: "incidents == 1", is: none}'
    text = small_study.CODEBOOK.replace('{when: "incidents == 0", is: none}', cases, 1)
    codebook = parse_yaml(Codebook, text, "codebook.yaml")
    (region,) = made_up(codebook, [FEW], 1)
    for unit in region["household"]:
        if unit.values[Ref("incidents", "T0")] == 0:
            assert unit.values[Ref("state", "T0")] is None


def test_national_statistics_are_the_weighted_sums_of_all_regions_and_have_no_other_rows() -> None:
    codebook, calendar = small_study.codebook(), national_study.calendar(5)
    weights = dict(zip(national_study.codes(5), ("1", "2", "1", "0.5", "1"), strict=True))
    draft = national_study.draft(national=("stopped", "hurt"), secure=None, weights=weights)
    found = rehearse(draft, codebook, calendar, 5, exactly)
    rows = [row for row in json.loads(found.rows_json) if row["statistic"] == "stopped"]
    ((row,), revision) = rows, {row["revision"] for row in json.loads(found.rows_json)}
    assert (row["mode"], row["scope"], row["regions_included"], revision) == ("national", "national", 5, {6})
    regions = made_up(codebook, [calendar.cohorts["c1"].expected[code] for code in weights], 5)
    count = stopped = 0.0
    for weight, region in zip(weights.values(), regions, strict=True):
        known = [unit.values[Ref("state", "T1")] for unit in region["household"]]
        known = [state for state in known if state is not None]
        count += float(weight) * len(known)
        stopped += float(weight) * known.count(0)
    assert row["estimate"] == pytest.approx(stopped / count)
    assert row["denominator_noisy"] == pytest.approx(count)
    assert found.prices.national is not None


def test_a_national_rehearsal_has_the_noise_of_a_sum_from_which_nobody_dropped_out() -> None:
    """sd of 4,000 cells within a tenth: nine standard errors, a false alarm below one in 10^18."""
    programme = national_study.planned(5, secure=Secure(colluders=1, dropouts=1))
    group = group_of(programme)
    assert group is not None
    block = programme.of_mode("national")[0]
    found = np.array(with_parts([7] * 4000, block, group, sampler())) - 7
    assert abs(found.std() / (block.scale.value * sqrt(5 / 4)) - 1) < 0.1
