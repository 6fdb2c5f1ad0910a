"""Planning both modes together: within the price, with noise enough in every part, and as good as an optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rondgang.canonical import digest
from scipy.optimize import minimize

from policies.documents import from_canonical, to_canonical
from policies.secure.group import Group
from policies.secure.rounds import group_of
from policies.statistics.compile import Compilation, compile_blocks
from policies.statistics.plan import BadPlan, plan, price_allowance, trimmed
from policies.statistics.programme import Draft, DraftPrice, Programme
from policies.statistics.statistic import Statistic
from policies.statistics.verify import verify_plan
from policies.units.money import NanoRho
from policies.units.noise import MIN_SIGMA
from tests import national_study, small_study

QUESTIONS: list[dict[str, Any]] = [
    {"kind": "proportion", "unit": "household", "of": "help == yes"},
    {"kind": "proportion", "unit": "child", "of": "hurt_and_unhelped == yes"},
    {"kind": "mean", "unit": "household", "of": "incidents"},
    {"kind": "mean", "unit": "adult", "of": "wellbeing"},
    {"kind": "count", "unit": "household"},
    {"kind": "histogram", "unit": "household", "of": "profile"},
    {"kind": "transition", "unit": "household", "of": "state", "wave": "T0->T1"},
    {"kind": "variance", "unit": "household", "of": "incidents"},
]
PRICES = st.decimals("0.01", "1000", places=3).map(str)


@st.composite
def asked(draw: st.DrawFn, most: int = 5) -> tuple[Statistic, ...]:
    """One to `most` statistics of either mode; some share a denominator."""
    chosen = draw(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=most))
    modes = st.sampled_from(["regional", "national"])
    return tuple(
        Statistic.model_validate({"id": f"s{i}", "wave": "T1", "mode": draw(modes), **question})
        for i, question in enumerate(chosen)
    )


@st.composite
def region_weights(draw: st.DrawFn, least: int = 4) -> dict[str, str]:
    """Weights of a few regions: alike, with a common measure, or any."""
    codes = national_study.codes(draw(st.integers(least, 9)))
    each = draw(st.sampled_from([st.just("1"), st.sampled_from(["0.5", "1", "1.5", "3"]), _decimals()]))
    return {code: draw(each) for code in codes}


def _decimals() -> st.SearchStrategy[str]:
    return st.decimals("0.1", "10", places=2).map(str)


def planned(statistics: tuple[Statistic, ...], weights: Mapping[str, str], rho: str, **more: object) -> Programme:
    """Planned for regions of 50 households each."""
    update = {"statistics": statistics, "weights": weights, "price": {"rho": rho}, **more}
    draft = Draft.model_validate({**small_study.draft().model_dump(), **update})
    calendar = national_study.calendar(9)
    return plan(draft, small_study.codebook(), calendar, (small_study.hashes()[0], digest(to_canonical(calendar))))


@given(asked(), region_weights(), PRICES)
@settings(max_examples=100, deadline=None)
def test_both_modes_together_keep_to_the_price_and_verify(
    statistics: tuple[Statistic, ...], weights: dict[str, str], rho: str
) -> None:
    allowed = price_allowance(DraftPrice.model_validate({"rho": rho}))
    signed = planned(statistics, weights, rho)
    costs = {
        mode: NanoRho.ceil(sum((block.rho for block in signed.blocks if block.mode == mode), Fraction(0)))
        for mode in ("regional", "national")
    }
    assert signed.charge.of_answer == costs["regional"]
    assert signed.charge.of_attempt == costs["national"]
    assert signed.charge.amount <= allowed
    assert signed.charge.amount.nano >= allowed.nano * (1 - 1e-6) - 2
    assert isinstance(verify_plan(signed, small_study.codebook(), national_study.calendar(9)), Compilation)
    assert from_canonical(Programme, to_canonical(signed)) == signed


@given(asked(), region_weights(), PRICES)
@settings(max_examples=60, deadline=None)
def test_every_part_of_every_nodes_noise_has_eight_grid_units_and_the_bound_is_the_heaviest_regions(
    statistics: tuple[Statistic, ...], weights: dict[str, str], rho: str
) -> None:
    signed = planned(statistics, weights, rho)
    group, heaviest = group_of(signed), max(signed.steps.values())
    bounds = {block.id: block.bound for block in compile_blocks(signed.statistics, small_study.codebook()).blocks}
    for block in signed.of_mode("national"):
        assert group is not None
        assert all(part.fraction >= MIN_SIGMA for part in group.parts(block.scale))
        assert block.bound_squared == (bounds[block.id] * block.multiplier * heaviest) ** 2
    assert all(block.scale.large_enough for block in signed.of_mode("regional"))


def relative_variance(signed: Programme, variances: Any) -> float:
    """The weighted mean square relative error of the national figures, from the noise per block in base units.

    Regional blocks have one region's noise n times over; national ones, with everybody there, n/(n - t) times in the
    sum of all units by weight.
    """
    compilation = compile_blocks(signed.statistics, small_study.codebook())
    cohort = national_study.calendar(9).cohorts[signed.programme.cohort]
    steps, group = list(signed.steps.values()), group_of(signed)
    whole = 0.0
    for block, variance in zip(compilation.blocks, variances, strict=True):
        unit = block.selection.unit
        mean = sum(each.of(unit) for each in cohort.expected.values()) / len(cohort.expected)
        units = mean * len(block.terms) / block.cells * block.summand.top
        users = compilation.users(block.id)
        weight = float(len(users))
        if not compilation.own(block.id):
            counted = sum(one.kind in ("count", "sum", "histogram", "cross_table") for one in users)
            weight = counted + (weight - counted) / 2
        if block.mode == "regional":
            whole += weight * variance * len(steps) / (len(steps) * units) ** 2
        else:
            assert group is not None
            noise = variance * group.regions / (group.regions - group.colluders)
            whole += weight * noise / (sum(steps) * units) ** 2
    return whole


@given(asked(3), region_weights(), st.sampled_from(["0.05", "0.3"]))
@settings(max_examples=12, deadline=None)
def test_the_split_over_both_modes_is_as_good_as_an_optimisers(
    statistics: tuple[Statistic, ...], weights: dict[str, str], rho: str
) -> None:
    signed = planned(statistics, weights, rho)
    bounds = np.array([sqrt(block.bound_squared) / block.multiplier for block in signed.blocks])
    ours = np.array([float(block.scale.fraction / block.multiplier) ** 2 for block in signed.blocks])

    def objective(logits: Any) -> float:
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        return float(np.log(relative_variance(signed, bounds**2 / (2 * float(rho) * shares))))

    best = float(np.exp(minimize(objective, np.zeros(len(bounds)), method="BFGS", options={"gtol": 1e-7}).fun))
    assert best * (1 - 1e-3) <= relative_variance(signed, ours) <= best * (1 + 1e-3)


@given(asked(), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_with_too_few_regions_everything_is_planned_as_if_it_were_regional(
    statistics: tuple[Statistic, ...], regions: int
) -> None:
    weights = dict.fromkeys(national_study.codes(regions), "1")
    plain = tuple(one.model_copy(update={"mode": "regional"}) for one in statistics)
    signed = planned(statistics, weights, "0.1")
    assert signed == planned(plain, weights, "0.1")
    assert signed.secure is None


@given(region_weights(least=1), st.decimals("1", "4", places=2))
@settings(max_examples=100, deadline=None)
def test_trimming_cuts_what_is_above_so_many_medians_and_nothing_else(weights: dict[str, str], most: Decimal) -> None:
    written = {region: int(Decimal(weight) * 1000) for region, weight in weights.items()}
    cut = trimmed(written, most)
    limit = float(most) * median(written.values())
    for region, weight in written.items():
        assert cut[region] == weight if weight <= limit - 1 else abs(cut[region] - limit) <= 1
        assert 1 <= cut[region] <= weight


def test_the_signed_programme_holds_the_trimmed_weights() -> None:
    weights = dict(zip(national_study.codes(5), ("1", "1", "0.8", "1.2", "4"), strict=True))
    signed = planned(small_study.draft().statistics, weights, "0.1", trim="1.3")
    assert signed.weights == {"AA": 1000, "BB": 1000, "CC": 800, "DD": 1200, "EE": 1300}


@pytest.mark.parametrize("trim", ["0.99", "0", "-1", "1001", "NaN"])
def test_no_weight_is_cut_below_the_median(trim: str) -> None:
    weights = dict.fromkeys(national_study.codes(5), "1")
    with pytest.raises(ValidationError):
        planned(small_study.draft().statistics, weights, "0.1", trim=trim)


def test_equal_weights_have_nothing_to_trim() -> None:
    draft = small_study.draft().model_copy(update={"trim": Decimal("1.3")})
    with pytest.raises(BadPlan, match="nothing to cut"):
        plan(draft, small_study.codebook(), small_study.calendar(), small_study.hashes())


def test_a_group_that_cannot_be_is_a_bad_plan_with_the_numbers_in_it() -> None:
    statistics = national_study.draft(national=("*",)).statistics
    weights = dict.fromkeys(national_study.codes(8), "1")
    secure = {"colluders": 4, "dropouts": 2}
    with pytest.raises(BadPlan, match="8 regions are too few for 4 colluders and 2 dropouts"):
        planned(statistics, weights, "0.1", secure=secure)
    assert group_of(planned(statistics, {**weights, "II": "1"}, "0.1", secure=secure)) == Group(9, 4, 2)


def test_secure_without_a_national_statistic_is_a_mistake() -> None:
    weights = dict.fromkeys(national_study.codes(8), "1")
    with pytest.raises(BadPlan, match="no statistic has `mode: national`"):
        planned(small_study.draft().statistics, weights, "0.1", secure={"colluders": 1, "dropouts": 1})


def test_regression_steps_of_a_thousandth_may_not_fit_and_the_plan_says_what_helps() -> None:
    """A step of 0.001 makes a weight of 9.547 more than nine thousand steps, and so much larger the noise."""
    mean = Statistic.model_validate(
        {"id": "s", "kind": "mean", "unit": "household", "of": "incidents", "wave": "T1", "mode": "national"}
    )
    weights = dict(zip(national_study.codes(5), ("0.1", "0.1", "0.1", "0.1", "9.547"), strict=True))
    with pytest.raises(BadPlan, match=r"64 bits.*fewer decimals"):
        planned((mean,), weights, "0.0001")
    assert planned((mean,), {**weights, "EE": "9.5"}, "0.0001").steps["EE"] == 95
