"""The rotation over the years: who is asked when, who stands for whom, and what a merged region begins with."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policies.documents import from_canonical, parse_yaml, to_canonical
from policies.study.calendar import Calendar, Planning, Region, instant
from policies.study.cycles import cycles, later, turns_problem
from policies.study.regions import Group, Regions
from policies.study.text import Text
from policies.units.money import NanoRho
from tests import rotating_study
from tests.rotating_study import MERGED, SPLIT, TODAY, calendar


@pytest.mark.parametrize(
    ("cohort", "day", "turn"),
    [
        ("c3", "2020-12-31", "planned"),
        ("c3", "2021-01-01", "T0"),
        ("c3", "2022-03-01", "T1"),
        ("c3", "2026-11-22", "release"),
        ("c3", "2028-12-31", "release"),
        ("c3", "2029-01-01", "closed"),
        ("c4", "2026-12-31", "planned"),
        ("c4", "2027-01-01", "recruit"),
        ("c4", "2027-03-01", "T0"),
        ("c4", "2028-01-15", "waiting"),
        ("c4", "2028-02-01", "T1"),
        ("c4", "2029-01-01", "release"),
        ("c4", "2031-01-01", "closed"),
        ("c5", "2030-09-01", "T2"),
    ],
)
def test_a_cohort_goes_from_planned_to_closed(cohort: str, day: str, turn: str) -> None:
    assert calendar().cohorts[cohort].turn(instant(day)) == turn


def test_a_cohort_asks_those_it_recruited_and_then_those_that_came_of_them() -> None:
    found, last = calendar(), MERGED - 1
    assert [found.members(cohort) for cohort in found.cohorts] == [
        ("AA", "BB", "FF"), ("CC", "DD"), ("AA", "BB", "FF"), ("CC", "MM"), ("AA", "GG", "HH"),
    ]  # fmt: skip
    assert found.members("c3", last) == ("CC", "DD")
    assert found.members("c3", MERGED) == ("CC", "MM")
    assert found.members("c4", last) == ("AA", "BB", "FF")
    assert found.members("c4", MERGED) == ("AA", "FF", "MM")
    assert found.members("c4", SPLIT) == ("AA", "GG", "HH", "MM")
    assert found.ever_members("c2") == {"AA", "BB", "FF", "MM", "GG", "HH"}
    assert found.rotation.existing(TODAY) == ("AA", "BB", "CC", "DD", "FF")
    assert set(found.rotation.existing(MERGED)) == {"AA", "CC", "FF", "MM"}


def test_no_household_is_ever_without_a_region_or_with_two() -> None:
    """On both sides of each change every region has heirs, and no predecessor lives beside them."""
    rotation = calendar().rotation
    for moment in (TODAY, MERGED - 1, MERGED, SPLIT - 1, SPLIT):
        living = set(rotation.existing(moment))
        for region in living:
            assert not (rotation.line(region) - {region}) & living
        for region in ("AA", "BB", "CC", "DD", "FF"):
            assert rotation.heirs((region,), moment)


def test_a_merged_region_takes_the_group_of_the_one_asked_longest_ago() -> None:
    # On 1 January 2029 DD was asked in 2021 (c3), BB in 2027 (c4).
    assert calendar().group_of("MM") == "B"
    assert [calendar().group_of(part) for part in ("GG", "HH")] == ["A", "A"]


def test_the_group_of_a_merged_region_depends_on_who_was_asked_before_that_day() -> None:
    name, day = Text(nl="x", en="x"), instant("2027-01-01")
    regions = {
        "BB": Region(name=name, group="A", until=day - 1),
        "DD": Region(name=name, group="B", until=day - 1),
        "MM": Region(name=name, formed_of=("BB", "DD"), since=day),
    }
    first: tuple[Group, int] = ("A", instant("2016-01-01"))
    second: tuple[Group, int] = ("B", instant("2021-01-01"))
    asked: tuple[tuple[Group, int], ...]
    for asked, group in (
        ((first, second), "A"),
        ((first, second, ("A", day)), "A"),
        ((first, second, ("A", day - 1)), "B"),
        ((first,), "B"),
        ((), "A"),
    ):
        assert Regions.of(regions, asked).groups["MM"] == group


def test_a_merged_region_expects_what_its_predecessors_in_the_cohort_did_and_a_split_one_its_share() -> None:
    expected = calendar().expected_of("c4")
    assert expected["MM"] == expected["BB"]
    assert (expected["GG"].household, expected["HH"].child) == (16, 18)
    assert calendar().expected_of("c3")["MM"].household == 45


def test_a_merged_region_begins_with_the_largest_spend_per_cohort_and_in_all() -> None:
    assert calendar().inheritance("AA") is None
    assert calendar().inheritance("MM") == "unknown"
    c2, c3, lifetime = (NanoRho(nano) for nano in (100_000_000, 200_000_000, 250_000_000))
    assert calendar(2).inheritance("MM") == ({"c2": c2, "c3": c3}, lifetime)
    half = rotating_study.text(2).replace(', DD: {cohorts: {c3: "0.2"}, lifetime: "0.25"}', "")
    assert parse_yaml(Calendar, half, "half.yaml").inheritance("MM") == "unknown"
    fine = rotating_study.text(2).replace('{c2: "0.1"}, lifetime: "0.1"', '{c3: "0.2000000001"}, lifetime: "0.3"')
    assert parse_yaml(Calendar, fine, "fine.yaml").inheritance("MM") == (
        {"c3": NanoRho(200_000_001)},
        NanoRho(300_000_000),
    )


def test_planning_figures_have_defaults_that_leave_older_bytes_as_they_were() -> None:
    plain = to_canonical(calendar())
    assert b"planning" not in plain
    assert calendar().planning == Planning(drift=Decimal("0.02"), between=None)
    said = parse_yaml(Calendar, f"{rotating_study.ROTATION}planning: {{drift: '0.020'}}\n", "said.yaml")
    assert to_canonical(said) == plain
    other = parse_yaml(Calendar, f"{rotating_study.ROTATION}planning: {{drift: 0.01, between: 0.05}}\n", "other.yaml")
    assert from_canonical(Calendar, to_canonical(other)).planning == Planning(
        drift=Decimal("0.01"), between=Decimal("0.05")
    )


def test_every_region_is_asked_once_in_two_cycles_and_what_would_break_it_is_found() -> None:
    found = calendar()
    going, rotation = cycles(found.cohorts), found.rotation
    assert turns_problem(going, rotation) is None
    # The same group again: whoever is in it is asked twice, and the others not at all.
    assert turns_problem((going[0], going[2]), rotation) == (
        ("regions", "AA"), "it would be asked twice in four years, in c4 and c6",
    )  # fmt: skip
    lonely = rotation.__class__(
        {**rotation.groups, "AA": "B"}, rotation.formed_of, rotation.successors, rotation.lives, rotation.ordered
    )
    assert turns_problem((going[0], going[2]), lonely) == (
        ("regions", "AA"), "nobody would ask it in four years, in c4 and c6",
    )  # fmt: skip


def test_a_copied_calendar_works_out_its_own_regions() -> None:
    plain = calendar()
    regions = {**plain.regions, "ZZ": plain.regions["AA"]}
    assert "ZZ" in plain.model_copy(update={"regions": regions}).members("c2")
    assert "ZZ" not in plain.members("c2")


def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month() -> None:
    assert later(instant("2027-01-01"), 24) == instant("2029-01-01")
    assert later(instant("2027-01-31T10:00:00Z"), 1) == instant("2027-02-28T10:00:00Z")
    assert later(instant("2028-02-29"), 12) == instant("2029-02-28")
    assert later(instant("2027-12-15"), 1) == instant("2028-01-15")
