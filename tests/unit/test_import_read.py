"""Delivered files in the spellings that offices produce, and those that cannot be used."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node.importing.problems import BadImport
from policies.study.codebook import TABLES
from policies.study.mapping import Delimiter
from tests.importing import counts, csv_text, deliver, rows, take

PLAIN = csv_text(
    [
        ["hh_id", "wave", "incidents", "severe", "profile", "change"],
        ["h1", "T0", "5", "no", "1", "-0,5"],
        ["h1", "T1", "", "yes", "1", "-0,5"],
        ["h2", "T0", "22", "no", "", ""],
    ]
)
COLUMNS = ("hh", "incidents__T0", "incidents__T1", "severe__T1", "profile", "change")
WANTED = [(0, 5, None, 1, 0, 9), (1, 22, None, None, None, None)]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.rstrip("\n").encode(),
        ("\n".join(PLAIN.splitlines()) + "\n\n\n").encode(),
        PLAIN.replace(",", ".").replace(";", ",").encode(),
        PLAIN.replace(";", "\t").encode(),
        PLAIN.replace("-0,5", '"-0,5"').replace(";", ",").encode(),
        PLAIN.replace("h1", '"h1"').replace("hh_id", '"hh_id"').encode(),
        PLAIN.upper().replace("NO", "no").replace("YES", "yes").replace("H1", "h1").replace("H2", "h2").encode(),
    ],
    ids=["plain", "bom", "crlf", "no_last_line_end", "empty_lines", "comma", "tab", "comma_decimal", "quoted", "upper"],
)
def test_import_reads_csv_as_it_comes(tmp_path: Path, data: bytes) -> None:
    result = take(tmp_path, deliver(tmp_path / "in", household=data))
    assert rows(result.snapshot, "household", COLUMNS) == WANTED


@pytest.mark.parametrize(
    "incidents",
    [
        pa.array([5, None, 22], pa.float64()),
        pa.array([5, None, 22], pa.float32()),
        pa.array([5, None, 22], pa.int16()),
        pa.array([5, None, 22]).cast(pa.decimal128(21, 1)),
        pa.array(["5", None, "22"]),
        pa.array(["5", None, "22"], pa.large_string()),
        pa.array(["5", None, "22"]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_import_reads_parquet_as_csv(tmp_path: Path, incidents: pa.Array) -> None:
    table = pa.table(
        {
            "hh_id": ["h1", "h1", "h2"],
            "wave": ["T0", "T1", "T0"],
            "incidents": incidents,
            "severe": ["no", "yes", "no"],
            "profile": pa.array([1.0, 1.0, float("nan")]),
            "change": pa.array([-0.5, -0.5, None]),
        }
    )
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "Household.parquet")
    from_parquet = take(tmp_path, tmp_path / "in").snapshot
    from_csv = take(tmp_path, deliver(tmp_path / "csv", household=PLAIN)).snapshot
    assert rows(from_parquet, "household", COLUMNS) == WANTED
    for unit in TABLES:
        assert from_parquet.table_path(unit).read_bytes() == from_csv.table_path(unit).read_bytes()


def test_import_reads_an_empty_parquet(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"hh_id": pa.array([], pa.string()), "wave": []}), tmp_path / "in" / "household.parquet")
    assert rows(take(tmp_path, tmp_path / "in").snapshot, "household", ("hh",)) == []


def test_import_takes_quotes_apart(tmp_path: Path) -> None:
    data = 'hh_id;note;wave;incidents\n"a;1";"two\nlines, ""quoted""";T0;5\n"a;1";x;T1;6\n'
    result = take(tmp_path, deliver(tmp_path / "in", household=data))
    assert rows(result.snapshot, "household", ("incidents__T0", "incidents__T1")) == [(5, 6)]


def test_import_counts_rows_of_another_width(tmp_path: Path) -> None:
    data = "hh_id;wave;incidents\na;T0;5\nb;T0;5;6\nc;T0\nd;T0;7\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=data))
    assert rows(result.snapshot, "household", ("incidents__T0",)) == [(5,), (7,)]
    assert counts(result)["ragged_row", "household", ""] == 2


def test_import_takes_files_by_name(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", Household=PLAIN, adult="hh_id;person_id;wave\nh1;1;T0\n", notes="x\n")
    result = take(tmp_path, folder / "Household.csv", folder / "adult.csv")
    assert [(one.table, one.file, one.rows, one.kept) for one in result.report.tables] == [
        ("household", "Household.csv", 3, 2),
        ("adult", "adult.csv", 1, 1),
        ("child", None, 0, 0),
    ]


HEAD = "hh_id;wave;incidents\n"


@pytest.mark.parametrize(
    ("data", "delimiter", "reason"),
    [
        (b"", "auto", "empty"),
        (b" \r\n\n", "auto", "empty"),
        (HEAD.encode() + "a;T0;é".encode("latin-1"), "auto", "not_utf8"),
        (HEAD.encode("utf-16"), "auto", "not_utf8"),
        ((HEAD + 'a;T0;"5\nb;T0;6\n').encode(), "auto", "quotes"),
        (HEAD.encode() + b"a;T0;5\n", "comma", "no_column"),
        (b"a;T0;5\nb;T0;6\n", "auto", "no_column"),
        (b"hh_id;incidents\na;5\n", "auto", "no_column"),
        (b"hh_id;wave;HH_ID\na;T0;b\n", "auto", "twice"),
        ((HEAD + "a;T7;5\n;T0;6\n").encode(), "auto", "no_rows"),
        (HEAD.replace("\n", "\r").encode() + b"a;T0;5\r", "auto", "no_column"),
        ((HEAD + "a;T0;5\nb;T0;5\nc;T1;5\n").encode(), "auto", "too_many"),
    ],
)
def test_import_refuses_files_it_cannot_use(tmp_path: Path, data: bytes, delimiter: Delimiter, reason: str) -> None:
    folder = deliver(tmp_path / "in", household=data)
    with pytest.raises(BadImport) as refused:
        take(tmp_path, folder, delimiter=delimiter, most=2)
    assert refused.value.reason == reason
    assert refused.value.sentence("nl") != refused.value.sentence("en")
    assert not (tmp_path / "snapshots").exists()


def test_import_refuses_damaged_or_odd_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "household.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(BadImport, match="cannot be read as Parquet"):
        take(tmp_path, folder)
    pq.write_table(pa.table({"hh_id": [["a"]], "wave": ["T0"]}), folder / "household.parquet")
    with pytest.raises(BadImport, match="hh_id"):
        take(tmp_path, folder)


def test_import_refuses_a_delivery_without_households_or_with_two(tmp_path: Path) -> None:
    with pytest.raises(BadImport, match="no file of households"):
        take(tmp_path, deliver(tmp_path / "in", adult="hh_id;person_id;wave\n"))
    folder = deliver(tmp_path / "two", household=HEAD)
    (folder / "HOUSEHOLD.parquet").write_bytes(b"x")
    with pytest.raises(BadImport, match="two files"):
        take(tmp_path, folder)
    with pytest.raises(BadImport, match="does not exist"):
        take(tmp_path, tmp_path / "nowhere")
