"""Two real nodes get back what they answered: at once, when they come back, once in the ledger, and on paper."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from compose.demo.federation import Federation
from coordinator.client import Desk
from coordinator.gather import Asked
from coordinator.table import csv_text
from node.feedback import AllReturned
from node.home import Home
from node.operations import results
from policies.pages.numbers import number, percentage
from policies.rules.entries import RefusedEntry, ResultEntry
from tests.e2e.world import draft, entries, finished, quiet, rondgang, small_federation, until

ASKED = (
    {"id": "helped", "kind": "proportion", "of": "help == yes", "unit": "household"},
    {"id": "by_profile", "kind": "count", "unit": "household", "by": ["profile"]},
)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = small_federation(tmp_path_factory.mktemp("return"))
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def run(federation: Federation) -> str:
    """A run in which BB answered and was killed before AA came: AA gets its result at once, BB when it is back."""
    federation.kill("AA")
    with Desk.open(federation.researcher) as desk:
        name = desk.submit(desk.plan(draft("given_back", *ASKED, data="synthetic"))).run
        until(lambda: next(iter(desk.watch(name))).count(Asked.ANSWERED) == 1, "for BB")
        federation.kill("BB")
        federation.start_node("AA")
        finished(desk, name)
        until(lambda: bool(came_back(federation, "AA").returned), "for AA's result")
        assert came_back(federation, "BB").returned == ()
        federation.start_node("BB")
        until(lambda: bool(came_back(federation, "BB").returned), "for BB's result")
    return name


def came_back(federation: Federation, region: str) -> AllReturned:
    return results(Home(federation.node(region)))


def logged(federation: Federation, region: str) -> list[ResultEntry]:
    return [entry.body for entry in entries(federation, region) if isinstance(entry.body, ResultEntry)]


def shown(federation: Federation, region: str, run: str, out: Path, *more: str) -> dict[str, object]:
    done = rondgang("node", "results", run, "--out", out, "--home", federation.node(region), "--json", *more)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_each_region_has_it_once_in_its_ledger_and_knows_it_after_both_were_killed(
    federation: Federation, run: str
) -> None:
    for region in federation.regions:
        (entry,) = logged(federation, region)
        (returned,) = came_back(federation, region).returned
        assert (returned.run, returned.hash, returned.programme) == (run, entry.hash, entry.programme)
        assert (returned.included, returned.expected, returned.readable) == (2, 2, True)
    for name in ("coordinator", "AA"):
        federation.kill(name)
    federation.start_one("coordinator", "coordinator", federation.coordinator)
    federation.start_node("AA")
    federation.wait_for(federation.regions, 60, quiet)
    assert [len(logged(federation, region)) for region in federation.regions] == [1, 1]
    assert not any(isinstance(entry.body, RefusedEntry) for entry in entries(federation, "AA"))


def test_the_files_hold_the_researchers_lines_and_the_page_their_numbers(
    federation: Federation, run: str, tmp_path: Path
) -> None:
    with Desk.open(federation.researcher) as desk:
        lines = csv_text(desk.fetch(run).rows_json).splitlines()
    for region, other in (("AA", "BB"), ("BB", "AA")):
        told = shown(federation, region, run, tmp_path / region)
        assert (told["data"], told["revision"], told["test_only"]) == ("synthetic", 2, False)
        table = (tmp_path / region / "estimates.csv").read_text(encoding="utf-8")
        assert table.splitlines() == [line for line in lines if f",{other}," not in line]
        assert json.loads((tmp_path / region / "estimates.json").read_text(encoding="utf-8"))
        page = (tmp_path / region / "results.html").read_text(encoding="utf-8")
        assert '<html lang="nl">' in page
        assert "SYNTHETISCHE GEGEVENS" in page
        readable = [row for row in csv.DictReader(table.splitlines()) if row["status"] == "ok" and row["ci_low"]]
        assert readable
        for row in readable:
            value = Decimal(row["estimate"])
            assert (percentage(value, "nl") if row["measure"] == "share" else number(value, 0, "nl")) in page


def test_the_list_and_the_page_work_with_the_node_stopped_and_in_english(
    federation: Federation, run: str, tmp_path: Path
) -> None:
    federation.kill("BB")
    home = ("--home", federation.node("BB"))
    listed = rondgang("node", "results", *home, "--json")
    assert [one["run"] for one in json.loads(listed.stdout)["results"]] == [run]
    shown(federation, "BB", run, tmp_path / "one", "--lang", "en")
    assert "What these figures do not say" in (tmp_path / "one" / "results.html").read_text(encoding="utf-8")
    unknown = rondgang("node", "results", "run-" + "0" * 16, *home)
    assert (unknown.returncode, "niets teruggekomen" in unknown.stderr) == (1, True)


def test_a_result_that_was_altered_on_disk_is_not_shown(federation: Federation, run: str, tmp_path: Path) -> None:
    if "BB" in federation.processes:
        federation.kill("BB")
    path = federation.node("BB") / "results" / f"{run}.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"estimate":"', b'"estimate":"1', 1))
    home = ("--home", federation.node("BB"))
    refused = rondgang("node", "results", run, "--out", tmp_path / "no", *home, "--lang", "en")
    assert refused.returncode == 1
    assert not (tmp_path / "no").exists()
    (listed,) = json.loads(rondgang("node", "results", *home, "--json").stdout)["results"]
    assert listed["readable"] is False
    path.write_bytes(whole)
    assert came_back(federation, "BB").returned[0].readable
