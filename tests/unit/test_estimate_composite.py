"""The composite: both groups together, one of them carried forward; what is carried, and what is said of it."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from coordinator.estimates import composite
from coordinator.estimates.composite import Level, country, level
from coordinator.estimates.found import Earlier, Found
from coordinator.estimates.known import Answers, Known
from coordinator.estimates.rows import NATIONAL, SYNTHETIC, Row, Run, estimate_rows
from coordinator.estimates.same import same_key
from coordinator.estimates.sets import Z95
from coordinator.estimates.tables import to_csv
from policies.documents import parse_yaml
from policies.statistics.blocks import Ones
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme
from policies.study.calendar import Calendar
from tests import small_study

CALENDAR = """
calendar: {id: turns, version: 1, labels: {nl: beurten, en: turns}}
limits: {households_per_region: 100000}
planning: {drift: "0.03"}
regions:
  AA: {name: {nl: Aa, en: Aa}, group: A}
  BB: {name: {nl: Bee, en: Bee}, group: A}
  DD: {name: {nl: Dee, en: Dee}, group: B}
cohorts:
  h1:
    group: B
    historical: true
    labels: {nl: vroeger, en: once}
    windows: {T0: [2021-02-01, 2021-12-31], release: [2024-01-01, 2024-12-31]}
    expected: {DD: {household: 40, adult: 10, child: 10}}
  c1:
    group: A
    labels: {nl: eerste, en: first}
    cycle: [2025-01-01, 2026-12-31]
    windows:
      recruit: [2025-01-01, 2025-03-31]
      T0: [2025-01-01, 2025-06-30]
      T1: [2026-01-01, 2026-06-30]
      release: [2026-07-01, 2027-12-31]
    expected: {AA: {household: 600, adult: 70, child: 80}, BB: {household: 400, adult: 50, child: 60}}
  c2:
    group: B
    labels: {nl: tweede, en: second}
    cycle: [2027-01-01, 2028-12-31]
    windows:
      recruit: [2027-01-01, 2027-03-31]
      T0: [2027-01-01, 2027-06-30]
      T1: [2028-01-01, 2028-06-30]
      release: [2028-07-01, 2028-12-31]
    expected: {DD: {household: 500, adult: 10, child: 10}}
"""
NONE = math.nan


def calendar() -> Calendar:
    return parse_yaml(Calendar, CALENDAR, "calendar.yaml")


def programme(cohort: str = "c1", data: str = "study") -> Programme:
    draft = small_study.draft()
    heading = draft.programme.model_copy(update={"cohort": cohort, "data": data, "deadline": 1_900_000_000})
    asked = Draft.model_validate(
        {**draft.model_dump(), "programme": heading.model_dump(), "price": DraftPrice.model_validate({"rho": "20"})}
    )
    return plan(asked, small_study.codebook(), calendar(), small_study.hashes())


def answers(asked: Programme) -> Answers:
    """As many units as are planned for, evenly over the cells; half of them yes. No noise."""
    blocks = compile_blocks(asked.statistics, small_study.codebook()).blocks
    expected = calendar().expected_of(asked.programme.cohort)
    return {
        region: {
            block.id: [
                expected[region].of(block.selection.unit) * planned.multiplier // block.cells
                if isinstance(block.summand, Ones)
                else 0
            ]
            * block.cells
            for block, planned in zip(blocks, asked.blocks, strict=True)
        }
        for region in asked.regions
    }


def found(asked: Programme, *earlier: Earlier, without: tuple[str, ...] = ()) -> Found:
    codebook, rotation = small_study.codebook(), calendar()
    given = {region: own for region, own in answers(asked).items() if region not in without}
    rows = estimate_rows(Run("run1", 2), asked, codebook, rotation, given)
    compiled = compile_blocks(asked.statistics, codebook)
    known = Known.of(asked, given, None)
    return Found(Run("run1", 2), asked, codebook, rotation, compiled, known, rows, earlier)


def figure(asked: Programme, statistic: str = "stopped", **changes: object) -> Earlier:
    """A figure of the cohort c2 of the same statistic, of a run of this desk."""
    one = next(one for one in asked.statistics if one.id == statistic)
    key = same_key(one, small_study.codebook())
    assert key is not None
    made = Earlier("h1", key, "share", (), 0.2, 0.05, "run-0", 0.1, 0.3, 0.04, 1, 1)
    return replace(made, **changes)  # type: ignore[arg-type]  # a dictionary of fields has one type for all


def of(rows: tuple[Row, ...], statistic: str = "stopped") -> Row:
    return next(row for row in rows if (row.statistic, row.scope) == (statistic, NATIONAL))


def test_it_is_the_weighted_sum_of_now_and_of_what_is_carried_forward() -> None:
    asked = programme()
    have = found(asked, figure(asked))
    (made,) = composite.rows(have)
    direct = of(have.rows)
    now, other = 1000 / 1040, 40 / 1040
    assert (made.estimator, made.scope, made.statistic, made.measure) == ("composite", NATIONAL, "stopped", "share")
    assert made.estimate == pytest.approx(now * direct.estimate + other * 0.2)
    # February 2021 to January 2025 are almost four years: two cycles of .03.
    carried = 0.05**2 + 2 * 0.03**2
    assert made.std_error == pytest.approx(math.sqrt(now**2 * direct.std_error**2 + other**2 * carried))
    assert made.noise_sd == pytest.approx(math.hypot(now * direct.noise_sd, other * 0.04))
    assert made.noise_sd**2 + made.sampling_sd**2 == pytest.approx(made.std_error**2)
    below = math.hypot(now * (direct.estimate - direct.ci_low), other * 0.1, other * Z95 * math.sqrt(2) * 0.03)
    assert made.ci_low == pytest.approx(made.estimate - below)
    assert (made.regions_included, made.regions_expected, made.status) == (3, 3, "ok")
    for said in ("96% is asked now", "h1 (run-0)", "2 cycles", "a drift of 0.03"):
        assert said in made.note


def test_direct_rows_stay_as_they_are() -> None:
    asked = programme()
    have = found(asked, figure(asked))
    before = to_csv(have.rows)
    assert list(composite.rows(have))
    assert to_csv(have.rows) == before == to_csv(found(asked).rows)


def test_nothing_is_made_where_nothing_fits() -> None:
    asked = programme()
    wrong = [
        figure(asked, measure="mean"),
        figure(asked, cell=(("profile", "c"),)),
        replace(figure(asked), statistic=b"another question"),
        figure(asked, std_error=NONE),
        figure(asked, cohort="c1"),
        figure(asked, cohort="c2"),
        figure(asked, cohort="c9"),
    ]
    for one in wrong:
        assert list(composite.rows(found(asked, one))) == []
    assert list(composite.rows(found(asked))) == []


def test_it_is_provisional_where_either_part_is_and_withheld_where_now_is() -> None:
    asked = programme()
    (made,) = composite.rows(found(asked, figure(asked, provisional=True)))
    assert made.status == "provisional"
    assert "its earlier figure is provisional" in made.note
    (made,) = composite.rows(found(asked, figure(asked), without=("BB",)))
    assert (made.status, made.regions_included, made.regions_expected) == ("provisional", 2, 3)
    assert "without BB" in made.note
    have = found(asked, figure(asked))
    weak = replace(have, rows=tuple(replace(row, status="withheld") for row in have.rows))
    (made,) = composite.rows(weak)
    assert made.status == "withheld"


def test_missing_numbers_of_now_make_no_composite_and_unbounded_intervals_stay_unbounded() -> None:
    asked = programme()
    have = found(asked, figure(asked), without=("AA", "BB"))
    assert list(composite.rows(have)) == []
    have = found(asked, figure(asked))
    open_ = replace(have, rows=tuple(replace(row, ci_low=NONE, ci_high=NONE) for row in have.rows))
    (made,) = composite.rows(open_)
    assert math.isnan(made.ci_low)
    assert math.isnan(made.ci_high)


def test_synthetic_rows_say_so_first() -> None:
    asked = programme(data="synthetic")
    (made,) = composite.rows(found(asked, figure(asked)))
    assert made.note.startswith(f"{SYNTHETIC}; the whole country")


def test_a_means_drift_is_measured_in_its_own_unit() -> None:
    """The grade from -0.5 to 1 has no planned deviation: .03 of a share is .03 of its range."""
    asked = programme()
    one = figure(asked, statistic="grade", measure="mean", estimate=0.25, noise_sd=0.0)
    (made,) = composite.rows(found(asked, one))
    now, other = 1000 / 1040, 40 / 1040
    direct = of(found(asked).rows, "grade")
    carried = 0.05**2 + 2 * (0.03 * 1.5) ** 2
    assert made.std_error == pytest.approx(math.sqrt(now**2 * direct.std_error**2 + other**2 * carried))


def test_the_groups_own_earlier_figure_is_used_too() -> None:
    asked = programme("c2")
    both = [figure(asked, cohort="c1", estimate=0.3, included=2, expected=2), figure(asked, estimate=0.5)]
    (alone,) = composite.rows(found(asked, both[0]))
    (made,) = composite.rows(found(asked, *both))
    assert made.std_error < alone.std_error
    assert "with those of h1, by their errors" in made.note
    # Weights are those of the newest cohort of the other group and of the one asked now.
    assert "33% is asked now" in made.note
    assert (made.regions_included, made.regions_expected) == (3, 3)


def plain(estimate: float, error: float) -> Level:
    return Level.of(estimate, error, 0.0, NONE, NONE)


def test_several_figures_are_combined_as_generalised_least_squares_would() -> None:
    """A random walk seen with noise: the level at the end is the best linear unbiased one, whatever gaps there are."""
    seen = [(0, 0.30, 0.04), (2, 0.20, 0.03), (5, 0.26, 0.05)]
    drift, now = 0.02, 6
    errors = np.array([[min(now - a, now - b) * drift**2 for b, *_ in seen] for a, *_ in seen])
    covariance = errors + np.diag([error**2 for *_, error in seen])
    ones = np.ones(3)
    shares = np.linalg.solve(covariance, ones) / (ones @ np.linalg.solve(covariance, ones))
    made = level([(cycle, plain(value, error)) for cycle, value, error in seen], now, drift)
    assert made.estimate == pytest.approx(float(shares @ [value for _, value, _ in seen]))
    assert made.std_error**2 == pytest.approx(float(shares @ covariance @ shares))
    assert made.high - made.estimate == pytest.approx(Z95 * made.std_error)


def test_the_longer_a_figure_is_carried_the_less_it_says() -> None:
    errors = [level([(0, plain(0.2, 0.03))], cycles, 0.02).std_error for cycles in range(5)]
    assert all(before < after for before, after in pairwise(errors))
    without = level([(0, plain(0.2, 0.03))], 4, 0.0)
    assert without == plain(0.2, 0.03)


def test_both_sides_of_an_interval_keep_their_length() -> None:
    lopsided = Level.of(0.1, 0.03, 0.0, 0.06, 0.18)
    whole = country(lopsided, plain(0.1, 0.0), 0.5)
    assert whole.low == pytest.approx(0.1 - 0.02)
    assert whole.high == pytest.approx(0.1 + 0.04)
    with pytest.raises(ValueError, match="no level"):
        level([], 1, 0.02)
