"""Drafts from files: they load, they say what is doubtful, and they give no value of a row away."""

import json
import stat
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner, Result

from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.write import write_region
from node.cli import app
from node.drafting.shapes import shape
from node.importing.report import Report
from node.importing.request import ImportRequest
from node.importing.run import import_files
from policies.documents import BadDocument, load_yaml, parse_yaml
from policies.study.codebook import Codebook
from policies.study.mapping import Mapping, problems
from tests.importing import HASH, csv_text, deliver, rows

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
CANARY = "kanarie7531"


def _suggest(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words), "--suggest", "--lang", "nl"])


def _drafts(*words: str | Path) -> tuple[Mapping, str]:
    """The mapping, and the codebook's text."""
    done = _suggest(*words, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    return parse_yaml(Mapping, told["mapping"], "mapping.yaml"), told.get("codebook", "")


def _wide(folder: Path) -> Path:
    """As researchers keep them: a row a family, suffixes, children in columns, labels, and columns nobody may have."""
    count = 40
    columns = {
        "GEZINSNR": [float(1000 + row) for row in range(count)],
        "VOORNAAM": [f"{CANARY}{row}" for row in range(count)],
        "GEBDATUM": ["1980-01-02"] * count,
        "PC6": ["3511 AB", "1012 XX"] * (count // 2),
        "BSN": [111222333.0, 123456782.0] * (count // 2),
        "TOELICHTING_T0": [f"{CANARY} vertelt {row}" for row in range(count)],
        "INCID_T0": [float(row * 7 % 90) for row in range(count)],
        "INCID_T1": [999.0 if row % 5 == 0 else float(row * 3 % 50) for row in range(count)],
        "CIJFER_T0": [float(row % 11) for row in range(count)],
        "HULP_T1": [float(1 + row % 2) if row % 9 else 9.0 for row in range(count)],
        "SOORT": ["thuis", "elders"] * (count // 2),
        "KIND1_ANGST_T0": [float(row % 3) for row in range(count)],
        "KIND1_ANGST_T1": [float(row % 3) for row in range(count)],
        "KIND2_ANGST_T0": [float(row % 3) for row in range(count)],
        "KIND1_GESL": ["m", "v"] * (count // 2),
        "KIND2_GESL": ["v", "m"] * (count // 2),
    }
    angst = {0.0: "  nooit ", 1.0: "soms", 2.0: "vaak", 8.0: "weet niet"}
    path = folder / "gezin.sav"
    folder.mkdir(parents=True, exist_ok=True)
    pyreadstat.write_sav(
        pd.DataFrame(columns),
        path,
        column_labels={"INCID_T0": "Incidenten  afgelopen jaar", "CIJFER_T0": "Cijfer voor het leven"},
        variable_value_labels={
            "HULP_T1": {1.0: "geen hulp", 2.0: "wel hulp", 9.0: "geen antwoord"},
            "CIJFER_T0": {0.0: "heel slecht", 10.0: "heel goed"},
            **{f"KIND{child}_ANGST_T{wave}": angst for child, wave in ((1, 0), (1, 1), (2, 0))},
        },
        missing_ranges={"HULP_T1": [9.0]},
    )
    return path


def test_a_wide_file_gives_a_mapping_and_a_codebook_that_load_once_the_bounds_are_filled_in(tmp_path: Path) -> None:
    mapping, text = _drafts(_wide(tmp_path))
    with pytest.raises(BadDocument) as refused:
        parse_yaml(Codebook, text, "codebook.yaml")
    line = text[: text.index("bounds: [LAAGSTE")].count("\n") + 1
    assert f"codebook.yaml:{line}: variables.incid.bounds.0:" in str(refused.value)
    assert all("incid.bounds" in place for place in refused.value.places)
    book = parse_yaml(Codebook, text.replace("[LAAGSTE, HOOGSTE]", "[0, 825]"), "codebook.yaml")
    assert not list(problems(mapping, book))
    assert (tuple(book.waves), book.caps.children) == (("T0", "T1"), 2)
    shown = {name: (one.table, one.type, one.waves, one.missing) for name, one in book.variables.items()}
    assert shown == {
        "incid": ("household", "integer", ("T0", "T1"), ("999",)),
        "cijfer": ("household", "integer", ("T0",), ()),
        "hulp": ("household", "category", ("T1",), ("9",)),
        "soort": ("household", "category", (), ()),
        "kind_angst": ("child", "category", ("T0", "T1"), ("8",)),
        "kind_gesl": ("child", "category", (), ()),
    }
    assert [str(bound) for bound in book.variables["cijfer"].bounds or ()] == ["0", "10"], "of the scale's labels"
    assert [one.label.nl for one in book.variables["kind_angst"].categories] == ["nooit", "soms", "vaak"]
    household, first, second = mapping.parts
    assert (household.household, household.wave.suffixes) == ("GEZINSNR", {"T0": "_T0", "T1": "_T1"})
    assert first.columns["kind_angst"].column == "KIND<person>_ANGST<wave>"
    # The second child has no column at T1, and a mapping names none that is absent.
    assert [(one.persons, one.wave.suffixes) for one in (first, second)] == [
        (("1", "2"), {"T0": "_T0"}), (("1",), {"T1": "_T1"})
    ]  # fmt: skip


def test_what_a_draft_says_imports(tmp_path: Path) -> None:
    done = _suggest(_wide(tmp_path / "in"), "--out", tmp_path / "concept")
    assert done.exit_code == 0, done.output
    assert "Grenzen die nog uit de vragenlijst moeten komen: 1." in done.stdout
    written = tmp_path / "concept" / "codebook.yaml"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    book = parse_yaml(Codebook, written.read_text("utf-8").replace("[LAAGSTE, HOOGSTE]", "[0, 825]"), "codebook")
    request = ImportRequest(
        tmp_path, (tmp_path / "in",), "c3", book, HASH, 1000, mapping=tmp_path / "concept" / "mapping.yaml"
    )
    result = import_files(request)
    found = rows(result.snapshot, "child", ["kind_angst__T0", "kind_gesl"])
    assert (len(found), len(rows(result.snapshot, "household", ["hh"]))) == (80, 40)
    assert {name for one in result.report.findings for name in [one.rule]} <= {"unknown_column", "missing"}


def test_columns_that_point_to_people_are_left_out_and_no_value_of_a_row_is_shown(tmp_path: Path) -> None:
    path = _wide(tmp_path)
    told = json.loads(_suggest(path, "--json").stdout)
    assert {one["column"]: one["why"] for one in told["left_out"]} == {
        "VOORNAAM": "name", "GEBDATUM": "date", "PC6": "postcode", "BSN": "bsn", "TOELICHTING<wave>": "free_text",
    }  # fmt: skip
    text = _suggest(path).output
    for shown in (CANARY, "1980", "3511", "111222333", "825", "1000"):
        assert shown not in text.replace("[0, 825]", ""), shown


def test_a_value_that_few_rows_have_is_never_listed(tmp_path: Path) -> None:
    lines = [["gezin", "soort"], *([str(row), "thuis" if row % 2 else "elders"] for row in range(40)), ["99", CANARY]]
    _, text = _drafts(deliver(tmp_path, household=csv_text(lines)) / "household.csv")
    assert CANARY not in text
    assert "thuis" not in text, "a column with other values is free text, as far as anybody can tell"


def test_bounds_are_never_those_of_the_rows(tmp_path: Path) -> None:
    """Two files that differ in their values alone give the same drafts."""
    drafts = []
    for low, high in ((3, 70), (11, 512)):
        lines = [["hh_id", "leeftijd"], *([str(row), str(low + row * (high - low) // 59)] for row in range(60))]
        folder = deliver(tmp_path / f"{high}", household=csv_text(lines))
        drafts.append(_suggest(folder / "household.csv").output)
    assert drafts[0] == drafts[1]
    assert "bounds: [LAAGSTE, HOOGSTE]" in drafts[0]


def test_long_files_give_a_part_each_with_their_waves(tmp_path: Path) -> None:
    home = [["Huishouden", "Meting", "incidenten"], *([f"h{i}", str(1 + i % 2), str(i)] for i in range(30))]
    answers = ([f"h{i}", "1", "1", "ja" if i % 3 else "nee"] for i in range(30))
    kids = [["Huishouden", "Kindnr", "Meting", "angst"], *answers]
    folder = deliver(tmp_path, gezinnen=csv_text(home), kinderen=csv_text(kids))
    mapping, text = _drafts(folder / "gezinnen.csv", folder / "kinderen.csv")
    book = parse_yaml(Codebook, text.replace("[LAAGSTE, HOOGSTE]", "[0, 99]"), "codebook.yaml")
    assert not list(problems(mapping, book))
    household, child = mapping.parts
    assert (household.household, household.wave.column, household.wave.values) == (
        "Huishouden", "Meting", {"1": "T0", "2": "T1"}
    )  # fmt: skip
    assert (child.table, child.person, child.wave.values) == ("child", "Kindnr", {"1": "T0"})
    assert (book.units.household, book.units.person) == ("Huishouden", "Kindnr")


def test_towards_a_shipped_codebook_the_demos_own_file_maps_as_its_own_mapping_does(tmp_path: Path) -> None:
    folder = tmp_path / "region"
    folder.mkdir()
    write_region(folder, generate(7, {"FR": 30}, load_calibration())["FR"], "spss")
    book = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")
    done = _suggest(folder / "gezinnen.sav", "--codebook", "cohort3", "--out", tmp_path / "concept")
    assert done.exit_code == 0, done.output
    assert [path.name for path in (tmp_path / "concept").iterdir()] == ["mapping.yaml"]
    found = []
    for mapping in (folder / "mapping.yaml", tmp_path / "concept" / "mapping.yaml"):
        request = ImportRequest(tmp_path / "home", (folder / "gezinnen.sav",), "c3", book, HASH, 1000, mapping=mapping)
        result = import_files(request)
        columns = {"household": ["hh", "severe_act__T0", "incidents__T1", "profile"], "child": ["hh", "trauma__T1"]}
        found.append((_counted(result.report), {t: rows(result.snapshot, t, names) for t, names in columns.items()}))
    assert found[0] == found[1]


def _counted(report: Report) -> list[tuple[str, str, int]]:
    return [(one.rule, one.name, one.count) for one in report.findings if one.rule != "unknown_column"]


def test_towards_a_codebook_columns_are_found_by_their_labels(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "RESPNR": [float(row) for row in range(20)],
        "V12_T0": [float(row) for row in range(20)],
        "V12_T1": [float(row) for row in range(20)],
        "V13_T0": [float(1 + row % 2) for row in range(20)],
        "V13_T1": [float(1 + row % 2) for row in range(20)],
        "V14": [float(row % 7) for row in range(20)],
    })  # fmt: skip
    labels: dict[str, str | None] = {
        "V12_T0": "Geweldsincidenten in het gezin, afgelopen jaar",
        "V13_T0": "Geweld tussen (ex-) partners",
    }
    pyreadstat.write_sav(
        frame, tmp_path / "x.sav", column_labels=labels, variable_value_labels={"V13_T0": {1.0: "Nee", 2.0: "Ja"}}
    )
    mapping, none = _drafts(tmp_path / "x.sav", "--codebook", SHIPPED / "cohort3.codebook.yaml")
    assert none == ""
    (part,) = mapping.parts
    found = {name: source.column for name, source in part.columns.items()}
    assert found == {"incidents": "V12<wave>", "partner_violence": "V13<wave>"}
    assert not list(problems(mapping, load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")))
    text = _suggest(tmp_path / "x.sav", "--codebook", "cohort3").stdout
    assert "CONTROLEER: gekozen omdat het er op lijkt" in text
    assert "x.sav: V14: geen variabele van het codeboek gevonden" in text
    assert "#   child_age" in text


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("x.csv", b"", "is leeg"),
        ("x.csv", b"zomaar een brief\nmet tekst\n", "geen tabel te herkennen"),
        ("x.csv", b"\x00\x01\x02" * 50, "geen tabel te herkennen"),
        ("x.csv", b'a;b\n"1;2\n', "aanhalingsteken"),
        ("x.csv", b"a;a\n1;2\n", "twee keer"),
        ("x.sav", b"$FL2 nothing", "niet te lezen als SPSS"),
        ("x.sav", b"", "is leeg"),
        ("x.xlsx", b"PK\x03\x04", "niet te lezen als Excel"),
        ("x.parquet", b"PAR1", "niet te lezen als Parquet"),
        ("x.docx", b"PK", "van een soort die niet te lezen is"),
    ],
)
def test_rubbish_is_refused_in_one_dutch_sentence(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(data)
    refused = _suggest(tmp_path / name)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_folder_without_data_and_an_unknown_codebook_are_refused(tmp_path: Path) -> None:
    assert _suggest(tmp_path).exit_code == _suggest(tmp_path / "none.csv").exit_code == 2
    folder = deliver(tmp_path / "in", household="hh_id;x\n1;2\n")
    refused = _suggest(folder, "--codebook", "cohort99")
    assert refused.exit_code == 2
    assert "Meegeleverd zijn: cohort3, cohort4" in refused.stderr


def test_drafts_never_replace_somebodys_work(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", household="hh_id;x\n1;2\n")
    (tmp_path / "mapping.yaml").write_text("mine", encoding="utf-8")
    refused = _suggest(folder, "--out", tmp_path)
    assert refused.exit_code == 2
    assert (tmp_path / "mapping.yaml").read_text("utf-8") == "mine"
    assert not (tmp_path / "codebook.yaml").exists()


@pytest.mark.parametrize(
    ("names", "templates"),
    [
        (("ID", "A_1", "A_2", "B_1", "B_2"), {"ID", "A<wave>", "B<wave>"}),
        (("ID", "cts_1", "cts_2", "cts_3", "cts_4"), {"ID", "cts_1", "cts_2", "cts_3", "cts_4"}),
        (("ID", "T0_ANGST", "T1_ANGST"), {"ID", "<wave>ANGST"}),
        (("ID", "ANGST_K1", "ANGST_K2"), {"ID", "ANGST_K<person>"}),
        (("ID", "K1ANGST_M1", "K1ANGST_M2", "K2ANGST_M1"), {"ID", "K<person>ANGST<wave>"}),
        (("ID", "KIND1_LFT"), {"ID", "KIND1_LFT"}),
        (("DBP58", "CHOL58"), {"DBP58", "CHOL58"}),
    ],
)
def test_names_tell_waves_and_persons_where_several_agree(names: tuple[str, ...], templates: set[str]) -> None:
    assert {one.template for one in shape(names)[1]} == templates
