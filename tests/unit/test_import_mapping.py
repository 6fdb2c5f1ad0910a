"""Mappings: their columns and codes become the codebook's, and what does not fit is refused with file, line and key."""

from pathlib import Path

import openpyxl
import pytest

from node.importing.problems import BadImport
from tests.importing import counts, deliver, rows, take

HEAD = "mapping: {codebook: small@1}\n"
WIDE = f"""{HEAD}
text: {{encoding: latin-1, delimiter: comma, decimal: point}}
missing: [-9, nvt]
parts:
  - table: household
    file: gezin.csv
    household: Nr
    wave: {{suffixes: {{T0: _a, T1: _b}}}}
    columns:
      incidents: Aantal<wave>
      severe: {{column: Ernst<wave>, codes: {{nee: no, "Ja, één keer": yes}}, missing: [8]}}
      help: Hulp
  - table: child
    file: gezin.csv
    household: Nr
    persons: [1, 2]
    wave: {{always: T0}}
    columns: {{age: Kind<person>}}
"""
TABLE = """NR,Aantal_A,AANTAL_B,ernst_a,Ernst_b,HULP,kind1,kind2,Opmerking
1,5,-9,nee,"ja,  ÉÉN keer",some,3.0,17,x
2,,7,8,misschien,none,,,x
3,nvt,999,,8,none,-9,"4,5",x
4,"1,5",2.5,,,,,,x
"""


def _mapped(folder: Path, mapping: str = WIDE, name: str = "mapping.yaml", table: str = TABLE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(mapping, encoding="utf-8")
    (folder / "Gezin.csv").write_bytes(table.encode("latin-1"))
    return folder


def test_a_mapping_makes_long_rows_of_wide_ones(tmp_path: Path) -> None:
    result = take(tmp_path, _mapped(tmp_path / "in"))
    columns = (
        "hh",
        "present__T0",
        "present__T1",
        "incidents__T0",
        "incidents__T1",
        "severe__T0",
        "severe__T1",
        "help__T1",
    )
    # Family 3 answered its question on help alone; family 4's numbers have another decimal sign or are between steps.
    assert rows(result.snapshot, "household", columns) == [
        (0, True, True, 5, None, 0, 1, 1),
        (1, False, True, None, 7, None, None, 0),
        (2, False, True, None, None, None, None, 0),
        (3, True, True, None, 3, None, None, None),
    ]
    assert rows(result.snapshot, "child", ("hh", "age")) == [(0, 0), (0, 14), (2, None)]
    found = counts(result)
    assert found["unknown_code", "household", "severe"] == 1
    assert found["unreadable", "household", "incidents"] == 1
    assert found["unreadable", "child", "age"] == 1
    assert found["unknown_column", "household", "Opmerking"] == 1
    assert found["absent_variable", "household", "profile"] == 1
    assert ("no_answers", "household", "") not in found
    assert [(one.table, one.file, one.rows, one.kept) for one in result.report.tables] == [
        ("household", "Gezin.csv", 4, 4),
        ("adult", None, 0, 0),
        ("child", "Gezin.csv", 4, 3),
    ]
    assert result.report.lines("nl")[0] == "Gelezen volgens de vertaling in mapping.yaml."


def test_a_family_that_answered_at_no_wave_is_counted_and_left_out(tmp_path: Path) -> None:
    result = take(tmp_path, _mapped(tmp_path / "in", table=TABLE + "5,-9,,nvt,8,nvt,,,x\n"))
    assert counts(result)["no_answers", "household", ""] == 1
    assert len(rows(result.snapshot, "household", ("hh",))) == 4


def test_what_the_command_says_goes_before_the_mapping(tmp_path: Path) -> None:
    folder = _mapped(tmp_path / "in", name="elsewhere.yaml")
    (folder / "Gezin.csv").write_text("NR\tAantal_a\tAantal_b\n1\t5\t6\n", encoding="utf-16")
    mapping = WIDE.replace(
        '      severe: {column: Ernst<wave>, codes: {nee: no, "Ja, één keer": yes}, missing: [8]}\n', ""
    )
    mapping = mapping.replace("      help: Hulp\n", "").replace(
        "    columns: {age: Kind<person>}\n", "    others: K<person><name>\n"
    )
    (folder / "elsewhere.yaml").write_text(mapping, encoding="utf-8")
    with pytest.raises(BadImport, match="no file of households"):
        take(tmp_path, folder)
    told = take(tmp_path, folder, mapping=folder / "elsewhere.yaml", encoding="utf-16", delimiter="tab")
    assert rows(told.snapshot, "household", ("incidents__T0", "incidents__T1")) == [(5, 6)]
    assert told.report.mapping == "elsewhere.yaml"


def test_a_table_may_come_in_a_file_per_wave(tmp_path: Path) -> None:
    part = (
        "  - {{table: household, file: {file}, household: hh, wave: {{always: {wave}}}, columns: {{incidents: n}}}}\n"
    )
    parts = part.format(file="before.csv", wave="T0") + part.format(file="after.csv", wave="T1")
    folder = deliver(tmp_path / "in", before="hh;n\na;5\nb;6\n", after="n;hh\n7;b\n8;c\n")
    (folder / "mapping.yaml").write_text(HEAD + "parts:\n" + parts, encoding="utf-8")
    result = take(tmp_path, folder)
    assert rows(result.snapshot, "household", ("incidents__T0", "incidents__T1")) == [(5, None), (6, 7), (None, 8)]
    assert next((one.file, one.rows) for one in result.report.tables) == ("before.csv, after.csv", 4)


def test_a_workbook_may_have_a_sheet_per_table_and_waves_by_another_name(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    book = openpyxl.Workbook()
    for line in (["NR", "METING", "INCIDENTS"], [1, 1, 5], [1, "2.0", 6], [2, 3, 7]):
        book.active.append(line)
    sheet = book.create_sheet("Ouders")
    for line in (["NR", "METING", "PERSOON", "CIJFER"], [1, 1, "a", 6.7], [1, 2, "a", 99]):
        sheet.append(line)
    book.save(folder / "alles.xlsx")
    wave = "wave: {column: meting, values: {1: T0, 2: T1}}"
    (folder / "mapping.yaml").write_text(
        f"""{HEAD}
parts:
  - {{table: household, file: alles.xlsx, household: nr, {wave}, others: <name>}}
  - {{table: adult, file: alles.xlsx, sheet: ouders, household: nr, person: persoon, {wave}, others: X<name>,
     columns: {{grade: cijfer}}}}
""",
        encoding="utf-8",
    )
    result = take(tmp_path, folder)
    assert rows(result.snapshot, "household", ("incidents__T0", "incidents__T1")) == [(5, 6)]
    assert rows(result.snapshot, "adult", ("grade__T0", "grade__T1")) == [(67, None)]
    assert counts(result)["unknown_wave", "household", ""] == 1


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("small@1", "large@1", ":1: mapping.codebook: expected the codebook of this import, small@1"),
        ("mapping: {codebook: small@1}", "mapping: {}", ":1: mapping.codebook: this key is missing"),
        ("text: {encoding: latin-1", "text: {encoding: latin-2", ":3: text.encoding: "),
        ("text:", "tekst:", ":3: tekst: this key is not known here"),
        ("T0: _a", "T0: _b", ":9: parts.0.wave: suffixes must differ"),
        ("T1: _b}", "T2: _b}", ":9: parts.0.wave.suffixes.T2: expected a wave of the codebook: T0, T1"),
        ("{always: T0}", "{always: T5}", ":18: parts.1.wave.always: expected a wave"),
        ("{always: T0}", "{}", ":18: parts.1.wave: expected one of"),
        ("{always: T0}", "{always: T0, column: w}", ":18: parts.1.wave: expected one of"),
        ("{always: T0}", "{always: T0, values: {1: T0}}", ":18: parts.1.wave: values belong to"),
        ("      help:", "      hulp:", ":13: parts.0.columns.hulp: expected a variable of the codebook"),
        ("      help:", "      state:", ":13: parts.0.columns.state: expected a variable of the codebook; derived"),
        ("      help:", "      sex:", ":13: parts.0.columns.sex: expected a variable of the table household"),
        ("nee: no", "nee: never", ":12: parts.0.columns.severe.codes.nee: expected one of no, yes"),
        ("Aantal<wave>", "Aantal", ":11: parts.0.columns.incidents: expected a column with <wave>"),
        ("help: Hulp", "profile: P<wave>", ":13: parts.0.columns.profile: expected a column without <wave>"),
        ("Aantal<wave>", "{column: A<wave>, codes: {1: a}}", "incidents.codes: expected no codes"),
        ("Aantal<wave>", "{column: A<wave>, codes: [1]}", ":11: parts.0.columns.incidents"),
        ("Aantal<wave>", "A<person><wave>", ":6: parts.0: columns.incidents: <person> needs persons"),
        ("Aantal<wave>", "A<name><wave>", ":6: parts.0: columns.incidents: <name> stands in others"),
        ("household: Nr\n    persons", "household: N<wave>\n    persons", ":14: parts.1: household: <wave> needs"),
        ("persons: [1, 2]", "persons: [1, 1]", ":14: parts.1: persons must differ"),
        ("    persons: [1, 2]\n", "", ":14: parts.1: expected person: COLUMN, or persons"),
        ("persons: [1, 2]", "persons: [1, 2]\n    person: P", ":14: parts.1: person: expected a column with <person>"),
        ("columns: {age: Kind<person>}", "others: Kind<person>", ":14: parts.1: others: <name> stands in others"),
        ("table: household", "table: child\n    persons: [1]", ":5: parts: expected a part with table: household"),
        ("table: household", "table: family", ":6: parts.0.table: "),
        ("table: household", "table: household\n    person: p", ":6: parts.0: a household has no person"),
        ("parts:", "parts: []\nrest:", ":5: parts: "),
        ("parts:", "parts:\nparts:", ": parts: this key stands here twice"),
        ("parts:", "parts: [", "not readable as YAML"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, right: str, wrong: str, place: str
) -> None:
    assert right in WIDE
    folder = _mapped(tmp_path / "in", WIDE.replace(right, wrong, 1))
    with pytest.raises(BadImport) as refused:
        take(tmp_path, folder)
    assert refused.value.reason == "mapping"
    assert f"{folder / 'mapping.yaml'}" in str(refused.value)
    assert place in str(refused.value)
    assert refused.value.sentence("nl").startswith("De vertaling klopt niet.")
    assert not (tmp_path / "snapshots").exists()


def test_a_wave_by_which_nobody_shows_needs_a_column_that_does(tmp_path: Path) -> None:
    only = WIDE[: WIDE.index("    columns:")] + "    columns: {help: H}\n"
    with pytest.raises(BadImport, match=r"suffixes\.T0: no column has answers of this wave"):
        take(tmp_path, _mapped(tmp_path / "in", only))


@pytest.mark.parametrize(
    ("mapping", "table", "reason"),
    [
        (WIDE.replace("gezin.csv", "other.csv"), TABLE, "no_file"),
        (WIDE.replace("Hulp", "Hulpen"), TABLE, "no_column"),
        (WIDE.replace("Nr", "Nummer"), TABLE, "no_column"),
        (WIDE, TABLE.replace("Opmerking", "hulp"), "twice"),
        (WIDE, TABLE[: TABLE.index("1,5")] + "1,-9,,,,,,,x\n", "no_rows"),
        (WIDE.replace("file: gezin.csv", "file: gezin.csv\n    sheet: a"), TABLE, None),
    ],
)
def test_a_delivery_that_does_not_fit_its_mapping_is_refused(
    tmp_path: Path, mapping: str, table: str, reason: str | None
) -> None:
    folder = _mapped(tmp_path / "in", mapping, table=table)
    if reason is None:  # a sheet means nothing for a text file
        take(tmp_path, folder)
        return
    with pytest.raises(BadImport) as refused:
        take(tmp_path, folder)
    assert refused.value.reason == reason


def test_two_mappings_are_one_too_many(tmp_path: Path) -> None:
    folders = [_mapped(tmp_path / name) for name in ("a", "b")]
    with pytest.raises(BadImport, match="two mappings"):
        take(tmp_path, *folders)
    with pytest.raises(BadImport, match="cannot be read"):
        take(tmp_path, folders[0], mapping=tmp_path / "none.yaml")
