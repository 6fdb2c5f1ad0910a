"""What is said of a policy before it is in force."""

from dataclasses import replace

import pytest

from policies.rules.decide import Spent
from policies.rules.policy_check import Place, changes, findings
from policies.rules.region_policy import RegionPolicy
from policies.units.money import NanoRho
from tests.small_study import calendar, codebook, region_policy

PLACE = Place("AA", calendar(), (codebook(),), 2, None, Spent({}, NanoRho(0)))


def codes(policy: RegionPolicy, place: Place = PLACE) -> tuple[list[str], list[str]]:
    """Codes of the objections, and of the remarks."""
    found = findings(policy, place)
    assert [one.objection for one in found] == sorted((one.objection for one in found), reverse=True)
    return [one.code for one in found if one.objection], [one.code for one in found if not one.objection]


def test_nothing_is_said_of_a_policy_that_is_in_order() -> None:
    assert codes(region_policy(region="AA")) == ([], [])


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"region": "BB"}, "other_region"),
        ({"cohorts": {"c9": {"rho": "0.5"}}}, "unknown_cohort"),
        ({"variables": {"deny": ["incidence"]}}, "unknown_variable"),
        ({"forbidden_crossings": [["profile", "sex"]]}, "unknown_variable"),
        ({"witnesses": {"need": 1}}, "weak_rule"),
        ({"witnesses": {"need": 1, "faulty": 0}}, "weak_rule"),
    ],
)
def test_what_keeps_a_policy_from_being_adopted(changed: dict[str, object], code: str) -> None:
    assert codes(region_policy(**changed))[0] == [code]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"cohorts": {}}, "no_budget"),
        ({"lifetime": {"rho": "0.4"}}, "over_lifetime"),
        ({"programme": {"rho": "0.6"}}, "over_cohort"),
        ({"test_only": True}, "test_only"),
        ({"witnesses": {"need": 3}}, "few_witnesses"),
        ({"witnesses": {"need": 2, "faulty": 2}}, "few_witnesses"),
    ],
)
def test_what_a_steward_may_want_to_know(changed: dict[str, object], code: str) -> None:
    assert codes(region_policy(**changed)) == ([], [code])


def test_a_rule_is_weak_where_two_histories_could_both_get_enough_names() -> None:
    three = replace(PLACE, witnesses=3)
    (weak,) = findings(region_policy(), three)
    assert (weak.code, weak.fields["need"], weak.fields["least"]) == ("weak_rule", "2", "3")
    assert findings(region_policy(witnesses={"need": 3}), three) == ()
    assert codes(region_policy(), replace(PLACE, witnesses=0)) == ([], ["few_witnesses"])


def test_what_is_not_adopted_yet_is_said_and_only_a_roster_must_come_first() -> None:
    bare = Place("AA", None, (), None, None, Spent({}, NanoRho(0)))
    denies = region_policy(variables={"deny": ["anything"]})
    assert codes(denies, bare) == (["no_roster"], ["no_calendar", "no_codebook"])
    assert codes(denies, replace(bare, witnesses=2)) == ([], ["no_calendar", "no_codebook"])


def test_every_alternative_of_a_derived_variable_and_all_of_them_together_may_be_denied() -> None:
    assert codes(region_policy(variables={"deny": ["state", "hurt_and_unhelped", "safe"]})) == ([], [])


def test_another_content_needs_a_higher_version() -> None:
    held = replace(PLACE, held=region_policy(region="AA", policy={"version": 4}))
    assert codes(region_policy(policy={"version": 4}), held) == ([], [])
    for version, code in ((4, "same_version"), (3, "older_version")):
        (found,) = findings(region_policy(policy={"version": version}, tick_ms=50), held)
        assert (found.code, found.fields["next"]) == (code, "5")
    assert codes(region_policy(policy={"version": 5}, tick_ms=50), held) == ([], [])


def test_a_cap_below_what_was_spent_is_said() -> None:
    spent = replace(PLACE, spent=Spent({"c1": NanoRho(500_000_001)}, NanoRho(500_000_001)))
    (found,) = findings(region_policy(), spent)
    assert (found.code, found.fields["spent"], found.fields["cap"]) == ("overspent", "0.500000001", "0.5")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"cohorts": {"c1": {"rho": "0.6"}}}, ("cohorts.c1", "0.5", "0.6", "loosens")),
        ({"cohorts": {"c1": {"rho": "0.50"}}}, None),
        ({"cohorts": {}}, ("cohorts.c1", "0.5", "", "tightens")),
        ({"cohorts": {"c1": {"rho": "0.5"}, "c2": {"rho": "1"}}}, ("cohorts.c2", "", "1", "loosens")),
        ({"cohorts": {"c1": {"rho": "0.5"}, "c2": {"rho": "0"}}}, None),
        ({"lifetime": {"rho": "0.7"}}, ("lifetime", "0.8", "0.7", "tightens")),
        ({"programme": {"rho": "0.30000001"}}, ("programme", "0.3", "0.30000001", "loosens")),
        ({"statistics": ["count", "mean", "transition"]}, ("statistics", "proportion", "", "tightens")),
        ({"statistics": ["count", "proportion", "mean", "transition", "sum"]}, ("statistics", "", "sum", "loosens")),
        ({"variables": {"deny": ["grade"]}}, ("variables.deny", "", "grade", "tightens")),
        ({"forbidden_crossings": [["safe", "age"]]}, ("forbidden_crossings", "", "age x safe", "tightens")),
        ({"approval": "steward"}, ("approval", "automatic", "steward", "tightens")),
        ({"test_only": True}, ("test_only", "false", "true", "loosens")),
        ({"tick_ms": 5}, ("tick_ms", "25", "5", "loosens")),
        ({"witnesses": {"need": 1}}, ("witnesses.need", "2", "1", "loosens")),
        ({"witnesses": {"faulty": 2}}, ("witnesses.faulty", "1", "2", "tightens")),
        ({"policy": {"version": 2}}, ("policy.version", "1", "2", "neutral")),
        ({"region": "AA"}, None),
    ],
)
def test_each_field_that_differs_is_named_with_what_it_does(
    changed: dict[str, object], expected: tuple[str, ...] | None
) -> None:
    found = changes(region_policy(), region_policy(**changed))
    assert [(one.field, one.old, one.new, one.direction) for one in found] == ([expected] if expected else [])


RULE = {"own_noise": {"rho": "2"}, "attempts": 3, "colluders": 2}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"own_noise": {"rho": "2.5"}}, ("secure.own_noise", "2", "2.5", "loosens")),
        ({"own_noise": {"rho": "2.0"}}, None),
        ({"attempts": 2}, ("secure.attempts", "3", "2", "tightens")),
        ({"colluders": 1}, ("secure.colluders", "2", "1", "loosens")),
    ],
)
def test_each_limit_of_national_sums_is_named_with_what_it_does(
    changed: dict[str, object], expected: tuple[str, ...] | None
) -> None:
    found = changes(region_policy(secure=RULE), region_policy(secure={**RULE, **changed}))
    assert [(one.field, one.old, one.new, one.direction) for one in found] == ([expected] if expected else [])


def test_to_allow_national_sums_at_all_loosens() -> None:
    first, *others = changes(region_policy(), region_policy(secure=RULE))
    assert (first.field, first.old, first.new) == ("secure.attempts", "", "3")
    assert {one.direction for one in (first, *others)} == {"loosens"}
    assert {one.direction for one in changes(region_policy(secure=RULE), region_policy())} == {"tightens"}


def test_every_field_of_a_policy_is_compared() -> None:
    """A field that is added to the policy must be added to the comparison, or it changes unseen."""
    named = {"policy", "cohorts", "lifetime", "programme", "statistics", "variables", "forbidden_crossings"}
    named |= {"approval", "witnesses", "secure", "tick_ms", "test_only", "region", "households"}
    assert set(RegionPolicy.model_fields) == named
