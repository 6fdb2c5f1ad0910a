"""Rows to units: who is kept, what repeats, what contradicts, and what is derived."""

from pathlib import Path

import duckdb

from tests.importing import counts, csv_text, deliver, rows, take

HOUSEHOLD = "hh_id;wave;incidents;severe;profile\n"
WAVED = ("hh", "present__T0", "present__T1", "incidents__T0", "incidents__T1", "profile", "state__T0", "state__T1")


def test_import_makes_one_row_a_household_wide_over_waves(tmp_path: Path) -> None:
    data = HOUSEHOLD + "b;T0;30;no;2\na;T1;0;no;\na;T0;5;no;1\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=data))
    assert rows(result.snapshot, "household", WAVED) == [
        (0, True, True, 5, 0, 0, 1, 0),
        (1, True, False, 30, None, 1, 2, None),
    ]
    assert rows(result.snapshot, "adult", ["hh"]) == rows(result.snapshot, "child", ["hh"]) == []
    found = counts(result)
    assert found["absent_variable", "household", "help"] == 1
    assert ("absent_variable", "adult", "grade") not in found
    assert [one.kept for one in result.report.tables] == [2, 0, 0]


def test_import_keeps_what_repeated_rows_agree_on(tmp_path: Path) -> None:
    data = HOUSEHOLD + "a;T0;5;no;1\na;T0;;yes;1\na;T0;5,0;no;\nb;T0;4;no;1\nb;T1;4;no;2\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=data))
    assert rows(result.snapshot, "household", ("incidents__T0", "severe__T0", "profile")) == [
        (5, None, 0),
        (4, 0, None),
    ]
    found = counts(result)
    assert found["duplicate_row", "household", ""] == 2
    assert found["conflict", "household", "severe"] == 1
    assert found["conflict", "household", "profile"] == 1


def test_import_derives_only_from_what_is_known(tmp_path: Path) -> None:
    # 0 incidents decide the first case, yet the other variable of the rule is missing: so is the state.
    data = HOUSEHOLD + "a;T0;0;;1\nb;T0;22;no;1\nc;T0;21;yes;1\nd;T0;999;no;1\ne;T0;21;no;1\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=data))
    assert rows(result.snapshot, "household", ("state__T0",)) == [(None,), (2,), (2,), (None,), (1,)]


def test_import_drops_rows_that_belong_nowhere(tmp_path: Path) -> None:
    data = HOUSEHOLD + ";T0;5;no;1\na;T9;5;no;1\na;;5;no;1\n a ;t0;5;no;1\nnan;T0;1;no;1\n"
    adult = "hh_id;person_id;wave;grade\na;;T0;7\na;1;T0;7\n;1;T0;7\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=data, adult=adult))
    assert rows(result.snapshot, "household", ("present__T0", "incidents__T0")) == [(True, 5)]
    assert rows(result.snapshot, "adult", ("hh", "grade__T0")) == [(0, 70)]
    found = counts(result)
    assert found["no_household_id", "household", ""] == 2
    assert found["unknown_wave", "household", ""] == 2
    assert found["no_person_id", "adult", ""] == 1
    assert found["no_household_id", "adult", ""] == 1


def test_import_keeps_the_first_persons_of_a_household(tmp_path: Path) -> None:
    head = "hh_id;person_id;wave;grade;sex\n"
    persons = ["a;p10;T0;1;man", "a;p2;T1;3;man", "a;p2;T0;2;man", "b;1;T0;5;man", "a;p1;T0;0;woman", "a;q;T0;9;man"]
    household = HOUSEHOLD + "a;T0;5;no;1\nb;T0;5;no;2\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=household, adult=head + "\n".join(persons)))
    wanted = [(0, True, False, 0, None, 0, 0, 1), (0, True, True, 20, 30, 1, 0, 1), (1, True, False, 50, None, 1, 1, 1)]
    columns = ("hh", "present__T0", "present__T1", "grade__T0", "grade__T1", "sex", "profile", "content__T0")
    assert rows(result.snapshot, "adult", columns) == wanted
    assert counts(result)["over_cap", "adult", ""] == 2


def test_import_gives_persons_their_household(tmp_path: Path) -> None:
    adult = "hh_id;person_id;wave;grade\na;1;T0;8\nb;1;T0;8\nc;1;T0;8\n"
    household = HOUSEHOLD + "a;T0;5;no;1\na;T1;0;no;\nb;T1;5;no;2\n"
    result = take(tmp_path, deliver(tmp_path / "in", household=household, adult=adult))
    columns = ("present__T0", "present__T1", "profile", "state__T0", "state__T1", "content__T0")
    assert rows(result.snapshot, "adult", columns) == [
        (True, False, 0, 1, 0, 0),
        (True, False, 1, None, 1, 1),
        (True, False, None, None, None, None),
    ]
    # Household c has persons only: it is there, seen at no wave.
    assert rows(result.snapshot, "household", ("present__T0", "present__T1"))[2] == (False, False)
    assert counts(result)["household_without_row", "household", ""] == 1


def test_import_ids_of_statistical_programs_join(tmp_path: Path) -> None:
    data = {
        "household": "hh_id;wave;incidents\n12;T0;1\n",
        "adult": "hh_id;person_id;wave;grade\n12.0;1.0;T0;5\n12;1;T1;6\n",
    }
    result = take(tmp_path, deliver(tmp_path / "in", **data))
    assert rows(result.snapshot, "adult", ("hh", "grade__T0", "grade__T1")) == [(0, 50, 60)]


def test_import_says_what_it_did_not_use(tmp_path: Path) -> None:
    data = "HH_ID;Wave;incidents;shoe_size;help\na;T0;5;44;some\na;T1;5;44;some\n"
    folder = deliver(tmp_path / "in", household=data, other="x;y\n1;2\n")
    result = take(tmp_path, folder)
    found = counts(result)
    assert found["unknown_column", "household", "shoe_size"] == 1
    assert found["ignored_file", "", "other.csv"] == 1
    assert found["not_asked", "household", "help"] == 1
    assert rows(result.snapshot, "household", ("help__T1",)) == [(1,)]
    text = "\n".join(result.report.lines("nl"))
    assert "kolom staat niet in het codeboek" in text
    assert "household.shoe_size" in text
    assert "column is not in the codebook" in "\n".join(result.report.lines("en"))


def test_import_stores_the_narrowest_types(tmp_path: Path) -> None:
    result = take(tmp_path, deliver(tmp_path / "in", household=HOUSEHOLD + "a;T0;825;yes;1\n"))
    assert rows(result.snapshot, "household", ("incidents__T0",)) == [(825,)]
    types = _types(result.snapshot.table_path("household"))
    assert types["hh"] == "INTEGER"
    assert types["present__T1"] == "BOOLEAN"
    assert types["incidents__T1"] == "SMALLINT"
    assert types["profile"] == types["state__T1"] == "TINYINT"


def _types(path: Path) -> dict[str, str]:
    return {
        row[0]: row[1] for row in duckdb.connect().execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    }


def test_import_of_headers_alone_is_an_empty_snapshot(tmp_path: Path) -> None:
    head = csv_text([["hh_id", "person_id", "wave", "grade"]])
    result = take(tmp_path, deliver(tmp_path / "in", household=HOUSEHOLD, adult=head))
    assert rows(result.snapshot, "household", ("hh",)) == rows(result.snapshot, "adult", ("hh",)) == []
