"""Adjusted differences and quantiles of a small study: rows, price and the page that a region's steward reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from coordinator.desk.past import result_row
from coordinator.prices import price_json
from coordinator.rehearsal.rehearse import Rehearsal, rehearse
from coordinator.table import read_texts
from node.pages.figures import Table, tables
from policies.rules.result import NATIONAL, Result
from policies.statistics.programme import Draft, PlannedBlock
from policies.study.text import Language
from tests import national_study, small_study
from tests.node_world import RUN

GROUPS = {"compare": "help", "strata": ["help@T0"]}
ASKED: tuple[dict[str, object], ...] = (
    {"id": "calmer", "kind": "adjusted_difference", "of": "state == none", **GROUPS},
    {"id": "fewer", "kind": "adjusted_difference", "of": "incidents", **GROUPS},
    {"id": "middle", "kind": "quantile", "of": "incidents", "at": ["0.25", "0.5"], "leaves": 4},
)


def exactly(values: Sequence[int], planned: PlannedBlock) -> list[int]:
    return [planned.multiplier * value for value in values]


@cache
def rehearsed(mode: str = "regional") -> Rehearsal:
    statistics = [{"unit": "household", "wave": "T1", "mode": mode, **one} for one in ASKED]
    plain = small_study.draft().model_dump()
    draft = Draft.model_validate({**plain, "price": {"rho": "50"}, "statistics": statistics})
    calendar = small_study.calendar() if mode == "regional" else national_study.calendar(6)
    return rehearse(draft, small_study.codebook(), calendar, 5, exactly)


def page(lang: Language) -> dict[str, Table]:
    own = [result_row(row) for row in read_texts(rehearsed().rows_json) if row["scope"] in (NATIONAL, "AA")]
    result = Result(
        run=RUN,
        revision=3,
        region="AA",
        programme="ab" * 32,
        asked=rehearsed().programme,
        regions=("AA", "BB", "CC"),
        epsilon="3",
        delta="0.000001",
        rows=tuple(own),
    )
    return {table.title: table for table in tables(result, small_study.codebook(), lang, "")}


def test_the_naive_difference_stands_beside_the_adjusted_one_and_both_say_against_whom() -> None:
    rows: list[dict[str, Any]] = json.loads(rehearsed().rows_json)
    calmer = [row for row in rows if row["statistic"] == "calmer" and row["scope"] == NATIONAL]
    assert [(row["measure"], row["cell"]) for row in calmer] == [
        ("adjusted_difference", {"help@T1": "yes"}),
        ("naive_difference", {"help@T1": "yes"}),
    ]
    assert all("against help@T1=no" in row["note"] for row in calmer)
    assert all(row["ci_low"] < row["estimate"] < row["ci_high"] and row["numerator_noisy"] is None for row in calmer)
    assert [row["cell"] for row in rows if row["statistic"] == "middle" and row["scope"] == "AA"] == [
        {"quantile": "0.25"},
        {"quantile": "0.5"},
    ]


@pytest.mark.parametrize("mode", ["regional", "national"])
def test_the_price_has_a_margin_for_each(mode: str) -> None:
    told: Any = json.loads(json.dumps(price_json(rehearsed(mode).prices), allow_nan=False))
    assert all(0 < one["margin_national"] < one["margin_regional"] for one in told["statistics"])


def test_a_difference_of_shares_is_in_percentage_points_and_one_of_numbers_in_its_own_unit() -> None:
    dutch, english = page("nl"), page("en")
    points = dutch["calmer: gecorrigeerd verschil"]
    assert points.caption == "In procentpunten."
    assert "help bij T0" in points.counted[0][1]
    assert abs(float(points.rows[0].national.estimate.replace(",", "."))) > 1
    assert english["fewer: difference without adjustment (misleads where groups differ)"].caption.startswith("In units")
    assert points.chart
    assert "0,25" in [row.keys[0] for row in dutch["middle"].rows]
    assert dutch["middle"].keys == ("Deel dat eronder ligt",)
