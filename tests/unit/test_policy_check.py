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


def cohorts(most: int | None, version: int = 1) -> RegionPolicy:
    """A policy by which a household may be in so many cohorts; None: in all."""
    rule = None if most is None else {"most_cohorts": most}
    return region_policy(region="AA", policy={"version": version}, households=rule)


@pytest.mark.parametrize("held", [None, 4, 3])
def test_fewer_cohorts_a_household_than_there_are_data_of_cannot_be_promised(held: int | None) -> None:
    imported = frozenset({"c1", "c2", "c3"})
    place = replace(PLACE, held=cohorts(held), imported=imported)
    (found,) = [one for one in findings(cohorts(2, 2), place) if one.objection]
    assert (found.code, found.fields) == ("fewer_cohorts", {"most": "2", "cohorts": "c1, c2, c3", "least": "3"})
    assert codes(cohorts(3, 2), place) == ([], [])
    assert codes(cohorts(2, 2), replace(place, imported=imported - {"c3"})) == ([], [])
    assert codes(cohorts(None, 2), place) == ([], [])


def test_a_limit_that_was_kept_all_along_stays_and_more_cohorts_are_always_fine() -> None:
    many = frozenset({"c1", "c2", "c3", "c4"})
    place = replace(PLACE, held=cohorts(2), imported=many)
    assert codes(cohorts(2), place) == codes(cohorts(3, 2), place) == codes(cohorts(None, 2), place) == ([], [])
    assert codes(cohorts(2), replace(place, held=None)) == (["fewer_cohorts"], [])


def test_what_more_cohorts_come_to_is_said_where_it_leaves_nothing() -> None:
    spent = Spent({"c1": NanoRho(5 * 10**8), "c2": NanoRho(4 * 10**8)}, NanoRho(9 * 10**8))
    place = replace(PLACE, spent=spent, held=cohorts(1))
    assert codes(cohorts(1), place) == ([], [])
    (found,) = findings(cohorts(2, 2), place)
    assert (found.code, found.fields) == ("lifetime_overspent", {"spent": "0.9", "cap": "0.8"})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, 2, ("", "2", "loosens")),
        (3, 2, ("3", "2", "loosens")),
        (2, 3, ("2", "3", "tightens")),
        (2, None, ("2", "", "tightens")),
    ],
)
def test_the_fewer_cohorts_count_the_more_may_be_answered(
    old: int | None, new: int | None, expected: tuple[str, str, str]
) -> None:
    (found,) = changes(cohorts(old), cohorts(new))
    assert (found.field, found.old, found.new, found.direction) == ("households.most_cohorts", *expected)


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
