"""What a policy is said to change is what it changes: no list of tightenings ever lets more through."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rondgang.canonical import digest

from policies.documents import to_canonical
from policies.rules.approval import Decision
from policies.rules.decide import Granted, Spent, Standing, decide
from policies.rules.policy_check import Place, changes, findings
from policies.rules.region_policy import RegionPolicy
from policies.units.money import NanoRho
from tests import national_study, small_study

SIGNED = small_study.planned()
TOGETHER = national_study.planned()
NAMES = [digest(to_canonical(signed)) for signed in (SIGNED, TOGETHER)]
CAPS = st.sampled_from(["0", "0.1", "0.199999999", "0.2", "0.3", "0.5"]).map(lambda rho: {"rho": rho})


def _rule(own_noise: str, attempts: int, colluders: int) -> dict[str, object]:
    return {"own_noise": {"rho": own_noise}, "attempts": attempts, "colluders": colluders}


RULES = st.builds(_rule, st.sampled_from(["0.1", "0.4", "1"]), st.integers(1, 3), st.integers(1, 2))
POLICIES = st.fixed_dictionaries(
    {
        "policy": st.builds(lambda version: {"version": version}, st.integers(1, 3)),
        "cohorts": st.dictionaries(st.sampled_from(["c1", "c2"]), CAPS),
        "lifetime": CAPS,
        "programme": CAPS,
        "statistics": st.sets(st.sampled_from(["count", "proportion", "mean", "transition"])).map(sorted),
        "variables": st.sets(st.sampled_from(["grade", "state", "incidents"])).map(lambda deny: {"deny": sorted(deny)}),
        "forbidden_crossings": st.sets(st.sampled_from([("profile", "state"), ("state", "profile"), ("help", "age")])),
        "approval": st.sampled_from(["automatic", "steward"]),
        "secure": st.none() | RULES,
        "households": st.none() | st.builds(lambda most: {"most_cohorts": most}, st.integers(1, 3)),
        "tick_ms": st.sampled_from([5, 25, 100]),
        "witnesses": st.builds(lambda n, f: {"need": n, "faulty": f}, st.integers(1, 4), st.integers(0, 2)),
    }
).map(RegionPolicy.model_validate)
GENEROUS = RegionPolicy.model_validate(
    {
        "policy": {"version": 1},
        "cohorts": {"c1": {"rho": "0.5"}},
        "lifetime": {"rho": "0.5"},
        "programme": {"rho": "0.3"},
    }
)
ONE_CHANGE = POLICIES.flatmap(
    lambda other: st.sets(st.sampled_from(sorted(RegionPolicy.model_fields.keys() - {"region", "test_only"}))).map(
        lambda kept: GENEROUS.model_copy(update={name: getattr(other, name) for name in kept})
    )
)
"""A policy that grants the small programme, with some of its fields drawn: so that grants are not rare."""


NOTHING = Spent({}, NanoRho(0))
DEAR = Spent({"c1": NanoRho(10**8), "c2": NanoRho(25 * 10**7), "c3": NanoRho(5 * 10**7)}, NanoRho(4 * 10**8))
"""So much that the number of cohorts that count decides."""


def standing(policy: RegionPolicy, word: Decision | None, spent: Spent = NOTHING) -> Standing:
    return Standing(
        region="AA",
        policy=policy,
        calendar=national_study.calendar(),
        codebooks={SIGNED.codebook_hash: small_study.codebook()},
        snapshots={"c1": SIGNED.codebook_hash},
        spent=spent,
        now=small_study.OPEN,
        approvals={} if word is None else dict.fromkeys(NAMES, word),
    )


@given(ONE_CHANGE, ONE_CHANGE, st.sampled_from(["approve", None]), st.sampled_from([NOTHING, DEAR]))
@settings(max_examples=300, deadline=None)
def test_without_a_loosening_nothing_is_granted_that_was_refused_before(
    old: RegionPolicy, new: RegionPolicy, word: Decision | None, spent: Spent
) -> None:
    directions = {change.direction for change in changes(old, new)}
    for asked, attempt in ((SIGNED, 0), (TOGETHER, 0), (TOGETHER, 1)):
        before, after = (decide(asked, standing(one, word, spent), attempt=attempt) for one in (old, new))
        if "loosens" not in directions and isinstance(after, Granted):
            assert isinstance(before, Granted)
        if "tightens" not in directions and isinstance(before, Granted):
            assert isinstance(after, Granted)


@given(POLICIES, POLICIES)
@settings(max_examples=100, deadline=None)
def test_the_way_back_has_the_same_fields_in_the_other_direction(old: RegionPolicy, new: RegionPolicy) -> None:
    other_way = {"loosens": "tightens", "tightens": "loosens", "neutral": "neutral"}
    there = sorted((one.field, one.old, one.new, one.direction) for one in changes(old, new))
    back = sorted((one.field, one.new, one.old, other_way[one.direction]) for one in changes(new, old))
    assert there == back
    assert changes(old, old) == ()


@given(POLICIES, st.none() | POLICIES, st.none() | st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_a_policy_that_was_adopted_may_be_adopted_again_and_a_weak_rule_never(
    policy: RegionPolicy, held: RegionPolicy | None, witnesses: int | None
) -> None:
    place = Place("AA", small_study.calendar(), (small_study.codebook(),), witnesses, held, NOTHING)
    found = {one.code: one for one in findings(policy, place)}
    again = findings(policy, replace(place, held=policy))
    assert not {"same_version", "older_version"} & {one.code for one in again}
    if witnesses is not None:
        sound = policy.witnesses.sound(witnesses)
        assert sound == (not {"weak_rule", "few_witnesses"} & set(found))
        if "weak_rule" in found:
            least = int(found["weak_rule"].fields["least"])
            assert policy.witnesses.model_copy(update={"need": least}).sound(witnesses)
            assert not policy.witnesses.model_copy(update={"need": least - 1}).sound(witnesses)
