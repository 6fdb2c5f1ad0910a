"""Codebook and calendar: public shapes, names, windows, and what a written one may not say."""

import pytest

from policies.documents import BadDocument, parse_yaml, to_canonical
from policies.study.calendar import Calendar, instant
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.derive import derived_sources, rules
from policies.study.expressions.nodes import text
from tests import small_study

CASES = '[{when: "incidents == 0", is: none}, {when: "incidents < 3", is: some}, {else: many}]'
TEXT = "{nl: woord, en: word}"


def bad_codebook(before: str, after: str) -> str:
    assert before in small_study.CODEBOOK
    with pytest.raises(BadDocument) as caught:
        parse_yaml(Codebook, small_study.CODEBOOK.replace(before, after, 1), "codebook.yaml")
    assert str(caught.value).startswith("codebook.yaml:")
    return str(caught.value)


def bad_calendar(before: str, after: str) -> str:
    assert before in small_study.CALENDAR
    with pytest.raises(BadDocument) as caught:
        parse_yaml(Calendar, small_study.CALENDAR.replace(before, after, 1), "calendar.yaml")
    assert str(caught.value).startswith("calendar.yaml:")
    return str(caught.value)


def test_every_variable_becomes_steps_from_zero() -> None:
    columns = small_study.codebook().columns
    assert {name: column.size for name, column in columns.items()} == {
        "incidents": 5,
        "grade": 6,
        "profile": 3,
        "help": 2,
        "safe": 2,
        "wellbeing": 3,
        "trauma": 2,
        "age": 3,
        "state": 3,
        "hurt_and_unhelped": 2,
        "began": 2,
        "silent": 2,
    }
    grade = columns["grade"]
    assert [grade.value_text(i) for i in range(grade.size)] == ["-1", "-0.5", "0", "0.5", "1", "1.5"]
    assert [columns["profile"].value_text(i) for i in range(3)] == ["1", "12a", "c"]


def test_regression_the_text_of_a_step_is_exact_for_long_numbers() -> None:
    """Thirty digits used to be rounded to 28, so that a condition on them did not read back."""
    low, high = "1" + "0" * 29, "1" + "0" * 28 + "3"
    written = small_study.CODEBOOK.replace('["-1", "1.5"]', f'["{low}", "{high}"]').replace("0.5, waves: [T1]", "1")
    codebook = parse_yaml(Codebook, written.replace(" and grade >= 0", ""), "codebook.yaml")
    assert codebook.columns["grade"].value_text(3) == high


def test_caps_count_units_per_household() -> None:
    codebook = small_study.codebook()
    assert [codebook.cap(unit) for unit in ("household", "adult", "child")] == [1, 2, 3]
    assert codebook.label == "small@1"


def test_a_derived_variable_lives_where_its_variables_do() -> None:
    columns = small_study.codebook().columns
    assert (columns["state"].table, columns["state"].waves) == ("household", ("T0", "T1"))
    assert (columns["hurt_and_unhelped"].table, columns["hurt_and_unhelped"].waves) == ("child", ("T0", "T1"))
    assert columns["silent"].waves == ("T1",)
    assert derived_sources("hurt_and_unhelped", small_study.codebook()) == {"trauma", "help"}
    assert derived_sources("silent", small_study.codebook()) == {"help", "grade"}


def test_a_derived_variables_rules_name_what_must_be_present() -> None:
    found = {rule.ref: rule for rule in rules(small_study.codebook())}
    assert set(found) == {
        Ref(name, wave)
        for name in ("state", "hurt_and_unhelped", "began", "silent")
        for wave in small_study.codebook().columns[name].waves
    }
    state = found[Ref("state", "T1")]
    assert state.required == (Ref("incidents", "T1"),)
    assert [(text(case, small_study.codebook().columns), value) for case, value in state.cases] == [
        ("incidents@T1 in {0}", 0),
        ("incidents@T1 in {0..2}", 1),
    ]
    assert state.otherwise == 2
    assert found[Ref("began", "T1")].required == (Ref("incidents", "T0"),)
    assert found[Ref("silent", "T1")].required == (Ref("grade", "T1"),)


def test_regression_a_codebook_without_waved_variables_may_derive() -> None:
    plain = """
codebook: {id: plain, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 1, children: 1}
waves: {T0: {nl: eerst, en: first}}
tables: {household: {}, adult: {}, child: {}}
variables: {size: {table: household, type: integer, bounds: [1, 9]}}
derived: {large: {cases: [{when: "size > 4", is: yes}, {else: no}]}}
"""
    codebook = parse_yaml(Codebook, plain, "codebook.yaml")
    assert codebook.columns["large"].waves == ()
    assert [rule.ref for rule in rules(codebook)] == [Ref("large")]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("bounds: [0, 4]", "bounds: [4, 0]", "variables.incidents: bounds must be low < high"),
        ("bounds: [0, 4]", "bounds: [0, 4.5]", "whole number of grid steps"),
        ("bounds: [0, 4]", "bounds: [0, 4], grid: 0", "whole number of grid steps"),
        ("bounds: [0, 4]", "bounds: [0, 4], grid: -1", "whole number of grid steps"),
        ("bounds: [0, 4]", "bounds: [0, 4], grid: 0.5", "whole grid"),
        ("bounds: [0, 4]", "bounds: [0, 1000000]", "below 1000000 steps"),
        ("bounds: [0, 4]", "bounds: [0, .inf]", "variables.incidents.bounds.1: expected a decimal"),
        ("bounds: [0, 4], sd: 1", "sd: 1", "has bounds"),
        ("sd: 1", "sd: 0", "sd is a positive number"),
        ("sd: 1, missing: [9], waves: [T0, T1]", "waves: [T0, T7]", "unknown wave T7"),
        ("sd: 1, missing: [9], waves: [T0, T1]", "waves: [T0, T0]", "a wave is listed twice"),
        ('"12a": {nl: twee, en: two}, c: {nl: drie, en: three}', "", "two or more categories"),
        ('"12a"', '"1 2"', "variables.profile.categories.1.code"),
        ('"12a"', '"1"', "stands here twice"),
        ("type: category\n", "type: category\n    bounds: [0, 1]\n", "has no bounds"),
        ("profile:\n", "present:\n", "present: this name is taken"),
        ("profile:\n", "not:\n", "not: this name is taken"),
        ("profile:\n", "a__b:\n", "a__b: this name is taken"),
        ("profile:\n", "Profile:\n", "variables.Profile"),
        ("  began:", "  incidents:", "derived.incidents: a variable has this name already"),
        ("  began:", "  present:", "present: this name is taken"),
        ("  began:", "  state__t0:", "state__t0: this name is taken"),
        ("{else: many}", "{when: 'incidents > 3', is: many}", "the last case"),
        ("{else: many}", "{else: many, is: some}", "expected {when: CONDITION, is: VALUE}"),
        (CASES, "[{else: many}]", "at least 2"),
        ('when: "incidents == 0"', 'when: "incident == 0"', "derived.state: "),
        ('when: "incidents == 0"', 'when: "safe == yes and trauma == no"', "derived.state: "),
        (f"cases: {CASES}", f"cases: {CASES}\n    categories: {{a: {TEXT}, b: {TEXT}}}", "exactly the values"),
        ("caps: {adults: 2", "caps: {adults: 0", "caps.adults"),
        ("caps: {adults: 2", "caps: {adults: 13", "caps.adults"),
        ("child: {}}", "teen: {}}", "tables.teen"),
        (", child: {}}", "}", "household, adult and child"),
        ("units:", "sorts: {}\nunits:", "sorts: this key is not known"),
    ],
)  # fmt: skip
def test_a_codebook_that_cannot_be_meant_is_refused(before: str, after: str, said: str) -> None:
    assert said in bad_codebook(before, after)


def test_instants_are_utc_seconds_and_dates_may_end_late() -> None:
    assert instant("1970-01-01") == 0
    assert instant("1970-01-01", end_of_day=True) == 86_399
    assert instant("2027-01-31T12:00:00Z") == instant("2027-01-31T13:00:00+01:00") == 1801396800
    assert instant("2027-01-31T12:00:00Z", end_of_day=True) == instant("2027-01-31T12:00:00Z")


@pytest.mark.parametrize(
    "text", ["", "2027", "2027-1-31", "2027-02-30", "31-01-2027", "2027-01-31T12:00:00", "tomorrow"]
)
def test_an_instant_without_a_day_or_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        instant(text)


def test_a_calendar_says_who_is_asked_when() -> None:
    calendar = small_study.calendar()
    assert calendar.members("c1") == ("AA", "BB", "CC")
    assert calendar.members("c2") == ("DD",)
    assert calendar.cohorts["c1"].windows["T0"] == (instant("2024-01-01"), instant("2024-12-31", end_of_day=True))
    assert calendar.cohorts["c1"].open(small_study.OPEN)
    assert not calendar.cohorts["c2"].open(small_study.OPEN)
    assert calendar.cohorts["c1"].expected["BB"].of("child") == 60
    with pytest.raises(KeyError):
        calendar.members("c9")


@pytest.mark.parametrize(
    ("name", "code"), [("AA", "AA"), ("aa", "AA"), (" Bee ", "BB"), ("AA EN OMSTREKEN", "AA"), ("Ee", None), ("", None)]
)
def test_a_region_is_found_by_code_name_or_alias(name: str, code: str | None) -> None:
    assert small_study.calendar().find_region(name) == code


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("release: [2026-01-01, 2026-12-31]", "T2: [2026-01-01, 2026-12-31]", "expected a `release` window too"),
        ("release: [2026-01-01, 2026-12-31]", "release: [2026-12-31, 2026-01-01]", "ends before it begins"),
        ("release: [2026-01-01, 2026-12-31]", "release: [2026-01-01]", "cohorts.c1.windows.release"),
        ("release: [2026-01-01, 2026-12-31]", "release: [2026-01-01, never]", "expected a date"),
        ("      CC: {household: 50, adult: 60, child: 70}\n", "", "exactly the regions of group A"),
        ("{DD:", "{AA:", "exactly the regions of group B"),
        ("household: 60", "household: 0", "cohorts.c1.expected.AA.household"),
        ("households_per_region: 100000", "households_per_region: 0", "limits.households_per_region"),
        ("  DD: {name", "  dd: {name", "regions.dd"),
        ("group: A}\n  BB", "group: C}\n  BB", "regions.AA.group"),
        ("  c2:", "  C2:", "cohorts.C2"),
        ("version: 1,", "version: 1, purpose: fun,", "calendar.purpose"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(before: str, after: str, said: str) -> None:
    assert said in bad_calendar(before, after)


def test_the_bytes_of_a_study_do_not_depend_on_the_order_of_writing() -> None:
    variables = small_study.CODEBOOK.index("variables:"), small_study.CODEBOOK.index("derived:")
    moved = (
        small_study.CODEBOOK[: variables[0]]
        + small_study.CODEBOOK[variables[1] :]
        + small_study.CODEBOOK[variables[0] : variables[1]]
    )
    assert moved != small_study.CODEBOOK
    again = parse_yaml(Codebook, moved, "moved.yaml")
    assert to_canonical(again) == to_canonical(small_study.codebook())
    assert again.columns == small_study.codebook().columns
