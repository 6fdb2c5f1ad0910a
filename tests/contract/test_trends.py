"""The desk over two cohorts: the second's result carries the first's figures, and trends show both."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from rondgang.signed import Signed
from rondgang.v1 import attend_pb2
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.client import Desk
from coordinator.estimates.trends import COLUMNS
from coordinator.store.store import open_store
from coordinator.table import read_rows
from policies.documents import to_canonical
from policies.study.calendar import Calendar
from tests.desk import DAY_S, Country, DeskThread, FakeNode, answer_bytes, draft, now, open_calendar, until


def many(node: FakeNode, order: attend_pb2.Order) -> bytes:
    """Answers with so many units that nothing is withheld."""
    programme = Signed.from_bytes(order.signed_programme)
    return answer_bytes(node.region, programme, node.checkpoint, value=6000)


@pytest.fixture
def country(tmp_path: Path) -> Country:
    """The small country with the region of its other group, whose cohort is open too."""
    made = Country.found(tmp_path)
    made.regions = {**made.regions, "DD": Country._region(made.consortium, "DD")}
    document = open_calendar().model_dump()
    document["calendar"]["version"] += 1
    document["cohorts"]["c2"]["windows"] = {"release": (now() - DAY_S, now() + 90 * DAY_S)}
    document["cohorts"]["c1"]["windows"]["release"] = (now() - 2 * DAY_S, now() + 90 * DAY_S)
    calendar = Calendar.model_validate(document)
    made.adopt(made.consortium.roster(), made.consortium.signed("calendar", to_canonical(calendar)))
    return made


@pytest.fixture
def server(country: Country) -> Iterator[DeskThread]:
    with DeskThread(country) as running:
        yield running


@pytest.fixture
def desk(country: Country, server: DeskThread) -> Iterator[Desk]:
    with country.open() as opened:
        yield opened


def asked(country: Country, server: DeskThread, desk: Desk, cohort: str, data: str = "study") -> str:
    """A run of the small programme that is answered by its cohort, and given back."""
    regions = ("DD",) if cohort == "c2" else ("AA", "BB", "CC")
    with ExitStack() as stack:
        for region in regions:
            node = FakeNode.of(country, region, server.port)
            node.respond = many
            stack.enter_context(node).welcomed()
        run = desk.submit(desk.plan(draft("20", cohort=cohort, data=data))).run
        list(desk.watch(run))
    until(lambda: _given_back(country, run))
    return run


def _given_back(country: Country, run: str) -> bool:
    with open_store(f"sqlite:///{country.desk.folder / 'rondgang.sqlite'}") as store:
        return store.results_revision(run) > 0


def test_a_later_cohort_carries_the_earlier_one_and_trends_show_both(
    country: Country, server: DeskThread, desk: Desk, tmp_path: Path
) -> None:
    first = asked(country, server, desk, "c1")
    second = asked(country, server, desk, "c2")
    assert {row["estimator"] for row in read_rows(desk.fetch(first).rows_json)} >= {"direct"}
    assert "composite" not in {row["estimator"] for row in read_rows(desk.fetch(first).rows_json)}
    made = {row["statistic"]: row for row in read_rows(desk.fetch(second).rows_json) if row["estimator"] == "composite"}
    # Every share, mean and transition of the programme; a count has no composite.
    assert set(made) == {"stopped", "helped", "change", "grade", "adults_safe", "wellbeing", "hurt"}
    assert first in str(made["stopped"]["note"])
    assert (made["stopped"]["regions_included"], made["stopped"]["regions_expected"]) == (4, 4)
    told = [(row["cohort"], row["estimator"]) for row in desk.trends(second) if row["statistic"] == "stopped"]
    assert told == [("c1", "direct"), ("c2", "direct"), ("c2", "composite")]

    run = [second, "--home", str(country.researcher.folder)]
    printed = CliRunner().invoke(app, ["trends", *run, "--statistic", "stopped", "--out", str(tmp_path / "out")])
    assert printed.exit_code == 0, printed.output
    assert "composite" in printed.output
    lines = list(csv.reader((tmp_path / "out" / "trends.csv").read_text(encoding="utf-8").splitlines()))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == 4
    given = CliRunner().invoke(app, ["trends", *run, "--json"])
    assert json.loads(given.stdout)["trends"] == desk.trends(second)
    unknown = CliRunner().invoke(app, ["trends", *run, "--statistic", "nothing"])
    assert unknown.exit_code == 2
    assert "stopped" in unknown.output


def test_a_study_carries_nothing_made_up(country: Country, server: DeskThread, desk: Desk) -> None:
    asked(country, server, desk, "c1", data="synthetic")
    second = asked(country, server, desk, "c2")
    assert "composite" not in {row["estimator"] for row in read_rows(desk.fetch(second).rows_json)}
    assert {row["cohort"] for row in desk.trends(second) if row["estimator"] == "direct"} == {"c2"}
