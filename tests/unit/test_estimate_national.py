"""National rows from a finished national sum: the figures of pooling, with the noise that is really in the sum."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from math import sqrt
from typing import Any, get_args

import pytest

from coordinator.estimate import rows_json
from coordinator.estimates.design import weighting
from coordinator.estimates.rows import NATIONAL, NO_SUM, Row, Run, estimate_rows
from coordinator.estimates.shares import price_shares
from coordinator.rehearsal.households import made_up
from coordinator.rehearsal.sums import exact_sums
from policies.documents import parse_yaml
from policies.secure.rounds import NationalSum
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme, Secure
from policies.statistics.statistic import Kind, Statistic
from policies.study.calendar import Expected
from policies.study.codebook import Codebook
from tests import national_study, small_study
from tests.national_sums import finished

EVERY_KIND: tuple[dict[str, Any], ...] = (
    {"id": "a", "kind": "count", "unit": "child", "wave": "T1", "by": ["profile"]},
    {"id": "b", "kind": "proportion", "of": "state == none", "unit": "household", "wave": "T1", "by": ["profile"]},
    {"id": "c", "kind": "mean", "of": "wellbeing", "unit": "adult", "wave": "T0+T1"},
    {"id": "d", "kind": "transition", "of": "state", "unit": "household", "wave": "T0->T1"},
    {"id": "e", "kind": "sum", "of": "incidents", "unit": "household", "wave": "T0", "within": ["1", "3"]},
    {"id": "f", "kind": "histogram", "of": "profile", "unit": "household", "wave": "T1"},
    {"id": "g", "kind": "cross_table", "of": ["safe", "profile"], "unit": "adult", "wave": "T1"},
    {"id": "h", "kind": "paired_change", "of": "incidents", "unit": "household", "wave": "T0->T1"},
    {"id": "i", "kind": "variance", "of": "incidents", "unit": "household", "wave": "T1"},
    {"id": "j", "kind": "standard_deviation", "of": "grade", "unit": "household", "wave": "T1"},
    {"id": "k", "kind": "covariance", "of": ["incidents", "grade"], "unit": "household", "wave": "T1"},
    {"id": "l", "kind": "correlation", "of": ["wellbeing", "safe == yes"], "unit": "adult", "wave": "T1"},
    {"id": "m", "kind": "regression", "of": ["grade", "incidents", "help == yes"], "unit": "household", "wave": "T1"},
    {"id": "o", "kind": "adjusted_difference", "of": "state == none", "compare": "help", "strata": ["profile"],
     "unit": "household", "wave": "T1"},
    {"id": "p", "kind": "quantile", "of": "incidents", "at": ["0.3", "0.7"], "leaves": 4, "unit": "household",
     "wave": "T1"},
)  # fmt: skip
CODES = national_study.codes(6)
HEAVY = dict(zip(CODES, ("1", "0.5", "2.5", "1", "1.25", "0.75"), strict=True))
FIGURES = ("estimate", "sampling_sd", "numerator_noisy", "denominator_noisy", "households_noisy")
Sums = dict[str, dict[str, list[int]]]


@cache
def codebook() -> Codebook:
    text = small_study.CODEBOOK.replace("  incidents: {", "  incidents: {better: lower, ")
    return parse_yaml(Codebook, text, "codebook.yaml")


def planned(mode: str, weights: Mapping[str, str] | None = None, secure: Secure | None = None) -> Programme:
    """Every kind, asked in this mode of six regions with 50 households each; so dear that noise hardly counts."""
    asked = tuple(Statistic.model_validate({"mode": mode, **one}) for one in EVERY_KIND)
    update: dict[str, object] = {"statistics": asked, "secure": secure, "price": {"rho": "500000"}}
    if weights is not None:
        update["weights"] = weights
    draft = Draft.model_validate({**small_study.draft().model_dump(), **update})
    return plan(draft, codebook(), national_study.calendar(6), small_study.hashes())


@cache
def exact() -> Sums:
    """What each region would sum without noise: the regions are alike in number, and differ in every value."""
    regions = made_up(codebook(), [Expected(household=50, adult=60, child=70)] * 6, 11)
    blocks = compile_blocks(planned("regional").statistics, codebook()).blocks
    return {code: exact_sums(region, blocks) for code, region in zip(CODES, regions, strict=True)}


def regional_rows(weights: Mapping[str, str] | None = None) -> list[Row]:
    programme = planned("regional", weights)
    answers = {
        code: {block.id: [block.multiplier * value for value in sums[block.id]] for block in programme.blocks}
        for code, sums in exact().items()
    }
    rows = estimate_rows(Run("r", 1), programme, codebook(), national_study.calendar(6), answers)
    return [row for row in rows if row.scope == NATIONAL]


def national_rows(programme: Programme, national: NationalSum | None) -> tuple[Row, ...]:
    return estimate_rows(Run("r", 1), programme, codebook(), national_study.calendar(6), {}, national)


def without(*lost: str) -> Sums:
    return {code: sums for code, sums in exact().items() if code not in lost}


def test_every_kind_is_looked_at() -> None:
    assert {one["kind"] for one in EVERY_KIND} == set(get_args(Kind))


@pytest.mark.parametrize("weights", [None, HEAVY], ids=["equal", "weighted"])
def test_without_noise_a_national_sum_gives_the_figures_that_pooling_gives(weights: Mapping[str, str] | None) -> None:
    """Sampling deviations too: the regions are as large as expected, but for missing values and `by` cells."""
    programme = planned("national", weights)
    found, pooled = national_rows(programme, finished(programme, exact())), regional_rows(weights)
    assert [(row.statistic, row.measure, row.cell) for row in found] == [
        (row.statistic, row.measure, row.cell) for row in pooled
    ]
    for one, other in zip(found, pooled, strict=True):
        for name in FIGURES:
            # Unequal weights: sizes of cells are those expected, not those found. A variance makes up for its noise.
            loose = weights is not None and name == "sampling_sd"
            wanted = pytest.approx(getattr(other, name), rel=0.25 if loose else 5e-6, nan_ok=True)
            assert getattr(one, name) == wanted, (one.statistic, one.cell, name)


def test_rows_are_national_only_and_say_so() -> None:
    programme = planned("national")
    rows = national_rows(programme, finished(programme, exact()))
    assert {(row.scope, row.mode, row.regions_included, row.regions_expected) for row in rows} == {
        (NATIONAL, "national", 6, 6)
    }
    assert {row.status for row in rows} <= {"ok", "withheld"}


def test_without_a_sum_every_row_is_missing_and_says_why() -> None:
    programme = planned("national")
    rows, full = national_rows(programme, None), national_rows(programme, finished(programme, exact()))
    assert [(row.statistic, row.cell, row.scope) for row in rows] == [(r.statistic, r.cell, r.scope) for r in full]
    assert {(row.status, row.note, row.regions_included, row.regions_expected) for row in rows} == {
        ("missing", NO_SUM, 0, 6)
    }
    assert all(math.isnan(row.estimate) and math.isnan(row.noise_sd) for row in rows)


def test_a_sum_without_some_regions_is_provisional_and_names_them() -> None:
    programme = planned("national")
    rows = national_rows(programme, finished(programme, without("CC")))
    assert {(row.status, row.regions_included, row.regions_expected) for row in rows} <= {
        ("provisional", 5, 6), ("withheld", 5, 6),
    }  # fmt: skip
    assert all("without CC" in row.note for row in rows)


@pytest.mark.parametrize(
    ("lost", "kept_all"),
    [((), ()), (("AA",), ()), (("AA", "FF"), ()), ((), ("BB", "DD")), (("AA",), ("CC",))],
    ids=["all", "one lost", "two lost", "two kept their noise", "both"],
)
def test_noise_sd_is_that_of_the_noise_which_is_really_left(lost: Sequence[str], kept_all: Sequence[str]) -> None:
    """Each of n - k survivors keeps 1/(n - t - k) of sigma^2, and who died before taking back keeps 1/(n - t - d)."""
    programme = planned("national", secure=Secure(colluders=1, dropouts=2))
    national = finished(programme, without(*lost), kept_all)
    (row,) = (row for row in national_rows(programme, national) if row.statistic == "c")
    (asked,) = (c for c in compile_blocks(programme.statistics, codebook()).statistics if c.statistic.id == "c")
    values, units = (next(block for block in programme.blocks if block.id == name) for name in asked.blocks)
    share = (6 - len(lost) - len(kept_all)) / (5 - len(lost)) + len(kept_all) / 3
    # wellbeing has the indices 0, 1, 2 and steps of one half.
    centred = float(values.scale.fraction / values.multiplier) ** 2 * share
    counts = float(units.scale.fraction / units.multiplier) ** 2 * share
    mean = row.estimate / 0.5
    wanted = sqrt(centred / 4 + (mean - 1) ** 2 * counts) * 0.5 / row.denominator_noisy
    assert row.noise_sd == pytest.approx(wanted, rel=1e-6)


def test_weights_are_those_written_and_with_equal_ones_counts_are_counts() -> None:
    plain, doubled = planned("national"), planned("national", dict.fromkeys(CODES, "2"))
    assert set(doubled.steps.values()) == {1}
    (asked,) = (c for c in compile_blocks(plain.statistics, codebook()).statistics if c.statistic.id == "f")
    for programme, times in ((plain, 1), (doubled, 2)):
        rows = [row for row in national_rows(programme, finished(programme, exact())) if row.statistic == "f"]
        found = sum(row.estimate for row in rows if row.measure == "count")
        assert found == pytest.approx(times * sum(sum(sums[asked.blocks[0]]) for sums in exact().values()))
        noise = {row.noise_sd / times for row in rows if row.measure == "count"}
        assert len({round(one, 6) for one in noise}) == 1


def test_the_effect_of_weights_is_that_of_fewer_units() -> None:
    """Kish: (sum w n)^2 / sum w^2 n units of equal weight."""
    weights, units = (1.0, 2.0, 0.5), (10, 20, 40)
    total, squares = 10 + 40 + 20, 10 + 80 + 10
    assert total / weighting(weights, units) == pytest.approx(total**2 / squares)
    assert weighting((1.0, 1.0), (3, 9)) == 1


def test_a_sum_of_another_programme_is_an_error() -> None:
    programme = planned("national")
    national = finished(programme, exact())
    for wrong in (
        national.model_copy(update={"blocks": national.blocks[1:]}),
        national.model_copy(update={"regions": ("AA", "BB")}),
        national.model_copy(update={"taken_back": {**national.taken_back, "AA": 9}}),
    ):
        with pytest.raises(ValueError):
            national_rows(programme, wrong)
    with pytest.raises(ValueError):
        national_rows(planned("regional"), national)


@pytest.fixture(scope="module")
def both() -> Programme:
    return national_study.planned()


def _exact_of(programme: Programme) -> Sums:
    asked = [Expected(household=50, adult=60, child=70)] * 4
    regions = made_up(small_study.codebook(), asked, 12)
    blocks = compile_blocks(programme.statistics, small_study.codebook()).blocks
    return {code: exact_sums(region, blocks) for code, region in zip(programme.regions, regions, strict=True)}


def test_a_programme_of_both_modes_has_both_kinds_of_rows(both: Programme) -> None:
    sums = _exact_of(both)
    answers = {
        code: {block.id: [block.multiplier * value for value in sums[code][block.id]] for block in both.blocks}
        for code in both.regions
        if code != "DD"
    }
    study = small_study.codebook(), national_study.calendar()
    rows = estimate_rows(Run("r", 4), both, *study, answers, finished(both, sums))
    scopes = {row.statistic: set[str]() for row in rows}
    for row in rows:
        scopes[row.statistic].add(row.scope)
    assert {name for name, found in scopes.items() if found == {NATIONAL}} == set(national_study.NATIONAL)
    assert all(scopes[name] == {NATIONAL, *both.regions} for name in set(scopes) - set(national_study.NATIONAL))
    included = {(row.mode, row.regions_included) for row in rows if row.scope == NATIONAL}
    assert included == {("regional", 3), ("national", 4)}
    assert [row.statistic for row in rows] == sorted(
        (row.statistic for row in rows), key=[one.id for one in both.statistics].index
    )
    # The regional rows do not depend on whether there is a sum.
    alone = estimate_rows(Run("r", 4), both, *study, answers)
    pairs = zip(rows, alone, strict=True)
    assert all(repr(one) == repr(other) for one, other in pairs if one.mode == "regional")


def test_a_finished_sum_is_one_revision_more(both: Programme) -> None:
    national = finished(both, _exact_of(both))
    study = small_study.codebook(), national_study.calendar()
    for found, revision in ((None, 0), (national, 1)):
        rows = json.loads(rows_json("run-1", both, *study, {}, found))
        assert {row["revision"] for row in rows} == {revision}


def test_shares_of_the_price_add_up_to_the_charge_of_each_mode(both: Programme) -> None:
    shares = price_shares(both, compile_blocks(both.statistics, small_study.codebook()))
    national = sum(shares[one.id].nano for one in both.statistics if one.mode == "national")
    assert national == both.charge.national > 0
    assert sum(share.nano for share in shares.values()) == both.charge.rho
