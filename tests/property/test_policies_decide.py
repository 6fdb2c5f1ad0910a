"""Deciding on generated ledgers and programmes: more spent never helps, a steward only narrows, nothing breaks it."""

from copy import deepcopy
from dataclasses import replace
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from rondgang.canonical import digest

from policies.documents import from_canonical, to_canonical
from policies.rules.approval import Decision, DeclineReason
from policies.rules.decide import Granted, Spent, Standing, decide
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import Cap
from policies.statistics.programme import PlannedBlock, Programme
from policies.statistics.statistic import Statistic
from policies.units.money import NanoRho
from tests import small_study

SIGNED = small_study.planned()
COST = SIGNED.charge.amount.nano
NEAR = st.integers(0, 3 * COST) | st.sampled_from([0, COST - 1, COST, COST + 1, 10**30]) | st.integers(0, 10**30)
CAPS = st.integers(0, 3 * COST) | st.sampled_from([0, COST - 1, COST, COST + 1, 2 * COST])
MONEY = {Reason.OVER_PROGRAMME_CAP, Reason.OVER_COHORT_CAP, Reason.OVER_LIFETIME_CAP}


def standing(caps: tuple[int, int, int] = (10**12, 10**12, 10**12), spent: tuple[int, int] = (0, 0)) -> Standing:
    cohort, lifetime, programme = (Cap.model_validate({"rho": NanoRho(nano).text()}) for nano in caps)
    policy = small_study.region_policy().model_copy(
        update={"cohorts": {"c1": cohort}, "lifetime": lifetime, "programme": programme}
    )
    return Standing(
        region="AA",
        policy=policy,
        calendar=small_study.calendar(),
        codebooks={SIGNED.codebook_hash: small_study.codebook()},
        snapshots={"c1": SIGNED.codebook_hash},
        spent=Spent({"c1": NanoRho(spent[0])}, NanoRho(spent[1])),
        now=small_study.OPEN,
    )


@given(st.tuples(CAPS, CAPS, CAPS), st.tuples(NEAR, NEAR))
@settings(max_examples=200, deadline=None)
def test_a_grant_is_the_inequality_in_whole_numbers(caps: tuple[int, int, int], spent: tuple[int, int]) -> None:
    found = decide(SIGNED, standing(caps, spent))
    fits = caps[2] >= COST and spent[0] + COST <= caps[0] and spent[1] + COST <= caps[1]
    assert isinstance(found, Granted) == fits
    if isinstance(found, Refused):
        assert found.reason in MONEY


@given(st.tuples(CAPS, CAPS, CAPS), st.tuples(NEAR, NEAR), st.tuples(NEAR, NEAR))
@settings(max_examples=100, deadline=None)
def test_spending_more_never_turns_a_refusal_into_a_grant(
    caps: tuple[int, int, int], spent: tuple[int, int], more: tuple[int, int]
) -> None:
    after = (spent[0] + more[0], spent[1] + more[1])
    if isinstance(decide(SIGNED, standing(caps, spent)), Refused):
        assert isinstance(decide(SIGNED, standing(caps, after)), Refused)


@given(st.lists(st.sampled_from(["0.05", "0.1", "0.07"]), max_size=8), st.integers(0, 5 * 10**8))
@settings(max_examples=50, deadline=None)
def test_a_ledger_never_passes_its_cap_whatever_is_asked(prices: list[str], cap: int) -> None:
    spent = 0
    for rho in prices:
        found = decide(BY_PRICE[rho], standing((cap, cap, 10**12), (spent, spent)))
        spent += found.charge.nano if isinstance(found, Granted) else 0
    assert spent <= cap


BY_PRICE = {rho: small_study.planned(rho=rho) for rho in ("0.05", "0.1", "0.07")}


@given(st.tuples(CAPS, CAPS, CAPS), st.tuples(NEAR, NEAR))
@settings(max_examples=30, deadline=None)
def test_a_decision_depends_on_its_arguments_and_leaves_them_alone(
    caps: tuple[int, int, int], spent: tuple[int, int]
) -> None:
    now = standing(caps, spent)
    before = deepcopy((now.spent, dict(now.snapshots), to_canonical(now.policy), to_canonical(SIGNED)))
    first = decide(SIGNED, now)
    assert decide(from_canonical(Programme, to_canonical(SIGNED)), now) == first
    assert (now.spent, dict(now.snapshots), to_canonical(now.policy), to_canonical(SIGNED)) == before


NAME = digest(to_canonical(SIGNED))
OTHER = digest(to_canonical(BY_PRICE["0.05"]))
WORD: st.SearchStrategy[Decision | None] = st.sampled_from(("approve", "decline", None))
STEWARDS = {Reason.AWAITING_APPROVAL, Reason.DECLINED}


def by_steward(now: Standing, words: dict[str, Decision | None], why: DeclineReason = "price") -> Standing:
    """The same standing where the steward decides, and has said this."""
    said = {name: word for name, word in words.items() if word is not None}
    declined = {name: why for name, word in said.items() if word == "decline"}
    policy = now.policy.model_copy(update={"approval": "steward"})
    return replace(now, policy=policy, approvals=said, declined=declined)


@given(st.tuples(CAPS, CAPS, CAPS), st.tuples(NEAR, NEAR), WORD, WORD, st.sampled_from(get_args(DeclineReason)))
@settings(max_examples=100, deadline=None)
def test_a_steward_is_asked_only_about_what_the_rules_would_grant(
    caps: tuple[int, int, int],
    spent: tuple[int, int],
    word: Decision | None,
    of_another: Decision | None,
    why: DeclineReason,
) -> None:
    """And no word on another programme counts for this one."""
    now = standing(caps, spent)
    without, found = decide(SIGNED, now), decide(SIGNED, by_steward(now, {NAME: word, OTHER: of_another}, why))
    if isinstance(without, Refused) or word == "approve":
        assert found == without
    else:
        assert isinstance(found, Refused)
        assert found.reason is (Reason.DECLINED if word == "decline" else Reason.AWAITING_APPROVAL)


@given(st.lists(WORD, min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_the_newest_word_counts_under_every_later_policy(words: list[Decision | None]) -> None:
    newest = next((word for word in reversed(words) if word is not None), None)
    asked = by_steward(standing(), {NAME: newest})
    automatic = replace(asked, policy=standing().policy)
    by_policy = {name: decide(SIGNED, now) for name, now in (("steward", asked), ("automatic", automatic))}
    granted = {name for name, found in by_policy.items() if isinstance(found, Granted)}
    assert granted == {"approve": {"steward", "automatic"}, "decline": set(), None: {"automatic"}}[newest]
    assert all(found.reason in STEWARDS for found in by_policy.values() if isinstance(found, Refused))


WORDS = st.lists(
    st.sampled_from(
        [
            "state",
            "@",
            "T0",
            "T1",
            "==",
            "none",
            "help",
            "profile",
            "safe",
            "in",
            "{",
            "}",
            "missing",
            "(",
            ")",
            "not",
            "and",
        ]
    ),
    max_size=7,
).map(" ".join)
STATISTICS = st.builds(
    Statistic,
    id=st.sampled_from(["a", "n1", "stopped"]),
    kind=st.sampled_from(["count", "proportion", "mean", "transition"]),
    of=st.none() | WORDS | st.sampled_from(["state@T0", "state", "help == yes", "grade", "profile"]),
    unit=st.sampled_from(["household", "adult", "child"]),
    wave=st.sampled_from(["T0", "T1", "T0->T1", "T1->T1", "T9"]),
    where=st.none() | WORDS,
    by=st.lists(WORDS | st.sampled_from(["profile", "help@T0", "state"]), max_size=1).map(tuple),
)
BLOCKS = st.builds(
    PlannedBlock,
    id=st.sampled_from(["a", "n1", "stopped"]),
    cells=st.integers(1, 2**53 - 1) | st.just(1),
    multiplier=st.integers(1, 2**53 - 1) | st.just(1),
    bound_squared=st.integers(-5, 5) | st.integers(),
    sigma=st.tuples(st.integers(-3, 2**53), st.integers(-3, 70)) | st.just((8, 0)),
)


@given(
    st.lists(STATISTICS, min_size=1, max_size=3).map(tuple) | st.just(SIGNED.statistics),
    st.lists(BLOCKS, min_size=1, max_size=3).map(tuple) | st.just(SIGNED.blocks),
    st.integers(min_value=1) | st.just(COST),
)
@settings(max_examples=300, deadline=None)
def test_whatever_a_researcher_signs_is_decided_not_raised(
    statistics: tuple[Statistic, ...], blocks: tuple[PlannedBlock, ...], charge: int
) -> None:
    asked = SIGNED.model_copy(
        update={
            "statistics": statistics,
            "blocks": blocks,
            "charge": SIGNED.charge.model_copy(update={"rho": charge}),
        }
    )
    assert isinstance(decide(asked, standing()), Granted | Refused)
