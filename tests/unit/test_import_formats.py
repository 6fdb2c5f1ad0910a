"""SPSS and Excel as offices save them, text in other encodings, and files of every kind that cannot be used."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from node.importing.problems import BadImport
from policies.study.mapping import Delimiter, Encoding
from policies.study.text import Text
from tests.deliveries import Rows, long_csv, long_excel, long_parquet, long_sav, wide_sav
from tests.importing import CODEBOOK, counts, deliver, rows, take

CHECKOUT = Path(__file__).parents[2]
ROWS: Rows = {
    "household": [("h1", "T0", "5", "no", "1", "none", "-0,5"), ("h2", "T1", "7", "", "2", "some", "4")],
    "adult": [("h1", "a", "T0", "6,7", "man")],
    "child": [("h1", "k", "T1", "7")],
}
# The package says that labels are of numbers; it writes those of texts as well.
LABELS: Any = {"SEVERE": {"j": " Y ", "n": "N\u00a0"}, "PROFILE": {1.0: "b", 2.0: "a"}}
COLUMNS = ("incidents__T0", "severe__T0", "profile", "help__T1", "change")


def _sav(folder: Path, name: str, compressed: bool) -> Path:
    """A household file with upper-case names; 888 and from 990 on are declared missing, and so is the word "-"."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame({
        "HH_ID": [1.0, 2.0, 3.0, 4.0],
        "WAVE": ["T0  ", "T0", "t0", "T0"],
        "INCIDENTS": [5.0, 888.0, 991.0, None],
        "SEVERE": ["j", "n", "-", ""],
        "PROFILE": [1.0, 2.0, 9.0, 5.0],
        "HELP": [1.0, 1.0, 1.0, 1.0],
    })  # fmt: skip
    pyreadstat.write_sav(
        frame,
        folder / name,
        missing_ranges={"INCIDENTS": [888, {"lo": 990, "hi": 999}], "SEVERE": ["-"]},
        variable_value_labels=LABELS,
        compress=compressed,
    )
    return folder


@pytest.mark.parametrize(("name", "compressed"), [("household.sav", False), ("HOUSEHOLD.ZSAV", True)])
def test_import_reads_what_spss_declares(tmp_path: Path, name: str, compressed: bool) -> None:
    result = take(tmp_path, _sav(tmp_path / "in", name, compressed))
    # Labels stand for categories where the value itself is none: 1 stays profile 1, whatever its label says.
    assert rows(result.snapshot, "household", COLUMNS[:3]) == [
        (5, 1, 0),
        (None, 0, 1),
        (None, None, None),
        (None,) * 3,
    ]
    found = counts(result)
    assert ("unknown_code", "household", "severe") not in found
    assert found["unknown_code", "household", "profile"] == 1
    assert ("clamped", "household", "incidents") not in found


def test_import_takes_a_label_that_two_categories_share_for_neither(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    frame = pd.DataFrame({"HH_ID": [1.0, 2.0], "WAVE": ["T1", "T1"], "HELP": [7.0, 8.0]})
    labels = {"HELP": {7.0: "help", 8.0: "some"}}
    pyreadstat.write_sav(frame, tmp_path / "in" / "household.sav", variable_value_labels=labels)
    same = Text(nl="hulp", en="help")
    shared = tuple(part.model_copy(update={"label": same}) for part in CODEBOOK.variables["help"].categories)
    changed = CODEBOOK.variables["help"].model_copy(update={"categories": shared})
    codebook = CODEBOOK.model_copy(update={"variables": {**CODEBOOK.variables, "help": changed}})
    taken = take(tmp_path, tmp_path / "in", codebook=codebook)
    assert rows(taken.snapshot, "household", ("help__T1",)) == [(None,), (1,)]


def test_import_reads_a_sheet_as_it_looks(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    book = openpyxl.Workbook()
    sheet = book.active
    for line in (
        [None] * 6,
        ["HH_ID", "wave ", "incidents", "severe", "profile", None],
        [1, "T0", 5.0, "no", True, "a note"],
        [None] * 6,
        ["01", "T0", "7", None, 1, None],
        [date(2020, 1, 2), "T1", "=1+1", "yes", "1.0", None],
    ):
        sheet.append(line)
    book.create_sheet("child")
    book.save(tmp_path / "in" / "household.xlsx")
    result = take(tmp_path, tmp_path / "in")
    assert rows(result.snapshot, "household", ("incidents__T0", "severe__T1", "profile")) == [
        (7, None, 0),
        (5, None, None),
        (None, 1, 0),
    ]
    assert counts(result)["unknown_code", "household", "profile"] == 1


ACCENTS = "hh_id;wave;incidents;opmerking één\né1;T0;5;ça\n"


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252", "utf-16"])
def test_import_reads_other_encodings_when_told(tmp_path: Path, encoding: Encoding) -> None:
    folder = deliver(tmp_path / "in", household=ACCENTS.encode(encoding))
    with pytest.raises(BadImport, match="--encoding"):
        take(tmp_path, folder)
    told = take(tmp_path, folder, encoding=encoding)
    plain = take(tmp_path, deliver(tmp_path / "plain", household=ACCENTS))
    assert told.snapshot.table_path("household").read_bytes() == plain.snapshot.table_path("household").read_bytes()
    assert counts(told)["unknown_column", "household", "opmerking één"] == 1


@pytest.mark.parametrize(
    ("data", "encoding", "delimiter"),
    [(b"hh_id;wave\n\x81;T0\n", "windows-1252", "auto"), (b"hh_id;wave\na;T0\n", "utf-16", "auto")],
)
def test_import_refuses_an_encoding_that_does_not_fit(
    tmp_path: Path, data: bytes, encoding: Encoding, delimiter: Delimiter
) -> None:
    with pytest.raises(BadImport) as refused:
        take(tmp_path, deliver(tmp_path / "in", household=data), encoding=encoding, delimiter=delimiter)
    assert refused.value.reason in ("encoding_differs", "no_column")
    assert not (tmp_path / "snapshots").exists()


@pytest.mark.parametrize("ending", ["sav", "zsav", "xlsx", "xls", "ods", "parquet"])
@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"hh_id;wave\na;T0\n", b"PK\x03\x04 not a workbook", b"$FL2@(#) not SPSS"]
)
def test_import_refuses_what_only_has_the_name(tmp_path: Path, ending: str, data: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"household.{ending}").write_bytes(data)
    with pytest.raises(BadImport) as refused:
        take(tmp_path, tmp_path / "in")
    assert refused.value.reason in ("empty", "unreadable")
    assert "household." in str(refused.value)
    assert not (tmp_path / "snapshots").exists()


def test_import_refuses_a_workbook_without_a_line(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    openpyxl.Workbook().save(tmp_path / "in" / "household.xlsx")
    with pytest.raises(BadImport, match="is empty"):
        take(tmp_path, tmp_path / "in")


def test_import_survives_layouts_that_kill_their_reader(tmp_path: Path) -> None:
    """A layout that contradicts itself ends the process that reads it: that is not this one."""
    folder = wide_sav(tmp_path / "in", ROWS)
    path = folder / "gezin.sav"
    whole = path.read_bytes()
    # Value labels of a variable that the file does not have.
    labels = (4).to_bytes(4, "little") + (1).to_bytes(4, "little")
    assert labels in whole
    path.write_bytes(whole.replace(labels + whole[whole.index(labels) + 8 :][:4], labels + b"\xff\xff\xff\x7f", 1))
    with pytest.raises(BadImport, match=r"gezin\.sav cannot be read as SPSS"):
        take(tmp_path, folder)
    assert not (tmp_path / "snapshots").exists()


def test_import_believes_no_impossible_number_of_rows(tmp_path: Path) -> None:
    folder = long_sav(tmp_path / "in", ROWS)
    path = folder / "household.sav"
    data = bytearray(path.read_bytes())
    # The header's count of rows, now above 800 million: the reader would make room for them.
    data[83] = 0x32
    path.write_bytes(data)
    with pytest.raises(BadImport, match="cannot be read as SPSS"):
        take(tmp_path, folder)


@pytest.mark.parametrize("name", ["household.sav", "household.xlsx", "household.parquet", "household.csv"])
def test_import_refuses_or_reads_a_file_that_breaks_off(tmp_path: Path, name: str) -> None:
    writers = {"sav": long_sav, "xlsx": long_excel, "parquet": long_parquet, "csv": long_csv}
    ending = name.partition(".")[2]
    folder = writers[ending](tmp_path / "in", ROWS)
    whole = (folder / name).read_bytes()
    refused = 0
    for length in range(1, len(whole), max(1, len(whole) // 6)):
        (folder / name).write_bytes(whole[:length])
        try:
            take(tmp_path / "home", folder)
        except BadImport as error:
            refused += 1
            assert name in str(error)
    assert refused or ending == "csv"


def test_import_of_any_format_loads_no_frames(tmp_path: Path) -> None:
    """They would cost more memory than a region's files; SPSS's reader has a mode without them."""
    for write in (long_csv, long_sav, long_excel, long_parquet, wide_sav):
        write(tmp_path / write.__name__, ROWS)
    code = (
        "import sys; from pathlib import Path; from tests.importing import take; place = Path(sys.argv[1])\n"
        "for folder in sorted(place.iterdir()): take(place, folder)\n"
        "print(sorted({'pandas', 'polars'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert told.stdout.strip() == "[]"


def test_import_reports_files_of_kinds_that_it_does_not_read(tmp_path: Path) -> None:
    folder = long_csv(tmp_path / "in", ROWS)
    (folder / "old.dta").write_bytes(b"x")
    (folder / "extra.xlsx").write_bytes(b"x")
    (folder / "README.txt").write_bytes(b"x")
    found = counts(take(tmp_path, folder))
    assert {name for rule, _, name in found if rule == "ignored_file"} == {"old.dta", "extra.xlsx"}
    long_sav(folder, ROWS)
    with pytest.raises(BadImport, match="two files"):
        take(tmp_path, folder)
