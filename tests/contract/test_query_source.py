"""A query on PostgreSQL is read as a file is, by a transaction that cannot write, and nothing of it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from node.cli import app
from node.home import Home
from node.importing.database import Database, database_of, open_query
from node.importing.problems import BadImport
from node.importing.request import ImportRequest
from node.importing.run import import_files
from tests.importing import CODEBOOK, HASH, counts, deliver, rows, take
from tests.node_world import COHORT, make_home

pytestmark = pytest.mark.postgres
CANARY = "kanarie7531"
CSV = """hh_id;wave;incidents;severe;profile;change
h1;T0;5;no;1;0.5
h1;T1;9999;yes;;
h2;T0;;no;2;-4.5
"""
QUERY = "SELECT * FROM gezin ORDER BY hh_id, wave;\n"


@pytest.fixture(scope="module")
def url(postgres_url: str) -> Iterator[str]:
    """A database with one table of each kind of column."""
    found = postgres_url.replace("+psycopg", "")
    with psycopg.connect(found) as connection:
        connection.execute("DROP TABLE IF EXISTS gezin, vreemd")
        connection.execute(
            "CREATE TABLE gezin (hh_id varchar(9), wave char(4), incidents integer, severe text, profile float8, "
            "change numeric(6,2))"
        )
        connection.execute(
            "INSERT INTO gezin VALUES ('h1', 'T0', 5, 'no', 1, 0.50), ('h1', 'T1', 9999, 'yes', NULL, NULL), "
            "('h2', 'T0', NULL, 'no', 2, -4.50)"
        )
        connection.execute("CREATE TABLE vreemd (id text, dag date, ja boolean, lijst int[])")
        connection.execute(f"INSERT INTO vreemd VALUES ('{CANARY}', '2020-01-02', true, '{{1,2}}')")
    yield found
    with psycopg.connect(found) as connection:
        connection.execute("DROP TABLE gezin, vreemd")


def _query(folder: Path, text: str, name: str = "household") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.sql"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_query_gives_the_snapshot_that_the_same_rows_in_a_file_give(url: str, tmp_path: Path) -> None:
    request = ImportRequest(
        tmp_path, (_query(tmp_path / "sql", QUERY),), "c3", CODEBOOK, HASH, 1000, database=Database(url)
    )
    by_query, by_file = import_files(request), take(tmp_path, deliver(tmp_path / "csv", household=CSV))
    columns = CODEBOOK.columns
    names = [
        "hh",
        *(f"{name}__{wave}" for name in ("incidents", "severe") for wave in ("T0", "T1")),
        "profile",
        "change",
    ]
    assert columns
    assert rows(by_query.snapshot, "household", names) == rows(by_file.snapshot, "household", names)
    assert counts(by_query) == counts(by_file)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM gezin",
        "SELECT 1; DELETE FROM gezin",
        "SELECT 1; COMMIT; DELETE FROM gezin",
        "WITH gone AS (DELETE FROM gezin RETURNING *) SELECT * FROM gone",
        "SELECT set_config('transaction_read_only', 'off', false), nextval('nergens')",
        "COPY gezin TO PROGRAM 'true'",
    ],
)
def test_a_query_cannot_write(url: str, tmp_path: Path, query: str) -> None:
    with pytest.raises(BadImport) as refused:
        open_query("q.sql", _query(tmp_path, query), Database(url)).read((0,))
    assert refused.value.reason == "database"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM gezin").fetchone() == (3,)


def test_what_a_server_lets_a_reader_make_is_rolled_back(url: str, tmp_path: Path) -> None:
    open_query("q.sql", _query(tmp_path, "SELECT lo_create(0) AS hh_id"), Database(url)).read((0,))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


def test_a_query_that_takes_too_long_is_given_up(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadImport) as refused:
        open_query("q.sql", _query(tmp_path, "SELECT pg_sleep(60)::text AS hh_id"), Database(url, 1)).read((0,))
    assert refused.value.fields["fault"] == "57014 QueryCanceled"


def test_a_column_of_another_type_is_refused_where_it_is_used(url: str, tmp_path: Path) -> None:
    source = open_query("q.sql", _query(tmp_path, "SELECT * FROM vreemd"), Database(url))
    assert source.names == ("id", "dag", "ja", "lijst")
    assert source.read((0, 2)).columns[2].texts == ("true",)
    for place in (1, 3):
        with pytest.raises(BadImport) as refused:
            source.read((place,))
        assert refused.value.reason == "type"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (f"SELECT CAST('{CANARY}' AS integer) AS hh_id, 'T0' AS wave", "database"),
        (f"SELECT * FROM {CANARY}", "database"),
        (f"SELEKT {CANARY}", "database"),
        ("SELECT CAST(id AS integer) AS hh_id, 'T0' AS wave FROM vreemd", "database"),
        ("SELECT 1 AS hh_id, 2 AS hh_id, 'T0' AS wave", "twice"),
        ("SELECT 1 AS iets", "no_column"),
        ("", "empty"),
    ],
)
def test_a_fault_of_the_database_shows_no_value_and_no_address(
    url: str, tmp_path: Path, query: str, reason: str
) -> None:
    home = make_home(tmp_path / "home")
    done = _imported(home, _query(tmp_path / "in", query), _url_file(tmp_path, url))
    assert (done.exit_code, done.stdout) == (2, "")
    _silent(done, home, url)
    with pytest.raises(BadImport) as refused:
        import_files(
            ImportRequest(tmp_path / "other", (tmp_path / "in",), "c3", CODEBOOK, HASH, 1000, database=Database(url))
        )
    assert refused.value.reason == reason


def test_a_database_that_is_away_is_said_without_its_address(tmp_path: Path) -> None:
    secret = f"postgresql://someone:{CANARY}@127.0.0.1:1/nowhere"
    home = make_home(tmp_path / "home")
    done = _imported(home, _query(tmp_path / "in", QUERY), _url_file(tmp_path, secret))
    assert done.exit_code == 2
    assert "niet bereikbaar" in done.stderr
    _silent(done, home, secret)


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        (f"postgresql://u:{CANARY}@h/d\n", 0o644, "url_open"),
        (f"mysql://u:{CANARY}@h/d", 0o600, "url_file"),
        (f"postgresql://u:{CANARY}@h/d\npostgresql://x", 0o600, "url_file"),
        ("", 0o600, "url_file"),
    ],
)
def test_an_address_must_be_private_and_one(tmp_path: Path, text: str, mode: int, reason: str) -> None:
    path = tmp_path / "url.txt"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(BadImport) as refused:
        database_of(path)
    assert refused.value.reason == reason
    assert CANARY not in str(refused.value)


def test_an_address_is_not_shown_by_accident() -> None:
    assert CANARY not in repr(Database(f"postgresql://u:{CANARY}@h/d"))


def _url_file(folder: Path, url: str) -> Path:
    path = folder / "url.txt"
    path.write_text(url + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def _imported(home: Home, query: Path, url: Path) -> Result:
    words = ["import", str(query), "--cohort", COHORT, "--database-url-file", str(url), "--home", str(home.root)]
    return CliRunner().invoke(app, [*words, "--lang", "nl"])


def _silent(done: Result, home: Home, url: str) -> None:
    told = done.output + done.stderr
    assert CANARY not in told
    assert url not in told
    assert not list(home.snapshots.iterdir())
    for path in home.root.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path
