"""Planning on generated programmes: never above the price, never too little noise, and as good as an optimiser."""

from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from policies.documents import from_canonical, to_canonical
from policies.statistics.compile import Compilation, compile_blocks
from policies.statistics.plan import BadPlan, plan, price_allowance
from policies.statistics.programme import DraftPrice, Programme
from policies.statistics.statistic import Statistic
from policies.statistics.verify import verify_plan
from policies.units.money import NanoRho
from tests import small_study

HOUSEHOLD = ["help == yes", "incidents > 1", "state != none and not missing(profile)", "missing(grade)"]
QUESTIONS: list[dict[str, Any]] = [
    *({"kind": "proportion", "unit": "household", "of": of} for of in HOUSEHOLD),
    {"kind": "proportion", "unit": "adult", "of": "safe == yes"},
    {"kind": "proportion", "unit": "child", "of": "hurt_and_unhelped == yes"},
    {"kind": "mean", "unit": "household", "of": "incidents"},
    {"kind": "mean", "unit": "household", "of": "grade"},
    {"kind": "mean", "unit": "household", "of": "incidents", "within": ["1", "3"]},
    {"kind": "mean", "unit": "adult", "of": "wellbeing"},
    {"kind": "count", "unit": "household"},
    {"kind": "count", "unit": "child"},
    {"kind": "transition", "unit": "household", "of": "state", "wave": "T0->T1"},
    {"kind": "transition", "unit": "child", "of": "trauma", "wave": "T0->T1"},
    {"kind": "sum", "unit": "household", "of": "incidents"},
    {"kind": "histogram", "unit": "household", "of": "incidents", "bins": ["1", "3"]},
    {"kind": "cross_table", "unit": "household", "of": ["state", "silent"]},
    {"kind": "variance", "unit": "household", "of": "incidents"},
    {"kind": "standard_deviation", "unit": "adult", "of": "wellbeing"},
    {"kind": "mean", "unit": "adult", "of": "wellbeing", "wave": "T0+T1", "where": None},
]
WEIGHTS = st.decimals("0.001", "1000", places=3).map(str)
PRICES = st.decimals("0.000001", "1000", places=6).map(str) | st.sampled_from(["0.000000001", "1000000"])


@st.composite
def programmes(draw: st.DrawFn, most: int = 6) -> tuple[Statistic, ...]:
    """One to `most` statistics with any filter, key and weight; some share a denominator."""
    chosen = draw(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=most))
    return tuple(
        Statistic.model_validate(
            {
                "id": f"s{i}",
                "wave": "T1",
                "where": draw(st.sampled_from([None, "profile == c", "incidents@T0 > 0"])),
                "by": draw(st.sampled_from([[], [], ["profile"], ["help"]])),
                "weight": draw(st.just("1") | WEIGHTS),
                **question,
            }
        )
        for i, question in enumerate(chosen)
    )


@given(programmes(), PRICES)
@settings(max_examples=150, deadline=None)
def test_a_planned_programme_keeps_to_its_price_and_verifies(asked: tuple[Statistic, ...], rho: str) -> None:
    allowed = price_allowance(DraftPrice.model_validate({"rho": rho}))
    try:
        signed = small_study.planned(asked, rho)
    except BadPlan as error:
        assert "could leave 64 bits" in str(error) or "leaves 64 bits" in str(error)
        assert allowed.rho < 1
        return
    price = sum((block.rho for block in signed.blocks), Fraction(0))
    assert signed.charge.amount == NanoRho.ceil(price)
    assert signed.charge.amount <= allowed
    # Rounding sigma up to its grid gives away less than a millionth.
    assert signed.charge.amount.nano >= allowed.nano * (1 - 1e-6) - 1
    assert all(block.scale.large_enough for block in signed.blocks)
    assert isinstance(verify_plan(signed, small_study.codebook(), small_study.calendar()), Compilation)
    assert from_canonical(Programme, to_canonical(signed)) == signed


@given(programmes(), st.sampled_from(["0.01", "0.2"]))
@settings(max_examples=40, deadline=None)
def test_planning_again_gives_the_same_bytes(asked: tuple[Statistic, ...], rho: str) -> None:
    first = small_study.planned(asked, rho)
    assert to_canonical(small_study.planned(asked, rho)) == to_canonical(first)
    # What is signed is already in canonical spelling: planning it once more changes nothing.
    assert small_study.planned(first.statistics, rho) == first


def relative_variance(signed: Programme, variances: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """The weighted mean square relative error of a programme, from `sigma^2` per block in its own grid units.

    A share's noise variance is [s_N^2 + (2p-1)^2 s_D^2]/D^2 on the centred scale; the plan takes 1/2 for (2p-1)^2.
    """
    compilation = compile_blocks(signed.statistics, small_study.codebook())
    cohort = small_study.calendar().cohorts[signed.programme.cohort]
    by_id = {block.id: (block, variance) for block, variance in zip(compilation.blocks, variances, strict=True)}
    total = 0.0
    for compiled in compilation.statistics:
        statistic = compiled.statistic
        expected = [region.of(statistic.unit) for region in cohort.expected.values()]
        for name in compiled.sums:
            block, variance = by_id[name]
            cell = len(block.terms) * sum(expected) / len(expected) / block.cells
            total += float(statistic.weight) * variance / (block.summand.top * cell) ** 2
        if compiled.denominator:
            block, variance = by_id[compiled.denominator]
            cell = len(block.terms) * sum(expected) / len(expected) / block.cells
            share = 1.0 if statistic.kind in ("count", "sum", "histogram", "cross_table") else 1 / 2
            total += float(statistic.weight) * share * variance / cell**2
    return total


@given(programmes(most=3), st.sampled_from(["0.05", "0.3"]))
@settings(max_examples=15, deadline=None)
def test_the_split_is_as_good_as_an_optimisers(asked: tuple[Statistic, ...], rho: str) -> None:
    signed = small_study.planned(asked, rho)
    bounds = np.array([sqrt(block.bound_squared) / block.multiplier for block in signed.blocks])
    ours = np.array([float(block.scale.fraction / block.multiplier) ** 2 for block in signed.blocks])

    def objective(logits: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        return float(np.log(relative_variance(signed, bounds**2 / (2 * float(rho) * shares))))

    start = np.zeros(len(bounds))
    best = float(np.exp(minimize(objective, start, method="BFGS", options={"gtol": 1e-7}).fun))
    assert best * (1 - 1e-3) <= relative_variance(signed, ours) <= best * (1 + 1e-3)


@pytest.mark.parametrize("rho", ["1000000000", "1000001", "1e25"])
def test_a_price_without_privacy_is_refused(rho: str) -> None:
    with pytest.raises(BadPlan, match="no privacy at all"):
        small_study.planned(rho=rho)


def test_an_epsilon_without_privacy_is_refused() -> None:
    asked = small_study.draft().model_copy(update={"price": DraftPrice.model_validate({"epsilon": "1e20"})})
    with pytest.raises(BadPlan, match="no privacy at all"):
        plan(asked, small_study.codebook(), small_study.calendar(), small_study.hashes())


def test_a_price_below_the_smallest_coin_is_refused() -> None:
    with pytest.raises(BadPlan, match="less than one nano-rho"):
        small_study.planned(rho="0.0000000009")


def test_an_allowance_is_rounded_down() -> None:
    assert price_allowance(DraftPrice(rho=Decimal("0.1234567899"))).nano == 123_456_789
    assert price_allowance(DraftPrice(epsilon=Decimal(3))).nano == 185_069_840


def test_regression_a_plan_that_every_node_would_refuse_is_not_made() -> None:
    """So little money means so much noise that sums could leave 64 bits; it used to be planned, then refused."""
    asked = Statistic.model_validate(
        {"id": "s", "kind": "mean", "unit": "household", "of": "incidents", "wave": "T1", "weight": "0.001"}
    )
    other = Statistic.model_validate({"id": "t", "kind": "count", "unit": "child", "wave": "T1", "weight": "1000"})
    with pytest.raises(BadPlan, match="64 bits"):
        small_study.planned([asked, other], rho="0.000000001")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cohort": "c9"}, "no cohort c9; it has c1, c2"),
        ({"codebook": "small@2"}, "the codebook given is small@1"),
    ],
)
def test_a_plan_needs_the_study_it_names(changes: dict[str, str], said: str) -> None:
    asked = small_study.draft().model_copy(update={"programme": small_study.heading(**changes)})
    with pytest.raises(BadPlan, match=said):
        plan(asked, small_study.codebook(), small_study.calendar(), small_study.hashes())


def test_weights_are_whole_thousandths_of_regions_that_are_asked() -> None:
    draft, study = small_study.draft(), (small_study.codebook(), small_study.calendar(), small_study.hashes())
    assert plan(draft, *study).weights == {"AA": 1000, "BB": 1000, "CC": 1000}
    some = draft.model_copy(update={"weights": {"CC": Decimal("0.7"), "AA": Decimal("1.333")}})
    assert plan(some, *study).weights == {"CC": 700, "AA": 1333}
    assert plan(some, *study).regions == ("AA", "CC")
    outside = draft.model_copy(update={"weights": {"DD": Decimal(1)}})
    with pytest.raises(BadPlan, match="DD is not asked in cohort c1"):
        plan(outside, *study)


def test_a_statistic_of_more_weight_gets_less_noise() -> None:
    two = [
        Statistic.model_validate({"id": name, "kind": "mean", "unit": "household", "of": of, "wave": "T1", "weight": w})
        for name, of, w in (("a", "incidents", "4"), ("b", "incidents@T0", "1"))
    ]
    signed = small_study.planned(two)
    scales = {block.id: block.scale.fraction / block.multiplier for block in signed.blocks}
    assert scales["a"] * 1.41 < scales["b"] < scales["a"] * 1.42  # the fourth root of the weights' ratio


def test_much_money_means_a_multiplier_not_less_noise() -> None:
    signed = small_study.planned(rho="900")
    assert all(block.multiplier > 1 and 8 <= block.scale.fraction < 17 for block in signed.blocks)
