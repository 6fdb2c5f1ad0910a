"""Covariances, correlations and regressions of a small study: prices, rows, files and the page."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from coordinator.desk.past import result_row
from coordinator.estimates.margins import expected_margins
from coordinator.estimates.regression import RIDGE
from coordinator.prices import price_json
from coordinator.rehearsal.households import made_up
from coordinator.rehearsal.rehearse import Rehearsal, rehearse
from coordinator.rehearsal.units import Unit
from coordinator.table import read_texts
from node.pages.figures import Table, tables
from policies.rules.result import NATIONAL, Result, csv_text
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import Draft, PlannedBlock
from policies.study.columns import Ref
from tests import national_study, small_study
from tests.node_world import RUN

ASKED: tuple[dict[str, object], ...] = (
    {"id": "line", "kind": "regression", "of": ["incidents", "grade", "help == yes"], "ranges": {"grade": ["-1", "1"]}},
    {"id": "pulled", "kind": "regression", "of": ["incidents", "grade"], "ridge": "0.1"},
    {"id": "phi", "kind": "correlation", "of": ["help == yes", "state == none"]},
    {"id": "both", "kind": "covariance", "of": ["incidents", "incidents@T0"], "by": ["profile"]},
)


def draft(mode: str = "regional", rho: str = "50") -> Draft:
    plain = small_study.draft().model_dump()
    statistics = [{"unit": "household", "wave": "T1", "mode": mode, **one} for one in ASKED]
    return Draft.model_validate({**plain, "price": {"rho": rho}, "statistics": statistics})


def exactly(values: Sequence[int], planned: PlannedBlock) -> list[int]:
    return [planned.multiplier * value for value in values]


@cache
def rehearsed() -> Rehearsal:
    return rehearse(draft(), small_study.codebook(), small_study.calendar(), 5, exactly)


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rehearsed().rows_json)
    return found


def people() -> list[Unit]:
    expected = small_study.calendar().cohorts["c1"].expected
    regions = made_up(small_study.codebook(), [expected[code] for code in ("AA", "BB", "CC")], 5)
    return [unit for region in regions for unit in region["household"]]


def test_a_regression_has_a_row_for_the_intercept_and_for_each_term() -> None:
    """The figures of least squares on the same rows, but for the planned noise that is taken out of them."""
    found = [row for row in rows() if row["statistic"] == "line" and row["scope"] == NATIONAL]
    assert [row["cell"] for row in found] == [
        {"term": "(intercept)"},
        {"term": "grade@T1"},
        {"term": "help@T1 in {yes}"},
    ]
    refs = [Ref(name, "T1") for name in ("incidents", "grade", "help")]
    known = [
        [unit.values[ref] for ref in refs] for unit in people() if all(unit.values[ref] is not None for ref in refs)
    ]
    y, grade, helped = np.array(known, np.float64).T
    design = np.column_stack([np.ones(len(y)), np.minimum(grade, 4) / 2 - 1, helped])
    b, *_ = np.linalg.lstsq(design, y)
    for row, plain in zip(found, b, strict=True):
        assert row["estimate"] == pytest.approx(plain, abs=0.1 * row["std_error"])
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
        assert (row["measure"], row["households_noisy"], row["numerator_noisy"]) == ("coefficient", len(y), None)
        assert row["status"] == "ok"


def test_a_ridge_has_no_interval_and_says_so() -> None:
    found = [row for row in rows() if row["statistic"] == "pulled" and row["scope"] == NATIONAL]
    assert all(row["status"] == "ok" and RIDGE in row["note"] for row in found)
    assert all(row[name] is None for row in found for name in ("ci_low", "ci_high", "std_error", "noise_sd"))
    assert all(row["estimate"] is not None for row in found)


@pytest.mark.parametrize("mode", ["regional", "national"])
def test_the_price_has_a_margin_for_each(mode: str) -> None:
    calendar = national_study.calendar(6)
    found = rehearse(draft(mode, "5"), small_study.codebook(), calendar, 5, exactly)
    compilation = compile_blocks(found.programme.statistics, small_study.codebook())
    margins = {
        one.statistic: one for one in expected_margins(found.programme, compilation, small_study.codebook(), calendar)
    }
    assert all(0 < one.national <= one.if_regional < one.regional for one in margins.values())
    assert all(math.isfinite(one.weighted) for one in margins.values())
    json.loads(json.dumps(price_json(found.prices), allow_nan=False))


def test_the_price_says_when_a_regression_would_be_withheld() -> None:
    calendar, codebook = national_study.calendar(6), small_study.codebook()
    said = {}
    for rho in ("0.02", "50"):
        found = rehearse(draft("national", rho), codebook, calendar, 5, exactly)
        prices: Any = json.loads(json.dumps(price_json(found.prices), allow_nan=False))
        said[rho] = {one["statistic"] for one in prices["statistics"] if one.get("national_withheld")}
    assert {"line", "pulled"} <= said["0.02"]
    assert said["50"] == set()


def result() -> Result:
    own = [result_row(row) for row in read_texts(rehearsed().rows_json) if row["scope"] in (NATIONAL, "AA")]
    programme = rehearsed().programme
    return Result(
        run=RUN,
        revision=3,
        region="AA",
        programme="ab" * 32,
        asked=programme,
        regions=("AA", "BB", "CC"),
        epsilon="3",
        delta="0.000001",
        rows=tuple(own),
    )


def by_title() -> dict[str, Table]:
    return {table.title: table for table in tables(result(), small_study.codebook(), "nl", "")}


def test_a_region_reads_terms_by_name_each_with_its_own_decimals_and_no_picture() -> None:
    found = by_title()
    line = found["line"]
    assert (line.keys, line.chart) == (("Term",), "")
    assert [row.keys for row in line.rows] == [("constante (intercept)",), ("grade (T1)",), ("help@T1 in {yes}",)]
    ((_, counted),) = line.counted
    assert counted.startswith("lineaire regressie van ‘incidents’ op ‘grade’, ‘help: ja’")
    assert "‘grade’ buiten -1 tot 1 telt als de grens" in counted
    assert all(row.national.why == "naar nul getrokken: zonder interval" for row in found["pulled"].rows)
    assert found["both"].chart
    numbers = next(table for table in found.values() if ("phi",) in [row.keys for row in table.rows])
    assert numbers.rows[0].national.estimate != ""
    assert "line,coefficient,direct,regional,household,T1,term=help@T1 in {yes},national," in csv_text(result())
