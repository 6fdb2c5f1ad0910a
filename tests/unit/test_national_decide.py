"""Deciding on national sums: what a region's policy asks of them, and what each attempt must be paid with."""

from dataclasses import replace

import pytest

from policies.rules.decide import Granted, Spent, Standing, decide, first_of
from policies.rules.refusals import Reason
from policies.rules.region_policy import RegionPolicy
from policies.statistics.programme import Programme, Secure
from policies.units.money import NanoRho
from tests import national_study, small_study
from tests.national_study import RULE, region_policy

MIXED = national_study.planned()
ALL = national_study.planned(rho="0.1", national=("*",))
CHARGE = MIXED.charge


def standing(policy: RegionPolicy | None = None, spent: int = 0) -> Standing:
    """Region AA on an open day, where so many nano-rho are spent."""
    gone = NanoRho(spent)
    return Standing(
        region="AA",
        policy=policy or region_policy(),
        calendar=national_study.calendar(),
        codebooks={MIXED.codebook_hash: small_study.codebook()},
        snapshots={"c1": MIXED.codebook_hash},
        spent=Spent({"c1": gone}, gone),
        now=small_study.OPEN,
    )


def told(programme: Programme, now: Standing, attempt: int = 0) -> str | Reason:
    """The charge in rho, or the reason why not."""
    found = decide(programme, now, attempt=attempt)
    return found.charge.text() if isinstance(found, Granted) else found.reason


def test_an_answer_and_each_attempt_are_charged_apart() -> None:
    answer, attempt = CHARGE.of_answer.text(), CHARGE.of_attempt.text()
    assert [told(MIXED, standing(), k) for k in (0, 1, 2)] == [answer, attempt, attempt]
    assert [told(ALL, standing(), k) for k in (1, 2)] == [ALL.charge.amount.text()] * 2


def test_nothing_is_granted_that_the_programme_does_not_ask() -> None:
    regional = small_study.planned()
    assert told(regional, standing(), 1) is Reason.MALFORMED
    assert told(ALL, standing()) is Reason.MALFORMED
    assert told(MIXED, standing(), 3) is Reason.MALFORMED
    assert [first_of(one) for one in (regional, MIXED, ALL)] == [0, 0, 1]


def test_a_policy_that_says_nothing_of_national_sums_refuses_the_whole_programme() -> None:
    for attempt in (0, 1):
        found = decide(MIXED, standing(small_study.region_policy()), attempt=attempt)
        assert not isinstance(found, Granted)
        assert found.reason is Reason.FORBIDDEN_KIND
        assert "mode: regional" in found.sentence
    assert told(small_study.planned(), standing(small_study.region_policy())) != Reason.FORBIDDEN_KIND


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"colluders": 2}, Reason.FORBIDDEN_KIND),
        ({"attempts": 1}, Reason.OVER_PROGRAMME_CAP),
        ({"own_noise": {"rho": "0.132"}}, Reason.OVER_PROGRAMME_CAP),
        ({"attempts": 2}, None),
    ],
)
def test_the_policy_says_how_far_a_programme_may_go(rule: dict[str, object], reason: Reason | None) -> None:
    policy = region_policy(secure={**RULE, **rule})
    for attempt in (0, 1, 2):
        found = told(MIXED, standing(policy), attempt)
        assert found is reason if reason else isinstance(found, str)


def test_own_noise_is_capped_to_the_last_nano_rho() -> None:
    """Price times n - t: with parts taken back that is what a household is left with beyond t colluders."""
    alone = NanoRho(CHARGE.national * 3)
    below = NanoRho(alone.nano - 1)
    least = region_policy(secure={**RULE, "own_noise": {"rho": below.text()}})
    assert told(MIXED, standing(least)) is Reason.OVER_PROGRAMME_CAP
    assert isinstance(told(MIXED, standing(region_policy(secure={**RULE, "own_noise": {"rho": alone.text()}}))), str)


@pytest.mark.parametrize("programme", [MIXED, ALL], ids=["mixed", "all national"])
def test_what_a_run_begins_with_is_granted_only_where_every_attempt_can_be_paid(programme: Programme) -> None:
    begins, most = first_of(programme), programme.most_charge.nano
    assert most == programme.charge.of_answer.nano + 2 * programme.charge.of_attempt.nano
    cap = 500_000_000
    assert isinstance(told(programme, standing(spent=cap - most), begins), str)
    short = standing(spent=cap - most + 1)
    assert told(programme, short, begins) is Reason.OVER_COHORT_CAP
    assert isinstance(told(programme, short, begins + 1), str), "a later attempt needs its own price"
    last = standing(spent=cap - programme.charge.of_attempt.nano)
    assert isinstance(told(programme, last, 2), str)
    assert told(programme, replace(last, spent=Spent({"c1": NanoRho(cap)}, NanoRho(0))), 2) is Reason.OVER_COHORT_CAP


def test_the_cap_of_a_programme_holds_for_all_its_attempts_together() -> None:
    for nano, fits in ((MIXED.most_charge.nano, True), (MIXED.most_charge.nano - 1, False)):
        policy = region_policy(programme={"rho": NanoRho(nano).text()})
        for attempt in (0, 1, 2):
            found = told(MIXED, standing(policy), attempt)
            assert isinstance(found, str) if fits else found is Reason.OVER_PROGRAMME_CAP


def test_a_steward_decides_on_the_attempts_too() -> None:
    waits = region_policy(approval="steward")
    assert [told(MIXED, standing(waits), k) for k in (0, 1)] == [Reason.AWAITING_APPROVAL] * 2


def test_a_group_that_cannot_be_is_malformed() -> None:
    broken = MIXED.model_copy(update={"secure": Secure(colluders=2, dropouts=1, attempts=2)})
    assert told(broken, standing(), 1) is Reason.MALFORMED


def test_only_a_policy_for_tests_may_cap_own_noise_beyond_the_ordinary_range() -> None:
    wide = {"own_noise": {"rho": "5000"}}
    with pytest.raises(ValueError, match="1000"):
        region_policy(secure=wide)
    allowed = region_policy(test_only=True, secure=wide).secure
    assert allowed is not None
    assert allowed.own_noise.amount == NanoRho(5000 * 10**9)
