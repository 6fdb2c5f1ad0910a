"""Contract rows: order, columns, status and shares of the price, from a planned programme and answers."""

import csv
import io
import json
import math
from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.estimates.known import Answers
from coordinator.estimates.margins import Margin, expected_margins
from coordinator.estimates.rows import NATIONAL, SYNTHETIC, UNBOUNDED, WEAK, Row, Run, estimate_rows
from coordinator.estimates.shares import price_shares
from coordinator.estimates.tables import COLUMNS, to_csv, to_json
from policies.documents import load_yaml
from policies.statistics.blocks import Block, Ones
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "shipped"
RUN = Run("run1", 2)
STATISTICS = (
    Statistic(id="stopped", kind="proportion", of="state == none", unit="household", wave="T1"),
    Statistic(id="frequent", kind="proportion", of="state == frequent_or_severe", unit="household", wave="T1"),
    Statistic(id="change", kind="transition", of="state", unit="household", wave="T0->T1"),
    Statistic(id="grade", kind="mean", of="child_wellbeing", unit="child", wave="T1"),
    Statistic(id="families", kind="count", unit="household", wave="T1", by=("profile",)),
)


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    return load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return load_yaml(Calendar, SHIPPED / "rotation.yaml")


def _planned(codebook: Codebook, calendar: Calendar, rho: str) -> Programme:
    draft = load_yaml(Draft, SHIPPED / "cohort3.programme.yaml")
    update = {"statistics": STATISTICS, "price": DraftPrice(rho=Decimal(rho))}
    return plan(draft.model_copy(update=update), codebook, calendar, ("0" * 64, "1" * 64))


@pytest.fixture(scope="module")
def programme(codebook: Codebook, calendar: Calendar) -> Programme:
    return _planned(codebook, calendar, "2")


def _units(block: Block, programme: Programme, calendar: Calendar, region: str) -> int:
    return calendar.cohorts[programme.programme.cohort].expected[region].of(block.selection.unit)


def _answers(programme: Programme, codebook: Codebook, calendar: Calendar, *without: str) -> Answers:
    """Half of the units yes, all means in the middle, cells alike; without noise."""
    blocks = compile_blocks(programme.statistics, codebook).blocks
    return {
        region: {
            block.id: [
                _units(block, programme, calendar, region) * planned.multiplier // block.cells
                if isinstance(block.summand, Ones)
                else 0
            ]
            * block.cells
            for block, planned in zip(blocks, programme.blocks, strict=True)
        }
        for region in programme.regions
        if region not in without
    }


@pytest.fixture(scope="module")
def rows(programme: Programme, codebook: Codebook, calendar: Calendar) -> tuple[Row, ...]:
    return estimate_rows(RUN, programme, codebook, calendar, _answers(programme, codebook, calendar))


def test_columns_are_those_of_the_contract() -> None:
    assert ", ".join(COLUMNS) == (
        "run, revision, programme, cohort, statistic, measure, estimator, mode, unit, wave, cell, scope, estimate, "
        "std_error, ci_low, ci_high, ci_level, noise_sd, sampling_sd, numerator_noisy, denominator_noisy, "
        "households_noisy, regions_included, regions_expected, rho, epsilon, delta, status, note"
    )


def test_rows_go_by_statistic_then_cell_then_scope(rows: tuple[Row, ...], programme: Programme) -> None:
    scopes = (NATIONAL, *programme.regions)
    cells = {"stopped": 1, "frequent": 1, "change": 9, "grade": 1, "families": 5}
    assert [(row.statistic, row.scope) for row in rows] == [
        (statistic, scope) for statistic, number in cells.items() for _ in range(number) for scope in scopes
    ]
    assert [row.cell for row in rows if row.statistic == "families" and row.scope == NATIONAL] == [
        (("profile", code),) for code in "12345"
    ]
    second = [row.cell for row in rows if row.statistic == "change" and row.scope == NATIONAL][1]
    assert second == (("state@T0", "none"), ("state@T1", "some"))


def test_estimates_are_those_of_the_answers(rows: tuple[Row, ...]) -> None:
    national = {row.statistic: row for row in rows if row.scope == NATIONAL}
    assert national["stopped"].estimate == 0.5
    assert national["stopped"].denominator_noisy == pytest.approx(national["stopped"].households_noisy)
    assert national["change"].estimate == pytest.approx(1 / 3)
    assert national["grade"].estimate == 5.0
    assert math.isnan(national["grade"].households_noisy)
    assert math.isnan(national["families"].denominator_noisy)
    assert (
        national["families"].households_noisy == national["families"].estimate == national["families"].numerator_noisy
    )
    assert all(row.status == "ok" and row.note == "" for row in national.values())
    for row in rows:
        assert row.std_error == pytest.approx(math.hypot(row.noise_sd, row.sampling_sd))


def test_shares_of_the_price_add_up_to_the_charge(programme: Programme, codebook: Codebook) -> None:
    shares = price_shares(programme, compile_blocks(programme.statistics, codebook))
    assert sum(share.nano for share in shares.values()) == programme.charge.rho
    assert abs(shares["stopped"].nano - shares["frequent"].nano) <= 1


def test_every_row_carries_its_statistics_price_and_the_programmes(rows: tuple[Row, ...], programme: Programme) -> None:
    assert {row.delta for row in rows} == {Decimal("0.000001")}
    assert len({row.epsilon for row in rows}) == 1
    assert sum({row.statistic: row.rho for row in rows}.values()) == Decimal(programme.charge.amount.text())


def test_missing_regions_make_national_rows_provisional(
    programme: Programme, codebook: Codebook, calendar: Calendar
) -> None:
    answers = _answers(programme, codebook, calendar, "GM", "ZL")
    first = estimate_rows(RUN, programme, codebook, calendar, answers)[:14]
    national, *regions = first
    assert national.status == "provisional"
    assert national.note.startswith("without GM, ZL, taken to be like the other regions but for a deviation")
    assert (national.regions_included, national.regions_expected) == (11, 13)
    absent = [row for row in regions if row.scope in ("GM", "ZL")]
    assert [row.status for row in absent] == ["missing", "missing"]
    assert all(math.isnan(row.estimate) and row.regions_included == 0 for row in absent)
    assert all(row.status == "ok" for row in regions if row not in absent)


def test_no_answer_at_all_still_gives_every_row(
    rows: tuple[Row, ...], programme: Programme, codebook: Codebook, calendar: Calendar
) -> None:
    empty = estimate_rows(RUN, programme, codebook, calendar, {})
    assert [(row.statistic, row.cell, row.scope) for row in empty] == [(r.statistic, r.cell, r.scope) for r in rows]
    assert {row.status for row in empty} == {"missing"}


def test_weak_rows_are_withheld_and_keep_their_numbers(codebook: Codebook, calendar: Calendar) -> None:
    programme = _planned(codebook, calendar, "0.02")
    rows = estimate_rows(RUN, programme, codebook, calendar, _answers(programme, codebook, calendar))
    weak = [row for row in rows if row.statistic == "stopped" and row.scope != NATIONAL]
    assert {row.status for row in weak} == {"withheld"}
    assert all(row.estimate == 0.5 for row in weak)
    for row in weak:
        assert row.note == (UNBOUNDED if math.isnan(row.ci_low) else WEAK)
    assert {row.note for row in weak} == {UNBOUNDED, WEAK}
    assert {row.status for row in rows if row.statistic == "families"} == {"ok"}


def test_a_figure_over_a_noisy_zero_is_empty_and_says_why(
    programme: Programme, codebook: Codebook, calendar: Calendar
) -> None:
    answers = {
        region: {name: [0] * len(values) for name, values in blocks.items()}
        for region, blocks in _answers(programme, codebook, calendar).items()
    }
    shares = [row for row in estimate_rows(RUN, programme, codebook, calendar, answers) if row.measure == "share"]
    assert shares
    assert all(math.isnan(row.estimate) and UNBOUNDED in row.note and row.status == "withheld" for row in shares)


def test_an_answer_that_does_not_fit_is_an_error(programme: Programme, codebook: Codebook, calendar: Calendar) -> None:
    answers = _answers(programme, codebook, calendar)
    short = {**answers, "DR": {**answers["DR"], "change": [1, 2, 3]}}
    with pytest.raises(ValueError):
        estimate_rows(RUN, programme, codebook, calendar, short)


def test_csv_and_json_say_the_same(programme: Programme, codebook: Codebook, calendar: Calendar) -> None:
    rows = estimate_rows(RUN, programme, codebook, calendar, _answers(programme, codebook, calendar, "GM"))
    from_csv, from_json = list(csv.DictReader(io.StringIO(to_csv(rows)))), json.loads(to_json(rows))
    assert len(from_csv) == len(from_json) == len(rows)
    for flat, nested in zip(from_csv, from_json, strict=True):
        assert list(flat) == list(nested) == list(COLUMNS)
        cell = dict(part.split("=") for part in flat.pop("cell").split(";") if part)
        assert cell == nested.pop("cell")
        for name, value in nested.items():
            if value is None:
                assert flat[name] == ""
            elif isinstance(value, float):
                assert float(flat[name]) == value
            else:
                assert flat[name] == str(value)


def test_expected_margins_are_the_intervals_that_come_out(
    rows: tuple[Row, ...], programme: Programme, codebook: Codebook, calendar: Calendar
) -> None:
    compilation = compile_blocks(programme.statistics, codebook)
    margins: dict[str, Margin] = {m.statistic: m for m in expected_margins(programme, compilation, codebook, calendar)}
    assert list(margins) == [statistic.id for statistic in STATISTICS]
    national = {row.statistic: row for row in rows if row.scope == NATIONAL}
    for name in ("stopped", "grade", "families"):
        half = (national[name].ci_high - national[name].ci_low) / 2
        assert margins[name].national == pytest.approx(half, rel=0.05)
    for row in rows:
        if row.statistic == "stopped" and row.scope != NATIONAL:
            assert margins["stopped"].by_region[row.scope] == pytest.approx((row.ci_high - row.ci_low) / 2, rel=0.1)
    assert min(margins["stopped"].by_region.values()) < margins["stopped"].regional
    assert margins["stopped"].withheld == ()


def test_expected_margins_tell_which_regions_will_be_withheld(codebook: Codebook, calendar: Calendar) -> None:
    programme = _planned(codebook, calendar, "0.02")
    compilation = compile_blocks(programme.statistics, codebook)
    margins = expected_margins(programme, compilation, codebook, calendar)
    assert margins[0].withheld == programme.regions
    assert margins[-1].withheld == ()


def test_every_row_of_synthetic_data_says_so(programme: Programme, codebook: Codebook, calendar: Calendar) -> None:
    heading = programme.programme.model_copy(update={"data": "synthetic"})
    labelled = programme.model_copy(update={"programme": heading})
    for without in ((), ("GM",)):
        answers = _answers(programme, codebook, calendar, *without)
        rows = estimate_rows(RUN, labelled, codebook, calendar, answers)
        assert all(row.note.startswith(SYNTHETIC) for row in rows)
