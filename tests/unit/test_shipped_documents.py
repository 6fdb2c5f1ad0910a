"""Every shipped document loads, has one canonical form, and they fit each other."""

import json
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from compose.demo.generator.calibration import load_calibration
from coordinator.planning.targets import Targets
from policies.documents import Document, from_canonical, load_yaml, to_canonical
from policies.rules.region_policy import RegionPolicy
from policies.statistics.compile import Compilation
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.statistics.published import Published
from policies.statistics.statistic import Kind
from policies.statistics.verify import verify_plan
from policies.study.calendar import Calendar, instant
from policies.study.codebook import Codebook
from policies.study.cycles import cycles
from policies.study.mapping import Mapping, problems
from policies.units.money import NanoRho

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
MODELS: dict[str, type[Document]] = {
    "rotation.yaml": Calendar,
    "rotation.load-test.yaml": Calendar,
    "cohort3.codebook.yaml": Codebook,
    "cohort3.programme.yaml": Draft,
    "cohort4.codebook.yaml": Codebook,
    "cohort4.programme.yaml": Draft,
    "mapping.example.yaml": Mapping,
    "published.yaml": Published,
    "region.policy.yaml": RegionPolicy,
    "targets.example.yaml": Targets,
}
TODAY = instant("2026-11-22")


def rotation(name: str = "rotation.yaml") -> Calendar:
    return load_yaml(Calendar, SHIPPED / name)


def codebook() -> Codebook:
    return load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")


def planned(calendar: Calendar) -> Programme:
    return plan(load_yaml(Draft, SHIPPED / "cohort3.programme.yaml"), codebook(), calendar, ("0" * 64, "1" * 64))


def test_every_shipped_file_has_a_model() -> None:
    assert {path.name for path in SHIPPED.glob("*.yaml")} == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_shipped_file_loads_and_keeps_its_bytes(name: str) -> None:
    document = load_yaml(MODELS[name], SHIPPED / name)
    assert from_canonical(MODELS[name], to_canonical(document)) == document


def test_the_example_of_a_mapping_fits_the_codebook() -> None:
    assert list(problems(load_yaml(Mapping, SHIPPED / "mapping.example.yaml"), codebook())) == []


def test_26_regions_in_two_halves_become_25() -> None:
    calendar, later = rotation(), instant("2029-01-01")
    assert len(calendar.rotation.existing(TODAY)) == 26
    assert [len(calendar.members(cohort)) for cohort in calendar.cohorts] == [13, 13, 13, 13, 12]
    assert calendar.members("c2") == calendar.members("c4")
    assert set(calendar.members("c2")).isdisjoint(calendar.members("c3"))
    assert set(calendar.rotation.existing(later)) == set(calendar.regions) - {"BNO", "ZOB"}
    # Zuidoost-Brabant was asked longest ago then, in the third cohort.
    assert (calendar.group_of("OB"), calendar.inheritance("OB")) == ("B", "unknown")
    assert set(calendar.members("c5")) == set(calendar.members("c3")) - {"ZOB"} | {"OB"}
    assert set(calendar.members("c4", later)) == set(calendar.members("c4")) - {"BNO"} | {"OB"}


def test_the_rotation_has_two_historical_cohorts_and_then_cycles_that_take_turns() -> None:
    cohorts = rotation().cohorts
    assert [name for name, one in cohorts.items() if one.historical] == ["c2", "c3"]
    assert [cycle.cohort for cycle in cycles(cohorts)] == ["c4", "c5", "c6"]
    assert {name: one.turn(TODAY) for name, one in cohorts.items()} == {
        "c2": "closed", "c3": "release", "c4": "planned", "c5": "planned", "c6": "planned",
    }  # fmt: skip


def test_only_the_third_cohort_is_open_now_and_halves_never_overlap() -> None:
    calendar = rotation()
    assert [name for name, cohort in calendar.cohorts.items() if cohort.open(TODAY)] == ["c3"]
    windows = sorted(cohort.windows["release"] for cohort in calendar.cohorts.values())
    assert all(before[1] < after[0] for before, after in pairwise(windows))


@pytest.mark.parametrize(
    ("spelled", "code"),
    [
        ("Gelderland Noord Oost", "NOG"),
        ("Limburg Zuid", "ZL"),
        ("Den Bosch e.o.", "BNO"),
        ("Fryslân", "FR"),
        ("fr", "FR"),
    ],
)
def test_a_region_is_found_by_the_spellings_of_the_sources(spelled: str, code: str) -> None:
    assert rotation().find_region(spelled) == code


def test_names_and_aliases_point_to_one_region() -> None:
    for calendar in (rotation(), rotation("rotation.load-test.yaml")):
        for code, region in calendar.regions.items():
            assert {calendar.find_region(name) for name in (region.name.nl, region.name.en, *region.aliases)} == {code}


def test_expected_households_are_those_of_the_calibration() -> None:
    known = load_calibration()
    expected = rotation().cohorts["c3"].expected
    assert {code: counts.household for code, counts in expected.items()} == known.sizes(expected)
    assert sum(counts.household for counts in expected.values()) == known.number("households_t1")
    # Rounded per region, so the sums may be off by a few.
    assert abs(sum(counts.adult for counts in expected.values()) - known.number("adults_t1")) <= 7
    assert abs(sum(counts.child for counts in expected.values()) - known.number("children_t1")) <= 7
    load_test = rotation("rotation.load-test.yaml").cohorts["c3"].expected
    assert {code: counts.household for code, counts in load_test.items()} == known.sizes(load_test)


def test_the_load_test_calendar_says_what_it_is() -> None:
    calendar = rotation("rotation.load-test.yaml")
    assert calendar.calendar.purpose == "load-test"
    assert len(calendar.members("c3")) == 26
    assert calendar.cohorts["c3"].open(TODAY)
    assert set(calendar.regions) == set(rotation().rotation.existing(TODAY))


@pytest.mark.parametrize("name", ["rotation.yaml", "rotation.load-test.yaml"])
def test_the_programme_plans_within_its_price_and_verifies(name: str) -> None:
    calendar = rotation(name)
    programme = planned(calendar)
    assert isinstance(verify_plan(programme, codebook(), calendar), Compilation)
    assert from_canonical(Programme, to_canonical(programme)) == programme


def test_the_programme_fits_the_region_policy() -> None:
    policy = load_yaml(RegionPolicy, SHIPPED / "region.policy.yaml")
    programme = planned(rotation())
    assert NanoRho(0) < programme.charge.amount <= policy.programme.amount
    assert programme.charge.amount <= policy.cohorts["c3"].amount <= policy.lifetime.amount
    assert set(policy.statistics) == set(get_args(Kind))
    columns = codebook().columns
    assert all(name in columns for pair in policy.forbidden_crossings for name in pair)


def test_the_state_is_the_one_of_the_published_threshold() -> None:
    known = load_calibration()
    book = codebook()
    assert book.columns["state"].codes == ("none", "some", "frequent_or_severe")
    assert book.columns["state"].waves == ("T0", "T1")
    assert book.parameters["frequent_from"] == int(known.number("frequent_threshold"))
    assert "incidents < frequent_from" in str(book.derived["state"].cases[1].when)
    assert book.columns["incidents"].size == known.number("incidents_cap") + 1


def test_every_calibration_figure_has_a_status_and_published_ones_a_source() -> None:
    document = json.loads((Path(__file__).parents[2] / "compose/demo/calibration.json").read_text(encoding="utf-8"))
    sources = document["sources"]
    for name, target in document["targets"].items():
        assert target["status"] in ("published", "derived", "assumed"), name
        if target["status"] != "assumed" or "source" in target:
            assert target["source"] in sources, name
    assert all(entry["status"] == "assumed" and entry["basis"] for entry in document["regions"])
