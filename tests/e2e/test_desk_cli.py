"""`rondgang coordinator` as people and programs use it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from coordinator.cli import app
from coordinator.estimates.tables import COLUMNS
from policies.documents import to_canonical
from policies.study.enrolment import EnrolmentRequest
from tests import small_study
from tests.applicants import authority
from tests.desk import OVER, REGIONS, Consortium, Country, DeskThread, FakeNode, all_nodes, now

DONE, REFUSED, BAD_INPUT, LATER = 0, 1, 2, 75


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country.found(tmp_path)


@pytest.fixture
def server(country: Country) -> Iterator[DeskThread]:
    with DeskThread(country) as running:
        yield running


def rondgang(country: Country, *words: str | Path, exit_code: int = DONE) -> Result:
    """One command of the researcher. Fails unless it ends as it should."""
    given = [str(word) for word in words]
    home = [] if "--home" in given else ["--home", str(country.researcher.folder)]
    result = CliRunner().invoke(app, [*given, *home])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == exit_code, result.output
    return result


def facts(result: Result) -> dict[str, Any]:
    """The one JSON object on stdout."""
    (line,) = result.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def programme(country: Country, **changes: object) -> Path:
    """The small programme as a file, with other fields at the top."""
    written = {**yaml.safe_load(small_study.DRAFT), **changes}
    written["programme"]["deadline"] = "2999-12-31"
    path = country.folder / "programme.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    return path


def test_submit_waits_and_writes_the_results(country: Country, server: DeskThread, tmp_path: Path) -> None:
    path, out = programme(country), tmp_path / "a new folder"
    with ExitStack() as stack:
        all_nodes(stack, country, server.port)
        result = rondgang(country, "submit", path, "--wait", "--out", out)
        assert "3 of 3 regions answered; each was charged" in result.stdout
        assert "stopped" in result.stdout
        assert "complete: 3 answered" in result.stderr
        again = facts(rondgang(country, "submit", path, "--wait", "--again", "--json"))
    assert again["existed"]
    assert [one["repeats"] for one in again["progress"]] == [1, 1, 1]
    assert (out / "programme.yaml").read_bytes() == path.read_bytes()
    assert sorted(file.name for file in (out / "answers").iterdir()) == [f"{code}.signed.json" for code in REGIONS]
    rows = json.loads((out / "estimates.json").read_bytes())
    assert tuple(rows[0]) == COLUMNS
    with (out / "estimates.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == len(rows) + 1
    listed = facts(rondgang(country, "results", again["run"], "--json"))
    assert (listed["state"], listed["answered"], listed["regions"]) == ("complete", 3, 3)


def test_price_writes_the_document_of_the_contract(country: Country, server: DeskThread, tmp_path: Path) -> None:
    out = tmp_path / "price.json"
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        shown = rondgang(country, "price", programme(country), "--out", out)
        assert not any(node.orders for node in nodes.values())
    document = json.loads(out.read_bytes())
    contract = ["programme", "hash", "rho", "epsilon", "delta", "statistics", "regions"]
    assert list(document)[: len(contract)] == contract
    assert list(document["statistics"][0]) == [
        "statistic", "mode", "rho", "margin_regional", "margin_national", "by_region",
    ]  # fmt: skip
    assert list(document["regions"][0]) == [
        "region", "rho", "epsilon", "left_cohort", "left_lifetime", "decision", "reason",
    ]  # fmt: skip
    assert document["rho"] <= 0.2
    assert sum(one["rho"] for one in document["statistics"]) == pytest.approx(document["rho"], abs=1e-12)
    assert {one["decision"] for one in document["regions"]} == {"granted"}
    assert document["regions"][0]["left_cohort"] == 0.5
    assert "Denominators" in shown.stdout


def test_targets_become_a_programme_that_is_priced_compared_and_submitted(
    country: Country, server: DeskThread, tmp_path: Path
) -> None:
    """By the desk's documents: nobody is asked to plan, regions say what they have left, and each answers."""
    targets, planned = tmp_path / "targets.yaml", tmp_path / "planned.yaml"
    written = yaml.safe_load(programme(country).read_text())
    statistics = [
        {**one, "target": {"national": "0.2"}} for one in written["statistics"] if one["id"] in ("stopped", "helped")
    ]
    del written["price"]
    targets.write_text(yaml.safe_dump({**written, "statistics": statistics}, sort_keys=False))
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        made = facts(rondgang(country, "plan", targets, "--out", planned, "--json"))
        assert made["file"] == str(planned)
        priced = facts(rondgang(country, "price", planned, "--json"))
        both = facts(rondgang(country, "compare", planned, programme(country), "--json"))
        assert not any(node.orders for node in nodes.values())
        result = rondgang(country, "submit", planned, "--wait")
    assert priced["rho"] == made["rho"] == both["first"]["rho"]
    assert [one["margin_national"] for one in priced["statistics"]] == pytest.approx(
        [one["targets"][0]["margin"] for one in made["statistics"]]
    )
    assert {one["region"]: one["pays_both"] for one in both["regions"]} == dict.fromkeys(REGIONS, True)
    assert "3 of 3 regions answered; each was charged" in result.stdout


def test_a_programme_that_every_region_refuses_opens_no_run(country: Country, server: DeskThread) -> None:
    path = programme(country)
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        for node in nodes.values():
            node.refuse = OVER
        told = facts(rondgang(country, "submit", path, "--json", exit_code=REFUSED))
        shown = rondgang(country, "submit", path, exit_code=REFUSED)
        priced = facts(rondgang(country, "price", path, "--json", exit_code=REFUSED))
        assert not any(node.orders for node in nodes.values())
    assert told["refused"] == "over_cohort_cap"
    assert set(told["regions"]) == set(REGIONS)
    assert shown.stderr.count(OVER.sentence) == len(REGIONS)
    assert {one["reason"] for one in priced["regions"]} == {"over_cohort_cap"}


def test_where_some_regions_refuse_the_others_are_asked(country: Country, server: DeskThread) -> None:
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        nodes["BB"].refuse = OVER
        result = rondgang(country, "submit", programme(country), "--wait")
    assert "BB will refuse" in result.stderr
    assert "2 of 3 regions answered" in result.stdout


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"price": {"rho": "1e9"}}, REFUSED, "no privacy"),
        ({"statistics": [{"id": "a", "kind": "count", "unit": "household", "wave": "T1", "where": "nobody == 1"}]},
         BAD_INPUT, "nobody"),
        ({"statistics": [{"id": "a", "kind": "median", "unit": "household", "wave": "T1"}]}, BAD_INPUT, "kind"),
        ({"prize": "0.1"}, BAD_INPUT, "prize"),
    ],
)  # fmt: skip
def test_a_programme_that_cannot_be_asked_says_why(
    country: Country, server: DeskThread, changes: dict[str, object], code: int, said: str
) -> None:
    result = rondgang(country, "submit", programme(country, **changes), exit_code=code)
    assert said in result.stderr
    assert not result.stdout
    facts(rondgang(country, "submit", programme(country, **changes), "--json", exit_code=code))


def test_results_are_for_later_while_regions_are_still_to_answer(country: Country, server: DeskThread) -> None:
    with FakeNode.of(country, "AA", server.port) as node:
        node.welcomed()
        run = facts(rondgang(country, "submit", programme(country), "--json"))["run"]
        waited = rondgang(country, "submit", programme(country), "--wait", "--timeout", "1", exit_code=LATER)
        assert "1 answered" in waited.stderr
        result = rondgang(country, "results", run, exit_code=LATER)
    assert "1 of 3 regions answered" in result.stdout
    assert "provisional" in result.stdout


def test_the_desk_that_is_away_and_the_run_that_is_not_there(country: Country, server: DeskThread) -> None:
    assert facts(rondgang(country, "results", "run-00", "--json", exit_code=BAD_INPUT))["error"] == "bad_input"
    country.point_researcher(1)
    assert facts(rondgang(country, "regions", "--json", exit_code=LATER))["later"] == "unreachable"


def test_regions_and_calendar(country: Country, server: DeskThread) -> None:
    with FakeNode.of(country, "AA", server.port) as node:
        node.welcomed()
        shown = rondgang(country, "regions").stdout
        listed = facts(rondgang(country, "regions", "--json"))["regions"]
    assert [(one["region"], one["attending"]) for one in listed] == [("AA", True), ("BB", False), ("CC", False)]
    assert "attends" in shown
    assert "never" in shown
    turns = facts(rondgang(country, "calendar", "--json"))["cohorts"]
    assert [(one["cohort"], one["turn"]) for one in turns] == [("c1", "now"), ("c2", "next")]
    assert "release" in rondgang(country, "calendar").stdout


def test_joining_a_federation(country: Country, server: DeskThread, tmp_path: Path) -> None:
    consortium, home, papers = country.consortium, tmp_path / "second", tmp_path / "papers"
    papers.mkdir()
    (papers / "consortium.pub").write_text(consortium.public.hex + "\n")
    init = ("init", "--role", "researcher", "--name", "Second", "--coordinator", country.address(server.port))
    words = (*init, "--consortium-key", papers / "consortium.pub", "--home", home)
    made = facts(rondgang(country, *words, "--json"))
    rondgang(country, *words, exit_code=BAD_INPUT)
    request = EnrolmentRequest.read(Path(made["request"]).read_bytes())
    (papers / "own.pem").write_bytes(consortium.enrol(request))
    (papers / "ca.pem").write_bytes(consortium.root)
    (papers / "roster.json").write_bytes(consortium.roster())
    (papers / "calendar.json").write_bytes(consortium.signed("calendar", to_canonical(country.calendar)))
    enrol = ("enrol", papers / "own.pem", "--ca", papers / "ca.pem", "--roster", papers / "roster.json")
    shown = rondgang(country, *enrol, "--calendar", papers / "calendar.json", "--home", home).stdout
    assert shown.count("Adopted the") == 2
    rondgang(country, "regions", "--home", home, exit_code=REFUSED)
    rondgang(country, "adopt", papers / "roster.json", "--home", country.desk.folder)
    rondgang(country, "regions", "--home", home)


def test_a_foreign_certificate_or_roster_is_not_taken_in(country: Country, tmp_path: Path) -> None:
    home = country.researcher.folder
    request = EnrolmentRequest.read(country.researcher.request.read_bytes())
    foreign = Consortium(authority("another", now() - 86_400))
    for name, data in (
        ("own.pem", foreign.enrol(request)),
        ("ca.pem", country.consortium.root),
        ("roster.json", foreign.roster()),
    ):
        (tmp_path / name).write_bytes(data)
    before = (home / "certs" / "own.pem").read_bytes()
    rondgang(country, "enrol", tmp_path / "own.pem", "--ca", tmp_path / "ca.pem", exit_code=REFUSED)
    assert (home / "certs" / "own.pem").read_bytes() == before
    refused = rondgang(country, "adopt", tmp_path / "roster.json", exit_code=REFUSED)
    assert "not signed by the consortium key" in refused.stderr


def test_every_verb_has_help_with_an_example() -> None:
    listed = CliRunner().invoke(app, ["--help"]).stdout
    for verb in ("init", "enrol", "adopt", "serve", "regions", "calendar", "price", "submit", "watch", "results"):
        assert verb in listed
        assert "Example: rondgang coordinator" in CliRunner().invoke(app, [verb, "--help"]).stdout
