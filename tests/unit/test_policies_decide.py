"""Deciding: every reason can be given, in a fixed order, and money is counted to the last nano-rho."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from rondgang.canonical import digest

from policies.documents import parse_yaml, to_canonical
from policies.rules.approval import DECLINED_SENTENCES, DeclineReason
from policies.rules.decide import Granted, Spent, Standing, decide, left
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import Cap, RegionPolicy
from policies.rules.turn import not_its_turn
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar, instant
from policies.units.money import NanoRho
from tests import rotating_study, small_study

SIGNED = small_study.planned()
COST = SIGNED.charge.amount.nano


def standing(**changes: Any) -> Standing:
    """Region AA on an open day, with nothing spent; other fields at will."""
    codebook_hash = SIGNED.codebook_hash
    plain = Standing(
        region="AA",
        policy=small_study.region_policy(),
        calendar=small_study.calendar(),
        codebooks={codebook_hash: small_study.codebook()},
        snapshots={"c1": codebook_hash},
        spent=Spent({}, NanoRho(0)),
        now=small_study.OPEN,
    )
    return replace(plain, **changes)


def reason(programme: Programme, now: Standing) -> Reason | None:
    found = decide(programme, now)
    return found.reason if isinstance(found, Refused) else None


def caps(cohort: int, lifetime: int, programme: int) -> RegionPolicy:
    """A policy with these caps in nano-rho."""
    policy = small_study.region_policy()
    amounts = [Cap.model_validate({"rho": NanoRho(nano).text()}) for nano in (cohort, lifetime, programme)]
    fields = {"cohorts": {"c1": amounts[0]}, "lifetime": amounts[1], "programme": amounts[2]}
    return policy.model_copy(update=fields)


def test_what_the_rules_allow_is_granted_for_its_exact_price() -> None:
    found = decide(SIGNED, standing())
    assert isinstance(found, Granted)
    assert found.charge == SIGNED.charge.amount
    assert isinstance(found.compilation, Compilation)
    assert [block.id for block in found.compilation.blocks] == [block.id for block in SIGNED.blocks]


Case = tuple[Programme, Standing]


def _heading(case: Case, **changes: object) -> Case:
    return case[0].model_copy(update={"programme": case[0].programme.model_copy(update=changes)}), case[1]


def _policy(case: Case, **changes: object) -> Case:
    return case[0], replace(case[1], policy=case[1].policy.model_copy(update=changes))


BREACHES: tuple[tuple[Reason, Callable[[Case], Case]], ...] = (
    (Reason.DEADLINE_PASSED, lambda case: _heading(case, deadline=small_study.OPEN - 10 * 366 * 86_400)),
    (Reason.WRONG_COHORT, lambda case: _heading(case, cohort="c9")),
    (Reason.OFF_ROTATION, lambda case: (case[0], replace(case[1], region="DD"))),
    (Reason.OUTSIDE_WINDOW, lambda case: (case[0], replace(case[1], now=instant("2025-12-31")))),
    (Reason.NO_SNAPSHOT, lambda case: (case[0], replace(case[1], snapshots={}))),
    (Reason.WRONG_PRICE, lambda case: (case[0].model_copy(
        update={"charge": case[0].charge.model_copy(update={"rho": COST + 1})}), case[1])),
    (Reason.FORBIDDEN_KIND, lambda case: _policy(case, statistics=("transition",))),
    (Reason.FORBIDDEN_VARIABLE, lambda case: _policy(
        case, variables=case[1].policy.variables.model_copy(update={"deny": ("incidents",)}))),
    (Reason.FORBIDDEN_CROSSING, lambda case: _policy(case, forbidden_crossings=(("state", "incidents"),))),
    (Reason.OVER_PROGRAMME_CAP, lambda case: _policy(case, programme=Cap.model_validate({"rho": "0.1"}))),
    (Reason.OVER_COHORT_CAP, lambda case: _policy(case, cohorts={"c1": Cap.model_validate({"rho": "0.01"})})),
    (Reason.OVER_LIFETIME_CAP, lambda case: _policy(case, lifetime=Cap.model_validate({"rho": "0.001"}))),
    (Reason.AWAITING_APPROVAL, lambda case: _policy(case, approval="steward")),
)  # fmt: skip


@pytest.mark.parametrize("first", range(len(BREACHES)), ids=[wanted.value for wanted, _ in BREACHES])
def test_the_reason_is_the_first_in_a_fixed_order(first: int) -> None:
    """Every breach from this one on at once: the earliest is the one that is said."""
    wanted, breach = BREACHES[first]
    assert reason(*breach((SIGNED, standing()))) is wanted
    case: Case = (SIGNED, standing())
    for _, later in BREACHES[first:]:
        case = later(case)
    assert reason(*case) is wanted


def test_a_snapshot_of_another_codebook_is_a_mismatch() -> None:
    other = "f" * 64
    assert reason(SIGNED, standing(snapshots={"c1": other})) is Reason.CODEBOOK_MISMATCH
    assert reason(SIGNED, standing(codebooks={})) is Reason.CODEBOOK_MISMATCH
    foreign = SIGNED.model_copy(update={"codebook_hash": other})
    assert reason(foreign, standing()) is Reason.CODEBOOK_MISMATCH


def test_a_region_that_the_programme_does_not_ask_is_off_rotation() -> None:
    some = SIGNED.model_copy(update={"weights": {"BB": 1000}})
    assert reason(some, standing()) is Reason.OFF_ROTATION
    assert reason(some, standing(region="BB")) is None


def test_the_window_and_the_deadline_include_their_last_second() -> None:
    first, last = instant("2026-01-01"), instant("2026-12-31", end_of_day=True)
    late = SIGNED.model_copy(update={"programme": small_study.heading(deadline=last + 100)})
    assert [reason(late, standing(now=now)) for now in (first - 1, last + 1)] == [Reason.OUTSIDE_WINDOW] * 2
    assert [reason(late, standing(now=now)) for now in (first, last)] == [None] * 2
    deadline = SIGNED.programme.deadline
    assert reason(SIGNED, standing(now=deadline)) is None
    assert reason(SIGNED, standing(now=deadline + 1)) is Reason.DEADLINE_PASSED


BIG = 10**11
"""A hundred rho: far above the programme's price."""


@pytest.mark.parametrize(
    ("cohort", "lifetime", "programme", "spent_cohort", "spent_lifetime", "wanted"),
    [
        (COST, COST, COST, 0, 0, None),
        (BIG, BIG, COST - 1, 0, 0, Reason.OVER_PROGRAMME_CAP),
        (COST - 1, BIG, BIG, 0, 0, Reason.OVER_COHORT_CAP),
        (BIG, COST - 1, BIG, 0, 0, Reason.OVER_LIFETIME_CAP),
        (BIG, BIG, BIG, BIG - COST, BIG - COST, None),
        (BIG, BIG, BIG, BIG - COST + 1, 0, Reason.OVER_COHORT_CAP),
        (BIG, BIG, BIG, 0, BIG - COST + 1, Reason.OVER_LIFETIME_CAP),
        (BIG, BIG, BIG, BIG, 0, Reason.OVER_COHORT_CAP),
        (BIG, BIG, BIG, 10**40, 0, Reason.OVER_COHORT_CAP),
        (BIG, BIG, BIG, 0, 10**40, Reason.OVER_LIFETIME_CAP),
        (0, BIG, BIG, 0, 0, Reason.OVER_COHORT_CAP),
        (BIG, BIG, 0, 0, 0, Reason.OVER_PROGRAMME_CAP),
    ],
)
def test_exactly_at_a_cap_is_granted_and_one_nano_more_is_refused(
    cohort: int, lifetime: int, programme: int, spent_cohort: int, spent_lifetime: int, wanted: Reason | None
) -> None:
    spent = Spent({"c1": NanoRho(spent_cohort)}, NanoRho(spent_lifetime))
    now = standing(policy=caps(cohort, lifetime, programme), spent=spent)
    assert reason(SIGNED, now) is wanted
    assert left("c1", now) == (
        NanoRho(max(0, cohort - spent_cohort)),
        NanoRho(max(0, lifetime - spent_lifetime)),
    )


def test_a_cohort_without_a_cap_has_no_budget() -> None:
    now = standing(policy=caps(BIG, BIG, BIG).model_copy(update={"cohorts": {"c2": Cap.model_validate({"rho": "1"})}}))
    assert reason(SIGNED, now) is Reason.OVER_COHORT_CAP
    assert left("c1", now)[0] == NanoRho(0)


def test_what_another_cohort_spent_counts_for_the_lifetime_only() -> None:
    policy = caps(COST, 2 * COST, COST)
    assert reason(SIGNED, standing(policy=policy, spent=Spent({"c2": NanoRho(COST)}, NanoRho(COST)))) is None


@pytest.mark.parametrize(
    "name", ["incidents", "state", "profile", "help", "age", "trauma", "hurt_and_unhelped", "grade"]
)
def test_a_denied_variable_is_found_in_every_part_of_a_question(name: str) -> None:
    """As summand, filter, key, missing rule, mean, or behind a derived variable."""
    policy = small_study.region_policy(variables={"deny": [name]})
    assert reason(SIGNED, standing(policy=policy)) is Reason.FORBIDDEN_VARIABLE


def test_a_variable_that_is_not_used_may_be_denied() -> None:
    asked = small_study.planned([s for s in SIGNED.statistics if s.unit == "adult"])
    policy = small_study.region_policy(variables={"deny": ["incidents", "trauma", "grade"]})
    assert reason(asked, standing(policy=policy)) is None


@pytest.mark.parametrize(
    ("pair", "statistic"),
    [
        (("profile", "state"), "change"),
        (("state", "profile"), "change"),
        (("profile", "incidents"), "change"),
        (("help", "incidents"), "helped"),
        (("safe", "profile"), "adults_safe"),
        (("age", "help"), "hurt"),
        (("trauma", "help"), "hurt"),
    ],
)
def test_a_forbidden_crossing_is_seen_through_derived_variables(pair: tuple[str, str], statistic: str) -> None:
    """`state` comes from incidents, `hurt_and_unhelped` from trauma and help."""
    policy = small_study.region_policy(forbidden_crossings=[pair])
    found = decide(SIGNED, standing(policy=policy))
    assert isinstance(found, Refused)
    assert found.reason is Reason.FORBIDDEN_CROSSING
    assert f"({statistic})" in found.sentence


def test_two_variables_in_different_statistics_do_not_cross() -> None:
    assert reason(SIGNED, standing(policy=small_study.region_policy(forbidden_crossings=[["grade", "safe"]]))) is None


def test_the_price_of_a_thousand_million_rho_is_refused_for_money() -> None:
    """Nobody can plan it here, but anybody can sign it; at the true price of its noise it is above every cap."""
    costly = small_study.planned(rho="1000000")
    assert reason(costly, standing(policy=caps(10**12, 10**12, 10**12))) is Reason.OVER_PROGRAMME_CAP


def test_every_sentence_says_something_and_nothing_of_rows() -> None:
    for _, breach in BREACHES:
        found = decide(*breach((SIGNED, standing())))
        assert isinstance(found, Refused)
        assert found.sentence[0].isupper()
        assert found.sentence.endswith(".")


@pytest.mark.parametrize("why", get_args(DeclineReason))
def test_a_declined_programme_is_refused_with_the_stewards_reason_and_nothing_else(why: DeclineReason) -> None:
    name = digest(to_canonical(SIGNED))
    found = decide(SIGNED, standing(approvals={name: "decline"}, declined={name: why}))
    assert found == Refused(Reason.DECLINED, DECLINED_SENTENCES[why])


def test_an_approval_is_for_one_programme_to_the_last_byte() -> None:
    steward = small_study.region_policy(approval="steward")
    now = standing(policy=steward, approvals={digest(to_canonical(SIGNED)): "approve"})
    assert reason(SIGNED, now) is None
    renamed = SIGNED.model_copy(update={"programme": small_study.heading(purpose="To have something else to check")})
    assert reason(renamed, now) is Reason.AWAITING_APPROVAL


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"0.5"', '"-0.1"', "cohorts.c1.rho: expected a cap between"),
        ('"0.5"', '"1000.1"', "cohorts.c1.rho: expected a cap between"),
        ('"0.5"', '"inf"', "cohorts.c1.rho: expected a decimal number"),
        ("c1", "C1", "cohorts.C1: "),
        ("lifetime:", "life:", "life: this key is not known"),
        ("policy: {version: 1}", "policy: {version: 0}", "policy.version: "),
        ("policy: {version: 1}", "policy: {version: 1}\ntick_ms: 4", "tick_ms: "),
        ("policy: {version: 1}", "policy: {version: 1}\nstatistics: [guess]", "statistics.0: "),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"policy\.yaml") as caught:
        parse_yaml(RegionPolicy, small_study.POLICY.replace(before, after, 1), "policy.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("region", "cohort", "day", "said"),
    [
        ("BB", "c3", "2026-11-22", "Region BB is not asked in cohort c3. Ask the regions on rotation."),
        ("MM", "c3", "2028-12-31", "Region MM exists from 2029-01-01 on. Ask those that it comes of until then."),
        ("BB", "c4", "2029-01-01", "Region BB existed until 2028-12-31. Ask MM in its place."),
        ("FF", "c4", "2031-01-01", "Region FF existed until 2030-12-31. Ask GG and HH in its place."),
        ("MM", "c6", "2033-06-01", "Region MM is not asked in cohort c6. Ask the regions on rotation."),
    ],
)
def test_a_region_off_rotation_is_told_why_and_who_is_asked_instead(
    region: str, cohort: str, day: str, said: str
) -> None:
    found = not_its_turn(region, cohort, rotating_study.calendar(), instant(day))
    assert found == Refused(Reason.OFF_ROTATION, said)


def test_heirs_are_asked_from_their_first_day_on() -> None:
    calendar = rotating_study.calendar()
    assert not_its_turn("MM", "c4", calendar, instant("2029-01-01")) is None
    assert not_its_turn("GG", "c2", calendar, instant("2031-01-01")) is None
    assert not_its_turn("BB", "c4", calendar, instant("2028-12-31", end_of_day=True)) is None


def test_a_region_that_ended_for_good_is_left_out() -> None:
    text = rotating_study.ROTATION.replace(
        "CC: {name: {nl: Cee, en: Cee}, group: B", "CC: {name: {nl: Cee, en: Cee}, group: B, until: 2030-06-30"
    )
    found = not_its_turn("CC", "c5", parse_yaml(Calendar, text, "rotation.yaml"), instant("2031-01-01"))
    assert found == Refused(Reason.OFF_ROTATION, "Region CC existed until 2030-06-30. Leave it out.")
