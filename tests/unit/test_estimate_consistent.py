"""Consistent rows: what adds up, what stays raw, and where there is nothing to make agree."""

from functools import cache

import pytest

from coordinator.estimates import consistent
from coordinator.estimates.found import Found
from coordinator.estimates.rows import NATIONAL, Row
from tests.beside_study import REGIONS, found, planned

STATISTICS = """
  - {{id: helps, kind: histogram, of: help, where: "not missing(state)", unit: household, wave: T1, mode: {mode}}}
  - {{id: states, kind: histogram, of: state, where: "not missing(help)", unit: household, wave: T1}}
  - {{id: both, kind: cross_table, of: [help, state], unit: household, wave: T1}}
  - {{id: stopped, kind: proportion, of: "state == none", where: "not missing(help)", unit: household, wave: T1,
     mode: {mode}}}
  - {{id: all, kind: count, where: "not missing(help) and not missing(state)", unit: household, wave: T1}}
  - {{id: alone, kind: histogram, of: safe, unit: adult, wave: T1}}
"""


@cache
def _came(mode: str = "regional", without: tuple[str, ...] = ()) -> Found:
    return found(planned(STATISTICS.format(mode=mode)), without=without)


def _rows(came: Found) -> dict[tuple[str, str, str], dict[str, Row]]:
    """Consistent rows by statistic, measure and scope, then by the codes of the cell."""
    places: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in consistent.rows(came):
        codes = " ".join(code for _key, code in row.cell)
        places.setdefault((row.statistic, row.measure, row.scope), {})[codes] = row
    return places


def _values(rows: dict[str, Row]) -> dict[str, float]:
    return {codes: row.estimate for codes, row in rows.items()}


@pytest.mark.parametrize("scope", [NATIONAL, "AA", "FF"])
def test_margins_add_up_exactly(scope: str) -> None:
    rows = _rows(_came())
    both = _values(rows["both", "count", scope])
    for code, count in _values(rows["helps", "count", scope]).items():
        assert count == pytest.approx(sum(v for k, v in both.items() if k.split()[0] == code), rel=1e-9)
    for code, count in _values(rows["states", "count", scope]).items():
        assert count == pytest.approx(sum(v for k, v in both.items() if k.split()[1] == code), rel=1e-9)
    assert _values(rows["all", "count", scope])[""] == pytest.approx(sum(both.values()), rel=1e-9)
    stopped = rows["stopped", "share", scope][""]
    assert stopped.estimate == pytest.approx(rows["states", "share", scope]["none"].estimate, rel=1e-9)
    assert stopped.denominator_noisy == pytest.approx(sum(both.values()), rel=1e-9)
    assert stopped.households_noisy == stopped.denominator_noisy


def test_every_number_has_less_noise_than_its_raw_one_and_the_raw_ones_stay() -> None:
    came = _came()
    raw = {(row.statistic, row.measure, row.cell, row.scope): row for row in came.rows}
    rows = tuple(consistent.rows(came))
    assert {row.estimator for row in rows} == {"consistent"}
    for row in rows:
        direct = raw[row.statistic, row.measure, row.cell, row.scope]
        assert direct.estimator == "direct"
        if row.measure == "count":
            assert row.noise_sd < direct.noise_sd
            assert (row.rho, row.regions_included) == (direct.rho, direct.regions_included)
    assert sum(
        row.noise_sd < raw[row.statistic, row.measure, row.cell, row.scope].noise_sd for row in rows
    ) > 0.9 * len(rows)


def test_regions_add_up_to_a_national_sum_of_the_same_units() -> None:
    came = _came("national")
    rows = _rows(came)
    states = {r: _values(rows["states", "count", r]) for r in (*REGIONS, NATIONAL)}
    for code, count in states[NATIONAL].items():
        assert count == pytest.approx(sum(states[region][code] for region in REGIONS), rel=1e-9)
    helps = _values(rows["helps", "count", NATIONAL])
    both = _values(rows["both", "count", NATIONAL])
    for code, count in helps.items():
        assert count == pytest.approx(sum(v for k, v in both.items() if k.split()[0] == code), rel=1e-9)
    assert ("helps", "count", "AA") not in rows, "nobody knows a region's part of a national sum"


def test_a_national_sum_with_other_regions_in_it_is_left_apart() -> None:
    rows = _rows(_came("national", ("AA",)))
    states = {r: _values(rows["states", "count", r]) for r in (*REGIONS[1:], NATIONAL)}
    for code, count in states[NATIONAL].items():
        assert count == pytest.approx(sum(states[region][code] for region in REGIONS[1:]), rel=1e-9)
    stopped, helps = rows["stopped", "share", NATIONAL][""], _values(rows["helps", "count", NATIONAL])
    assert stopped.denominator_noisy == pytest.approx(sum(helps.values()), rel=1e-9)
    assert stopped.denominator_noisy > 1.05 * sum(states[NATIONAL].values())
    assert rows["states", "share", NATIONAL]["none"].status == "provisional"


def test_exact_tables_are_left_as_they_are() -> None:
    came = found(planned(STATISTICS.format(mode="regional")), silent=True)
    raw = {(row.statistic, row.measure, row.cell, row.scope): row.estimate for row in came.rows}
    for row in consistent.rows(came):
        assert row.estimate == pytest.approx(raw[row.statistic, row.measure, row.cell, row.scope], abs=1e-9)


@pytest.mark.parametrize(
    "statistics",
    [
        "  - {id: helps, kind: histogram, of: help, unit: household, wave: T1}",
        "  - {id: stopped, kind: proportion, of: 'state == none', unit: household, wave: T1}",
        # Other missing rules make other units: nothing is known to add up.
        """
  - {id: helps, kind: histogram, of: help, unit: household, wave: T1}
  - {id: states, kind: histogram, of: state, unit: household, wave: T1}
  - {id: later, kind: transition, of: help, unit: household, wave: "T0->T1"}
""",
    ],
)
def test_where_no_table_has_another_to_agree_with_there_are_no_rows(statistics: str) -> None:
    assert not list(consistent.rows(found(planned(statistics))))
