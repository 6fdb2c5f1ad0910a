"""Shares among all of T0: where they can be made, and that they are the arithmetic they say."""

import pytest

from coordinator.estimates import attrition
from coordinator.estimates.found import Found
from coordinator.estimates.rows import NATIONAL, Row
from policies.statistics.blocks import Mode
from policies.study.columns import Ref
from tests.beside_study import REGIONS, found, planned, rows_of_regions

CHANGE = '  - {{id: change, kind: transition, of: help, unit: household, wave: "T0->T1"{more}}}\n'
AT_START = "  - {{id: start, kind: histogram, of: help, unit: household, wave: T0{more}}}\n"
STOPPED = '  - {{id: stopped, kind: proportion, of: "state == none", by: [help@T0], unit: household, wave: T1{more}}}\n'


def _rows(came: Found) -> dict[tuple[str, str, tuple[str, ...]], Row]:
    return {(row.statistic, row.scope, tuple(code for _key, code in row.cell)): row for row in attrition.rows(came)}


def _asked(*statistics: str, more: str = "") -> str:
    return "".join(statistics).format(more=more)


@pytest.mark.parametrize("mode", ["regional", "national"])
def test_without_noise_it_is_each_starters_row_share_weighted_by_all_who_started(mode: Mode) -> None:
    """Worked out from the made-up households themselves: some answered at T0 alone."""
    came = found(planned(_asked(CHANGE, AT_START, STOPPED, more=f", mode: {mode}")), silent=True)
    rows = _rows(came)
    homes = [unit.values for region in rows_of_regions() for unit in region["household"]]
    first, later, state = Ref("help", "T0"), Ref("help", "T1"), Ref("state", "T1")
    started = [sum(home[first] == code for home in homes) for code in (0, 1)]
    for end, code in enumerate(("no", "yes")):
        share = 0.0
        for begin in (0, 1):
            stayed = [home for home in homes if home[first] == begin and home[later] is not None]
            share += started[begin] / sum(started) * sum(home[later] == end for home in stayed) / len(stayed)
        assert rows["change", NATIONAL, (code,)].estimate == pytest.approx(share, abs=1e-12)
    stopped = 0.0
    for begin in (0, 1):
        stayed = [home for home in homes if home[first] == begin and home[state] is not None]
        stopped += started[begin] / sum(started) * sum(home[state] == 0 for home in stayed) / len(stayed)
    row = rows["stopped", NATIONAL, ()]
    assert row.estimate == pytest.approx(stopped, abs=1e-12)
    assert (row.measure, row.estimator, row.denominator_noisy) == ("share_all_t0", "direct", sum(started))
    assert "those who left" in row.note
    assert {scope for _statistic, scope, _cell in rows} == {NATIONAL, *(REGIONS if mode == "regional" else ())}


def test_shares_of_an_outcome_add_up_to_one_in_every_scope() -> None:
    rows = _rows(found(planned(_asked(CHANGE, AT_START)), without=("BB",)))
    for scope in (NATIONAL, "AA", "FF"):
        both = [rows["change", scope, (code,)] for code in ("no", "yes")]
        assert sum(row.estimate for row in both) == pytest.approx(1, abs=1e-12)
        assert all(row.ci_low < row.estimate < row.ci_high for row in both)
    assert ("change", "BB", ("no",)) not in rows
    assert rows["change", NATIONAL, ("no",)].status == "provisional"


def test_further_keys_stay_and_a_table_with_more_keys_serves_too() -> None:
    statistics = """
  - {id: change, kind: transition, of: help, unit: household, wave: "T0->T1", by: [profile]}
  - {id: start, kind: cross_table, of: [help, profile], unit: household, wave: T0}
"""
    rows = _rows(found(planned(statistics), silent=True))
    assert {cell for _statistic, _scope, cell in rows} == {(p, h) for p in ("1", "12a", "c") for h in ("no", "yes")}
    homes = [unit.values for region in rows_of_regions() for unit in region["household"]]
    mine = [home for home in homes if home[Ref("profile", "")] == 1]
    assert rows["change", NATIONAL, ("12a", "no")].denominator_noisy == sum(
        home[Ref("help", "T0")] is not None for home in mine
    )


def test_weak_starting_states_withhold_the_row() -> None:
    rows = _rows(found(planned(_asked(CHANGE, AT_START), rho="0.002")))
    assert {row.status for (_, scope, _), row in rows.items() if scope != NATIONAL} == {"withheld"}


@pytest.mark.parametrize(
    "statistics",
    [
        _asked(CHANGE),
        _asked(CHANGE) + _asked(AT_START, more=", mode: national"),
        _asked(CHANGE) + _asked(AT_START, more=', where: "incidents > 0"'),
        _asked(CHANGE, AT_START, more=', where: "incidents@T1 > 0"'),
        _asked(CHANGE) + _asked(AT_START).replace("household", "adult").replace("of: help", "of: safe"),
        _asked(STOPPED).replace("help@T0", "help@T1") + _asked(AT_START),
    ],
    ids=["no_totals", "another_mode", "another_filter", "a_filter_at_t1", "another_unit", "no_starting_state"],
)
def test_without_totals_of_the_same_units_there_is_no_row(statistics: str) -> None:
    assert not list(attrition.rows(found(planned(statistics))))
