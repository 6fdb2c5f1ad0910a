"""Planted values are found nowhere but in the data folder: not in a log, an error, a message or a coordinator's file.

Everything is a process of its own, and everything it writes or says is searched, byte by byte.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from rondgang.signed import sign

from compose.demo.federation import Federation
from coordinator.home import Home as Profile
from coordinator.study import read_study
from node.home import Home
from node.operations import results
from policies.documents import to_canonical
from policies.rules.refusals import Reason
from policies.statistics.plan import plan
from tests.e2e.world import (
    DEADLINE,
    OtherDesk,
    documents,
    draft,
    impatient,
    node_at,
    quiet,
    reason,
    rondgang,
    status_of,
    stored_answers,
    until,
)

WORDS = (
    "HuisKanarie7F3Q", "PersoonKanarie8K2W", "VreemdeWaardeKanarie", "Vrije tekst: kanarie belde 0612345678",
    "GolfKanarie5T", "KapotKanarie4H",
)  # fmt: skip
NUMBERS = ("777123", "987654321", "-55501", "424242.5")
"""In bounds, far out of bounds, below them, off the grid. Searched for as numbers of their own, not inside others."""
_SEARCHED = re.compile(
    b"|".join(
        [re.escape(word.casefold().encode()) for word in WORDS]
        + [rb"(?<![0-9a-z+/=.])" + re.escape(number.encode()) + rb"(?![0-9a-z+/=])" for number in NUMBERS]
    )
)
CODEBOOK = """
codebook: {id: small, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 2, children: 2}
waves: {T0: {nl: eerst, en: first}, T1: {nl: later, en: later}}
tables: {household: {}, adult: {}, child: {}}
variables:
  amount: {table: household, type: integer, bounds: [0, 800000], waves: [T0, T1]}
  help:
    {table: household, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
  profile: {table: household, type: category, categories: {"1": {nl: een, en: one}, "2": {nl: twee, en: two}}}
  grade: {table: adult, type: decimal, bounds: [0, 500000], grid: 1, waves: [T0, T1]}
"""
POLICY = """
policy: {version: 1}
cohorts: {c1: {rho: "5"}}
lifetime: {rho: "6"}
programme: {rho: "0.3"}
forbidden_crossings: [[profile, amount]]
"""
PROGRAMME = """
programme: {id: %s, title: {nl: a, en: a}, purpose: a test, requester: Tests, cohort: c1, codebook: small@1,
            deadline: %s}
price: {rho: "%s"}
weights: {AA: "1"}
statistics:
  - {id: helped, kind: proportion, of: "help == yes", unit: household, wave: T1, by: [profile]}
  - {id: amount, kind: mean, of: amount, unit: household, wave: T1}
  - {id: grade, kind: mean, of: grade, unit: adult, wave: T1}
"""


def found(data: bytes) -> set[str]:
    """The planted values in these bytes, upper or lower case."""
    return {match.decode() for match in _SEARCHED.findall(data.lower())}


@dataclass
class Said:
    """Everything that a process printed and that a node put on the wire."""

    texts: list[str]
    messages: list[bytes]

    def ran(self, *words: str | Path, expect: Iterable[int] = (0,)) -> subprocess.CompletedProcess[str]:
        done = rondgang(*words)
        assert done.returncode in expect, done.stderr
        self.texts += [done.stdout, done.stderr]
        return done


def planted(folder: Path) -> Path:
    """A delivery of forty ordinary households, one that holds every planted value, and a column nobody asked for."""
    folder.mkdir(parents=True)
    house, person, strange, note, wave, _ = WORDS
    head = "hh;wave;amount;help;profile;remarks"
    rows = [f"h{i};{w};{1000 + i};{('no', 'yes')[i % 2]};{1 + i % 2};" for i in range(40) for w in ("T0", "T1")]
    rows += [
        f'{house};T0;{NUMBERS[0]};yes;2;"{note}"',
        f"{house};T1;{NUMBERS[1]};{strange};{strange};{note}",
        f"{house};{wave};{NUMBERS[2]};yes;1;{note}",
        f"{house}2;T1;{NUMBERS[2]};no;{strange};{note}",
    ]
    (folder / "household.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    persons = [f"h{i};p{i};{w};{100 + i}" for i in range(40) for w in ("T0", "T1")]
    persons += [f"{house};{person};T1;{NUMBERS[3]}", f"{house};{person};T1;{strange}", f"{house}3;{person};T0;7"]
    (folder / "adult.csv").write_text("\n".join(["hh;person;wave;grade", *persons]) + "\n", encoding="utf-8")
    return folder


def unusable(folder: Path) -> Path:
    """A delivery that import turns down: its first row stands where the names of columns are expected."""
    folder.mkdir()
    (folder / "household.csv").write_text(f"{WORDS[0]};T0;{NUMBERS[0]};{WORDS[2]};1\n" * 2, encoding="utf-8")
    return folder


def spoil(snapshot: Path, how: str) -> None:
    """Makes the household table one that summing chokes on, with planted values to quote."""
    path, beside = snapshot / "household.parquet", snapshot / "spoilt"
    columns = "true AS present__T0, true AS present__T1, 0 AS hh"
    match how:
        case "text":
            names = ("amount__T0", "amount__T1", "help__T0", "help__T1", "profile")
            texts = ", ".join(f"'{WORDS[-1]}' AS {name}" for name in names)
            duckdb.sql(f"COPY (SELECT {columns}, {texts} FROM range(9)) TO '{beside}' (FORMAT parquet)")
        case "cell":
            others = f"{NUMBERS[0]} AS amount__T1, 1 AS help__T1, {NUMBERS[0]} AS profile"
            duckdb.sql(f"COPY (SELECT {columns}, {others} FROM range(9)) TO '{beside}' (FORMAT parquet)")
        case _:
            beside.write_bytes(f"PAR1 {WORDS[-1]} {WORDS[3]} PAR1".encode() * 50)
    beside.replace(path)


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("canary")
    papers = documents(folder / "documents", CODEBOOK, policy=POLICY)
    made = Federation(folder / "federation", {"AA": planted(folder / "data")}, papers, cohort="c1")
    made.set_up(quiet)
    impatient(made)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def said(federation: Federation) -> Said:
    """A federation's day: imports good and bad, answers, refusals, faults; then a desk that only listens."""
    told, home = Said([], []), federation.node("AA")
    _imports(federation, told)
    federation.start(quiet)
    _asks(federation, told)
    snapshot = Home(home).snapshots / _current(federation)
    spoil(snapshot, "text")
    told.ran(*_submit(federation, "spoilt", "0.1"), expect=(1,))
    told.ran("node", "status", "--home", home, "--json")
    federation.stop()
    with node_at(federation, "AA") as desk:
        _listens(federation, desk, snapshot)
        told.messages += desk.raw
    return told


def _imports(federation: Federation, told: Said) -> None:
    home = ("--cohort", "c1", "--home", federation.node("AA"))
    told.ran("node", "import", federation.data["AA"], *home)
    told.ran("node", "import", federation.data["AA"], *home, "--json")
    told.ran("node", "import", unusable(federation.folder.parent / "unusable"), *home, expect=(2,))


def _submit(federation: Federation, name: str, rho: str) -> tuple[str | Path, ...]:
    path = federation.folder / f"{name}.yaml"
    path.write_text(PROGRAMME % (name, DEADLINE, rho), encoding="utf-8")
    home = ("--home", federation.researcher)
    return ("coordinator", "submit", path, "--wait", "--out", federation.folder / f"{name} out", *home)


def _asks(federation: Federation, told: Said) -> None:
    told.ran(*_submit(federation, "fine", "0.2"))
    told.ran(*_submit(federation, "fine", "0.2"), "--again", "--json")
    told.ran(*_submit(federation, "dear", "100"), expect=(1,))
    assert status_of(federation, "AA").answered == 1
    home = Home(federation.node("AA"))
    until(lambda: bool(results(home).returned), "for the result")
    out = federation.folder / "what came back"
    for lang in ("nl", "en"):
        told.ran("node", "results", "--out", out / lang, "--home", home.root, "--lang", lang)


def _current(federation: Federation) -> str:
    """The snapshot that the newest answer names."""
    name: str = json.loads(stored_answers(federation, "AA")[-1])["document"]["snapshot"]
    return name


def _listens(federation: Federation, desk: OtherDesk, snapshot: Path) -> None:
    """The same node at a desk that keeps every byte: answers again, refuses, and fails in two more ways."""
    researcher = Profile(federation.researcher)
    study = read_study(Profile(federation.coordinator))
    codebook = study.codebooks["small@1"]

    def asked(name: str, of: str, **more: object) -> Reason:
        one = {"id": "one", "kind": "proportion", "of": of, "unit": "household", **more}
        hashes = (codebook.digest, study.calendar.digest)
        programme = plan(draft(name, one, weights={"AA": "1"}), codebook.document, study.calendar.document, hashes)
        return reason(desk.ask(sign("programme", to_canonical(programme), researcher.signing_key())))

    assert asked("crossing", "amount > 5", by=["profile"]) is Reason.FORBIDDEN_CROSSING
    assert asked("text", "help == yes") is Reason.FAULT
    spoil(snapshot, "cell")
    assert asked("cell", "help == yes", by=["profile"]) is Reason.FAULT
    spoil(snapshot, "garbage")
    assert asked("garbage", "help == yes") is Reason.FAULT
    assert status_of(federation, "AA").dead_debits == 4


def outside_the_data_folder(federation: Federation) -> list[Path]:
    """Every file of the federation but what stands in the node's folder of snapshots."""
    data = Home(federation.node("AA")).snapshots
    return [path for path in federation.folder.rglob("*") if path.is_file() and data not in path.parents]


def test_the_search_finds_what_is_there(federation: Federation) -> None:
    delivered = b"".join(path.read_bytes() for path in federation.data["AA"].iterdir())
    assert found(delivered) == {one.casefold() for one in (*WORDS[:-1], *NUMBERS)}
    assert found(b'{"x": 777123}') == {"777123"}
    assert not found(b"17771234 a777123 b777123c 777123+")


def test_the_engine_itself_would_quote_what_it_chokes_on(tmp_path: Path) -> None:
    (tmp_path / "household.parquet").touch()
    spoil(tmp_path, "text")
    with pytest.raises(duckdb.Error) as error:
        duckdb.connect().execute(f"SELECT sum(CAST(profile AS INT)) FROM '{tmp_path}/household.parquet'").fetchall()
    assert found(str(error.value).encode()) == {WORDS[-1].casefold()}


def test_no_planted_value_was_printed(said: Said) -> None:
    assert len(said.texts) >= 16
    assert found("\n".join(said.texts).encode()) == set()


def test_no_planted_value_went_over_the_wire(said: Said) -> None:
    assert len(said.messages) == 5
    assert found(b"\n".join(said.messages)) == set()


def test_no_planted_value_is_in_a_file_outside_the_data_folder(federation: Federation, said: Said) -> None:
    paths = outside_the_data_folder(federation)
    names = {path.name for path in paths}
    assert "results.html" in names
    assert {"ledger.sqlite", "node.log", "coordinator.log", "rondgang.sqlite", "serve.out", "estimates.csv"} <= names
    assert {path.name: found(path.read_bytes()) for path in paths if found(path.read_bytes())} == {}


def test_reports_of_imports_hold_counts_and_names_only(federation: Federation, said: Said) -> None:
    reports = list(Home(federation.node("AA")).snapshots.glob("*/report.json"))
    assert len(reports) == 1, "superseded data are removed with their reports"
    for report in reports:
        assert found(report.read_bytes()) == set()
        assert all(isinstance(one["count"], int) for one in json.loads(report.read_bytes())["findings"])
