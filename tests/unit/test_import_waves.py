"""`rondgang node import` over time: waves that are added, nothing lost by accident, and households in few cohorts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rondgang.signed import sign
from typer.testing import CliRunner, Result

from node.cli import app
from node.home import Config, CoordinatorAddress, Home, create_home
from node.ledger.ledger import Ledger
from node.operations import Declined, Done, adopt_document, adopt_policy, import_terms, record_import, status
from node.snapshots import open_snapshot
from policies.documents import to_canonical
from policies.study.calendar import Calendar
from tests import small_study
from tests.applicants import signing_key
from tests.importing import CODEBOOK, csv_text, deliver, rows
from tests.node_world import CONSORTIUM, always_roster

T0 = {
    "household": csv_text([["hh_id", "wave", "incidents", "profile"], ["h1", "T0", "5", "1"], ["h2", "T0", "7", "2"]]),
    "adult": csv_text(
        [
            ["hh_id", "person_id", "wave", "grade"],
            ["h1", "b", "T0", "7"],
            ["h1", "c", "T0", "8"],
            ["h2", "a", "T0", "6"],
        ]
    ),
}
T1 = {
    "household": csv_text(
        [
            ["hh_id", "wave", "incidents", "profile"],
            ["h3", "T1", "1", "1"],
            ["h1", "T1", "0", ""],
            ["h2", "T1", "2", "1"],
        ]
    ),
    "adult": csv_text(
        [
            ["hh_id", "person_id", "wave", "grade"],
            ["h1", "a", "T1", "9"],
            ["h1", "c", "T1", "4"],
            ["h2", "b", "T1", "5"],
        ]
    ),
}
CANARY = "kanarie7531"


def calendar() -> Calendar:
    """The small one, with three cohorts of one group."""
    small = small_study.calendar()
    more = dict.fromkeys(("c1", "c3", "c5"), small.cohorts["c1"])
    return small.model_copy(update={"cohorts": more})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    config = Config(region="AA", coordinator=CoordinatorAddress(address="localhost:1"))
    keys = {name: signing_key(f"AA {name}").to_pem() for name in ("checkpoint", "steward")}
    made = create_home(tmp_path / "home", config, CONSORTIUM.public, {"tls": b"unused", **keys})
    for kind, document in (("roster", always_roster()), ("calendar", calendar()), ("codebook", CODEBOOK)):
        assert isinstance(adopt_document(made, sign(kind, to_canonical(document), CONSORTIUM).to_bytes()), Done)
    return made


def run(home: Home, *words: str | Path) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words), "--home", str(home.root)])


def imported(home: Home, folder: Path, files: Mapping[str, str], *words: str, cohort: str = "c1") -> Result:
    shutil.rmtree(folder, ignore_errors=True)
    return run(home, deliver(folder, **files), "--cohort", cohort, *words)


def stored(home: Home, unit: str, *columns: str, cohort: str = "c1") -> list[tuple[object, ...]]:
    return list(rows(open_snapshot(home.root, import_terms(home, cohort).snapshot), unit, columns))


def limited(home: Home, most: int, version: int = 1) -> None:
    """From now on a household may be in so many cohorts."""
    caps = {name: {"rho": "0.5"} for name in ("c1", "c3", "c5")}
    policy = small_study.region_policy(policy={"version": version}, cohorts=caps, households={"most_cohorts": most})
    done = adopt_policy(home, policy)
    assert isinstance(done, Done), done


def households(*ids: tuple[str, str]) -> dict[str, str]:
    """Households by their id and their stable id."""
    given = [["hh_id", "stable_id", "wave", "incidents"], *([one, stable, "T0", "1"] for one, stable in ids)]
    return {"household": csv_text(given)}


def test_a_wave_is_added_to_the_same_households_and_persons(home: Home, tmp_path: Path) -> None:
    assert imported(home, tmp_path / "in", T0).exit_code == 0
    before = import_terms(home, "c1").snapshot
    done = imported(home, tmp_path / "in", T1, "--add")
    assert done.exit_code == 0, done.output
    assert "Toegevoegd aan de gegevens die golden: T0." in done.stdout
    assert "tegenstrijdige waarden voor dezelfde eenheid, nu onbekend:\n            1  household.profile" in done.stdout
    found = stored(home, "household", "incidents__T0", "incidents__T1", "profile")
    assert found == [(5, 0, 0), (7, 2, None), (None, 1, 0)]
    # Two adults count: those that did stay, so the first by the order of ids comes too late.
    assert stored(home, "adult", "hh", "grade__T0", "grade__T1") == [
        (0, 70, None),
        (0, 80, 40),
        (1, 60, None),
        (1, None, 50),
    ]
    # Derived again from what is stored: the profile of h1 came with T0, its grade with T1.
    assert [value is None for (value,) in stored(home, "adult", "content__T1")] == [True, False, True, True]
    after = import_terms(home, "c1").snapshot
    assert after != before
    assert [path.name for path in home.snapshots.iterdir()] == [after], "of the one before, nothing stays on the disk"


@pytest.mark.parametrize(
    ("files", "words", "sentence"),
    [
        (T0, ("--add",), "De meting T0 staat al in de gegevens die gelden."),
        (T1, (), "De gegevens die nu gelden hebben ook de meting T0; deze bestanden niet."),
        (T1, ("--add", "--replace"), "Kies een van --add en --replace."),
        (T1, ("--add", "--cohort", "c3"), "Er gelden nog geen gegevens van cohort c3"),
        (T1, ("--lang", "en"), "Add with --add, or replace on purpose with --replace."),
    ],
)
def test_what_would_be_counted_twice_or_lost_is_refused_and_changes_nothing(
    home: Home, tmp_path: Path, files: Mapping[str, str], words: tuple[str, ...], sentence: str
) -> None:
    assert imported(home, tmp_path / "in", T0).exit_code == 0
    before = import_terms(home, "c1")
    refused = imported(home, tmp_path / "in", files, *words)
    assert refused.exit_code == 2, refused.output
    assert sentence in refused.stderr
    assert import_terms(home, "c1") == before
    assert len(list(home.snapshots.iterdir())) == 1


def test_a_wave_is_lost_only_on_purpose(home: Home, tmp_path: Path) -> None:
    assert imported(home, tmp_path / "in", T0).exit_code == 0
    assert imported(home, tmp_path / "in", T1, "--replace").exit_code == 0
    assert stored(home, "household", "present__T0") == [(False,)] * 3


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("ids.parquet", "door een oudere versie ingelezen"),
        ("household.parquet", "zijn er niet meer of zijn beschadigd"),
        ("keys", "met een andere sleutel gemaakt"),
    ],
)
def test_nothing_is_added_to_what_cannot_be_read(home: Home, tmp_path: Path, spoil: str, sentence: str) -> None:
    assert imported(home, tmp_path / "in", T0).exit_code == 0
    folder = open_snapshot(home.root, import_terms(home, "c1").snapshot).folder
    (home.keys / "pseudonyms.key" if spoil == "keys" else folder / spoil).unlink()
    refused = imported(home, tmp_path / "in", T1, "--add")
    assert refused.exit_code == 2
    assert sentence in refused.stderr
    assert imported(home, tmp_path / "in", T1, "--replace").exit_code == 0


def test_households_beyond_their_number_of_cohorts_are_left_out_and_counted_for_the_steward(
    home: Home, tmp_path: Path
) -> None:
    limited(home, 1)
    assert imported(home, tmp_path / "in", households(("h1", "s1"), ("h2", "s2"))).exit_code == 0
    second = households(("x1", "s1"), ("x2", "s3"), ("x3", ""), ("x4", "s4"), ("x4", "s5"))
    done = imported(home, tmp_path / "in", second, "--json", cohort="c3")
    assert done.exit_code == 0, done.output
    found = {one["rule"]: one["count"] for one in json.loads(done.stdout)["findings"] if one["table"] == "household"}
    assert (found["over_cohorts"], found["no_stable_id"]) == (1, 2)
    assert stored(home, "household", "incidents__T0", cohort="c3") == [(1,)]
    assert imported(home, tmp_path / "in", households(("y1", "s1"), ("y2", "s9")), cohort="c5").exit_code == 0
    assert len(stored(home, "household", "hh", cohort="c5")) == 1
    # Said to nobody else: not by the status, not in the ledger.
    assert "left" not in json.dumps([one.model_dump() for one in status(home).last])


def test_a_limit_needs_a_stable_id_and_nobody_gets_in_without(home: Home, tmp_path: Path) -> None:
    limited(home, 2)
    refused = imported(home, tmp_path / "in", T0)
    assert refused.exit_code == 2
    assert "zet in de vertaling bij de huishoudens `stable: KOLOM`, of lever de kolom stable_id mee" in refused.stderr
    refused = imported(home, tmp_path / "in", households(("h1", ""), ("h2", "")))
    assert refused.exit_code == 2
    assert "Geen enkel huishouden mag meedoen" in refused.stderr
    assert not list(home.snapshots.iterdir())


def test_a_mapping_names_the_stable_id_and_a_code_for_unknown_is_none(home: Home, tmp_path: Path) -> None:
    limited(home, 1)
    text = "mapping: {codebook: small@1}\nmissing: [-9]\nparts:\n"
    text += "  - {table: household, household: NR, stable: BSN_CODE, wave: {always: T0}, columns: {incidents: I}}\n"
    folder = tmp_path / "in"
    deliver(folder, household="NR;BSN_CODE;I\n1;s1;5\n2;-9;5\n3;s3;5\n")
    (folder / "mapping.yaml").write_text(text, encoding="utf-8")
    done = run(home, folder, "--cohort", "c1")
    assert done.exit_code == 0, done.output
    assert "huishoudens zonder eenduidig vast nummer, geheel weggelaten:\n            1  household" in done.stdout
    assert len(stored(home, "household", "hh")) == 2
    (folder / "mapping.yaml").write_text(text.replace("BSN_CODE", "OTHER"), encoding="utf-8")
    refused = run(home, folder, "--cohort", "c3")
    assert refused.exit_code == 2
    assert "ontbreekt de kolom OTHER" in refused.stderr


def test_cohorts_from_before_the_limit_count_for_everybody(home: Home, tmp_path: Path) -> None:
    """Unless their delivery had stable ids already."""
    assert imported(home, tmp_path / "in", T0).exit_code == 0
    limited(home, 2)
    assert imported(home, tmp_path / "in", households(("h1", "s1")), cohort="c3").exit_code == 0
    done = imported(home, tmp_path / "in", households(("h1", "s1"), ("h2", "s2")), cohort="c5")
    assert done.exit_code == 0, done.output
    assert len(stored(home, "household", "hh", cohort="c5")) == 1
    (home.root / "registry.sqlite").unlink()
    refused = imported(home, tmp_path / "in", households(("h7", "s7")), cohort="c5")
    assert refused.exit_code == 2
    assert "Van c1, c3 is niet bekend wie meedeed" in refused.stderr


def test_stable_ids_are_remembered_before_there_is_a_limit(home: Home, tmp_path: Path) -> None:
    assert imported(home, tmp_path / "in", households(("h1", "s1"))).exit_code == 0
    limited(home, 1)
    done = imported(home, tmp_path / "in", households(("h1", "s1"), ("h2", "s2")), cohort="c3")
    assert done.exit_code == 0, done.output
    assert len(stored(home, "household", "hh", cohort="c3")) == 1


def test_with_a_limit_a_wave_joins_the_households_that_may_be_there(home: Home, tmp_path: Path) -> None:
    limited(home, 1)
    assert imported(home, tmp_path / "in", households(("h1", "s1"), ("h2", "s2"))).exit_code == 0
    assert imported(home, tmp_path / "in", households(("z", "s9")), cohort="c3").exit_code == 0
    later = households(("h1", "s1"), ("h2", "s8"), ("h4", "s9"), ("h5", "s5"))
    later["household"] = later["household"].replace("T0", "T1")
    done = imported(home, tmp_path / "in", later, "--add", "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "households without one stable id, left out whole:\n            1  household" in done.stdout
    assert "households that are in as many other cohorts as may be, left out whole:\n            1" in done.stdout
    assert stored(home, "household", "incidents__T0", "incidents__T1") == [(1, 1), (None, 1)]


def test_an_import_by_terms_that_changed_meanwhile_is_declined(home: Home, tmp_path: Path) -> None:
    assert imported(home, tmp_path / "in", T0).exit_code == 0
    terms, codebook = import_terms(home, "c1"), import_terms(home, "c1").codebook
    assert isinstance(record_import(home, "6" * 32, "c1", codebook, base=""), Declined)
    assert isinstance(record_import(home, "6" * 32, "c1", codebook, base=terms.snapshot), Done)
    assert isinstance(record_import(home, "7" * 32, "c1", codebook, base=terms.snapshot), Declined)
    assert isinstance(record_import(home, "6" * 32, "c1", codebook, base=""), Done), "the same again"
    limited(home, 2)
    for most in (None, 3):
        declined = record_import(home, "8" * 32, "c1", codebook, base="6" * 32, most=most)
        assert isinstance(declined, Declined)
        assert "at most 2 cohorts" in declined.sentence
    assert isinstance(record_import(home, "8" * 32, "c1", codebook, base="6" * 32, most=2), Done)


def test_no_id_and_no_count_leaves_the_private_files(home: Home, tmp_path: Path) -> None:
    """Neither the id nor the stable id stands anywhere, and the serving node's files hold no pseudonym."""
    limited(home, 1)
    files = households((CANARY, CANARY + "s"), ("h2", "s2"))
    assert imported(home, tmp_path / "in", files).exit_code == 0
    ledger = Ledger(home.ledger_file, "AA", lambda: 0)
    entries = str(ledger.last_entries(100))
    ledger.close()
    assert CANARY not in entries
    folder = open_snapshot(home.root, import_terms(home, "c1").snapshot).folder
    names = set(pq.read_table(folder / "ids.parquet").column("pseudonym").to_pylist())
    assert len(names) == 2
    for path in home.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert CANARY.encode() not in data, path.name
            assert path.name == "ids.parquet" or not any(name in data for name in names), path.name
