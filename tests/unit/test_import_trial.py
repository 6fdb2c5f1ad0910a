"""A trial run writes nothing; a report says where; the page to print holds no value and runs no script."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli import app
from node.home import Home
from node.importing.places import placed
from node.importing.report import MOST_ROWS, Finding, Place, Report
from node.lock import exclusive
from tests.html_pages import complaints
from tests.importing import CODEBOOK, csv_text, deliver, take
from tests.node_world import COHORT, import_rows, make_home

CANARY = "kanarie7531"


def _places(folder: Path, home: Path) -> dict[tuple[str, str, str], list[tuple[str, tuple[int, ...]]]]:
    report = take(home, folder).report
    return {
        (one.rule, one.table or "", one.name): [(place.file, place.rows) for place in one.places]
        for one in report.findings
        if one.places
    }


def test_a_report_says_in_which_rows_it_is(tmp_path: Path) -> None:
    household = csv_text([
        ["hh_id", "wave", "incidents", "severe", "profile", "help", "change"],
        ["h1", "T0", "9999", "no", "1", "", "0.3"],   # 2: clamped, snapped
        ["h1", "T0", "5", "yes", "7", "none", ""],    # 3: a duplicate, torn with 2, unknown code, not asked
        ["", "T0", "5", "no", "1", "", ""],           # 4: no household
        ["h2", "T7", "5", "no", "1", "", ""],         # 5: no such wave
        ["h3", "T0", "veel", "no", "1", "", ""],      # 6: no number
    ])  # fmt: skip
    child = csv_text([
        ["hh_id", "person_id", "wave", "age"],
        *(["h1", f"p{person}", "T0", "5"] for person in (10, 9, 1, 2, 3)),  # 2..6: p9 and p10 are over the cap of 3
        ["h1", "", "T0", "5"],  # 7
    ])  # fmt: skip
    found = _places(deliver(tmp_path / "in", household=household, child=child), tmp_path)
    assert found == {
        ("no_household_id", "household", ""): [("household.csv", (4,))],
        ("unknown_wave", "household", ""): [("household.csv", (5,))],
        ("no_person_id", "child", ""): [("child.csv", (7,))],
        ("over_cap", "child", ""): [("child.csv", (2, 3))],
        ("duplicate_row", "household", ""): [("household.csv", (3,))],
        ("unreadable", "household", "incidents"): [("household.csv", (6,))],
        ("unknown_code", "household", "profile"): [("household.csv", (3,))],
        ("not_asked", "household", "help"): [("household.csv", (3,))],
        ("conflict", "household", "incidents"): [("household.csv", (2, 3))],
        ("conflict", "household", "severe"): [("household.csv", (2, 3))],
        ("clamped", "household", "incidents"): [("household.csv", (2,))],
        ("snapped", "household", "change"): [("household.csv", (2,))],
    }


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("hh_id;wave;incidents\na;T0;1\nb;T0;x\n", 3),
        ("hh_id;wave;incidents\r\na;T0;1\r\n\r\n\r\nb;T0;x\r\n", 5),
        ("hh_id;wave;incidents\na;T0;1\ntoo;many;fields;here\nb;T0;x", 4),
        ('hh_id;wave;incidents\n"a\n\nc";T0;1\n\nb;T0;x\n', 4),
    ],
    ids=["plain", "empty_lines", "ragged", "quoted_breaks"],
)
def test_rows_are_numbered_as_a_spreadsheet_numbers_them(tmp_path: Path, text: str, row: int) -> None:
    found = _places(deliver(tmp_path / "in", household=text), tmp_path)
    assert found[("unreadable", "household", "incidents")] == [("household.csv", (row,))]
    assert found.get(("ragged_row", "household", "")) == ([("household.csv", (3,))] if "too" in text else None)


def test_a_report_names_only_the_first_rows(tmp_path: Path) -> None:
    many = csv_text([["hh_id", "wave", "incidents"], *([f"h{i}", "T0", "x"] for i in range(500))])
    ((_file, rows),) = _places(deliver(tmp_path / "in", household=many), tmp_path)[
        ("unreadable", "household", "incidents")
    ]
    assert rows == tuple(range(2, 2 + MOST_ROWS))


def test_places_are_only_told_of_tables_that_are_there() -> None:
    finding = Finding("household_without_row", "child", count=3)
    assert placed([finding], {}, CODEBOOK) == (finding,)


def test_a_report_is_read_again_also_one_of_an_earlier_version(tmp_path: Path) -> None:
    report = take(tmp_path, deliver(tmp_path / "in", household="hh_id;wave;incidents\na;T0;x\n")).report
    assert Report.from_json(report.to_json().encode()) == report
    assert any(one.places == (Place("household.csv", (2,)),) for one in report.findings)
    plain = json.loads(report.to_json())
    for finding in plain["findings"]:
        finding.pop("places", None)
    assert not any(one.places for one in Report.from_json(json.dumps(plain).encode()).findings)


# ---- with a node


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(tmp_path / "home")
    import_rows(made)
    return made


def _run(home: Home, *words: str | Path) -> Result:
    given = ["import", str(home.root / "delivery"), "--cohort", COHORT, *map(str, words)]
    return CliRunner().invoke(app, [*given, "--home", str(home.root)])


def _tree(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_trial_tells_what_an_import_would_and_writes_nothing(home: Home) -> None:
    _spoil(home)
    assert _run(home, "--dry-run").exit_code == 0  # what a first verb leaves behind, such as its lock, is there now
    before = _tree(home.root)
    trial = _run(home, "--dry-run", "--json")
    assert trial.exit_code == 0, trial.output
    assert _tree(home.root) == before
    real = _run(home, "--json")
    assert real.exit_code == 0
    assert {**json.loads(trial.stdout), "snapshot": ""} == {**json.loads(real.stdout), "snapshot": ""}


def test_a_trial_needs_no_key_and_makes_none(home: Home) -> None:
    (home.root / "keys" / "pseudonyms.key").unlink()
    (home.root / "registry.sqlite").unlink(missing_ok=True)
    done = _run(home, "--dry-run", "--lang", "nl")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Proef: er wordt niets geschreven")
    assert not (home.root / "keys" / "pseudonyms.key").exists()
    assert not (home.root / "registry.sqlite").exists()


def test_a_trial_is_refused_as_the_import_would_be(home: Home) -> None:
    (home.root / "delivery" / "household.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    trial, real = _run(home, "--dry-run"), _run(home)
    assert trial.exit_code == real.exit_code == 2
    assert trial.stderr.splitlines()[-1] == real.stderr.splitlines()[-1]


def test_a_trial_does_not_wait_for_an_import(home: Home) -> None:
    with exclusive(home.root / "import.lock"):
        assert _run(home, "--dry-run").exit_code == 0


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_page_to_print_says_what_where_and_what_to_do(home: Home, tmp_path: Path, lang: str) -> None:
    _spoil(home)
    path = tmp_path / "verslag.html"
    done = _run(home, "--report", path, "--lang", lang)
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text("utf-8")
    assert complaints(text, lang) == []
    assert CANARY not in text + done.output
    assert "household.incidents" in text
    assert ("household.csv, regel 12" if lang == "nl" else "household.csv, row 12") in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    kept = [json.loads(one.read_text("utf-8")) for one in home.snapshots.glob("*/report.json")]
    assert {"file": "household.csv", "rows": [12]} in [
        place for report in kept for finding in report["findings"] for place in finding.get("places", ())
    ]


def test_a_cohort_must_be_named(home: Home) -> None:
    refused = CliRunner().invoke(app, ["import", str(home.root), "--home", str(home.root), "--lang", "nl"])
    assert refused.exit_code == 2
    assert "--cohort" in refused.stderr


def _spoil(home: Home) -> None:
    path = home.root / "delivery" / "household.csv"
    path.write_text(path.read_text("utf-8") + f"h9;T0;{CANARY};c;yes\n", encoding="utf-8")
