"""The five family profiles by a rule: which family gets which, and how an institute changes that without code."""

from dataclasses import replace
from pathlib import Path

import pytest
from rondgang.canonical import digest

from coordinator.rehearsal.units import holds
from policies.documents import load_yaml, parse_yaml, to_canonical
from policies.rules.decide import Spent, Standing, decide
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import Cap, RegionPolicy
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar, instant
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.derive import MISSING_CASE, Rule, derived_sources, rules
from policies.units.money import NanoRho

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
FILE = SHIPPED / "cohort4.codebook.yaml"
Family = dict[str, str | int]
CALM: Family = {
    "controlled": "no",
    "severe_act": "no",
    "incidents": 5,
    "contact_conflict": "no",
    "physical_violence": "no",
    "care_need": "no",
    "child_behaviour": 3,
    "stressors": 4,
}
"""A family that fits none of the others, with worries enough to be one under stress."""
PRESSED: Family = {
    "controlled": "yes",
    "incidents": 22,
    "contact_conflict": "yes",
    "care_need": "yes",
    "child_behaviour": 30,
}


def rule_of(codebook: Codebook) -> Rule:
    (found,) = (rule for rule in rules(codebook) if rule.ref.name == "profile_rule")
    return found


def profile(codebook: Codebook, family: Family) -> str | None:
    rule, values = rule_of(codebook), {}
    for name, value in family.items():
        column = codebook.columns[name]
        values[Ref(name, "T0")] = column.codes.index(str(value)) if column.codes else int(value)
    place = next((index for condition, index in rule.cases if holds(condition, values)), rule.otherwise)
    return None if place == MISSING_CASE else codebook.columns["profile_rule"].codes[place]


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ({}, "2"),
        ({"stressors": 2}, None),
        (PRESSED, "1"),
        (PRESSED | {"incidents": 21}, "5"),
        (PRESSED | {"incidents": 21, "severe_act": "yes"}, "1"),
        (PRESSED | {"incidents": 21, "physical_violence": "yes"}, "3"),
        (PRESSED | {"controlled": "no", "physical_violence": "yes", "care_need": "no"}, "4"),
        ({"child_behaviour": 17, "stressors": 0}, "4"),
        ({"child_behaviour": 16, "stressors": 0}, None),
    ],
)
def test_the_first_case_that_holds_decides(family: Family, expected: str | None) -> None:
    assert profile(load_yaml(Codebook, FILE), CALM | family) == expected


def test_a_threshold_changes_the_rule_and_nothing_else() -> None:
    text = FILE.read_text(encoding="utf-8").replace('stressors_from: "3"', 'stressors_from: "6"')
    assert profile(parse_yaml(Codebook, text, "other.yaml"), CALM) is None


def test_the_fourth_codebook_is_the_third_with_more() -> None:
    third, fourth = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml"), load_yaml(Codebook, FILE)
    assert third.variables.items() <= fourth.variables.items()
    assert third.derived.items() <= fourth.derived.items()
    assert third.parameters.items() <= fourth.parameters.items()
    assert (third.caps, third.waves) == (fourth.caps, fourth.waves)
    judged = {category.code: category.label for category in fourth.variables["profile"].categories}
    assert judged == {category.code: category.label for category in fourth.derived["profile_rule"].categories}


def shipped() -> tuple[Programme, Standing]:
    codebook, calendar = load_yaml(Codebook, FILE), load_yaml(Calendar, SHIPPED / "rotation.yaml")
    hashes = digest(to_canonical(codebook)), digest(to_canonical(calendar))
    programme = plan(load_yaml(Draft, SHIPPED / "cohort4.programme.yaml"), codebook, calendar, hashes)
    written = load_yaml(RegionPolicy, SHIPPED / "region.policy.yaml")
    policy = written.model_copy(update={"region": "AA", "cohorts": {"c4": Cap.model_validate({"rho": "0.4"})}})
    codebooks, spent, now = {hashes[0]: codebook}, Spent({}, NanoRho(0)), instant("2029-06-01")
    return programme, Standing("AA", policy, calendar, codebooks, {"c4": hashes[0]}, spent, now)


def test_a_region_with_the_example_policy_answers_the_shipped_programme() -> None:
    """Also the table of both profiles: the rule does not touch what the policy keeps apart from `profile`."""
    programme, standing = shipped()
    assert not isinstance(decide(programme, standing, attempt=1), Refused)


def test_who_denies_what_the_rule_asks_denies_the_rule() -> None:
    programme, standing = shipped()
    assert "severe_act" in derived_sources("profile_rule", load_yaml(Codebook, FILE))
    rules_of = standing.policy.variables.model_copy(update={"deny": ("controlled",)})
    policy = standing.policy.model_copy(update={"variables": rules_of})
    found = decide(programme, replace(standing, policy=policy), attempt=1)
    assert isinstance(found, Refused)
    assert found.reason is Reason.FORBIDDEN_VARIABLE
