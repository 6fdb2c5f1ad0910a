"""The ledger's file: it refuses change, shows what was changed behind its back, and says what a bad disk is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from node.errors import BrokenLedger, DiskFault, NewerLedger
from node.ledger.ledger import Ledger
from node.ledger.schema import connect, migrations
from policies.units.money import NanoRho
from tests import ledger_world
from tests.ledger_world import SNAPSHOT, answered, ask, debited, events, opened, programme


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def full(path: Path) -> Path:
    return ledger_world.full(path)


TABLES = ("entries", "answers", "documents", "checkpoints", "carried")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET rowid = 99", "DELETE FROM {}"])
def test_the_file_itself_refuses_change(full: Path, table: str, statement: str) -> None:
    with closing(sqlite3.connect(full)) as connection:
        connection.execute("INSERT INTO carried VALUES ('a', 'b', x'00')")
        with pytest.raises(sqlite3.IntegrityError, match=r"append-only|never"):
            connection.execute(statement.format(table))


def _alter(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for table in TABLES:
        connection.execute(f"DROP TRIGGER {table}_never_change")
        connection.execute(f"DROP TRIGGER {table}_never_go")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE entries SET body = CAST(replace(body, '\"10\"', '\"01\"') AS BLOB) WHERE seq = 3",),
        ("DELETE FROM entries WHERE seq = 5",),
        ("DELETE FROM entries WHERE seq = 1",),
        ("DELETE FROM entries WHERE seq >= 4", "DELETE FROM answers"),
        ("UPDATE entries SET hash = upper(hash) WHERE seq = 3",),
        ("UPDATE entries SET hash = 'e' WHERE seq = 7",),
        ("UPDATE entries SET seq = 9 WHERE seq = 7",),
        ("UPDATE entries SET body = x'7b7d' WHERE seq = 7",),
        ("UPDATE answers SET bytes = CAST('other' AS BLOB)",),
        ("UPDATE answers SET programme = 'x'",),
        ("DELETE FROM answers",),
        ("INSERT INTO answers SELECT 7, 'x', snapshot, bytes FROM answers",),
        ("UPDATE checkpoints SET size = 4",),
        ("UPDATE checkpoints SET note = replace(note, 'AA/1', 'AA/2')",),
        ("UPDATE checkpoints SET note = replace(note, char(10) || '5', char(10) || '4')",),
        ("UPDATE checkpoints SET note = 'no note'",),
        ("INSERT INTO seen VALUES ('BB', 'no note')",),
    ],
)
def test_any_change_behind_its_back_is_found_when_it_opens(full: Path, statements: tuple[str, ...]) -> None:
    _alter(full, *statements)
    with pytest.raises(BrokenLedger):
        Ledger(full, "AA", lambda: 0)


def test_a_ledger_that_was_cut_off_names_both_sizes(full: Path) -> None:
    _alter(full, "DELETE FROM answers", "DELETE FROM entries WHERE seq >= 4")
    with pytest.raises(BrokenLedger, match="size 5 was cosigned and the ledger has 4 entries"):
        Ledger(full, "AA", lambda: 0)


def test_a_second_writer_stops_the_first(path: Path) -> None:
    with closing(opened(path)) as first, closing(opened(path)) as second:
        debited(second)
        with pytest.raises(BrokenLedger, match="another process"):
            first.debit([ask("other", 2)])


def test_a_ledger_of_another_region_is_refused(full: Path) -> None:
    with pytest.raises(BrokenLedger, match="of AA, not of BB"):
        Ledger(full, "BB", lambda: 0)


def test_an_unknown_schema_is_refused(full: Path) -> None:
    connection = sqlite3.connect(full)
    connection.execute(f"PRAGMA user_version = {migrations()[-1][0] + 1}")
    connection.close()
    with pytest.raises(NewerLedger, match="upgrade"):
        Ledger(full, "AA", lambda: 0)


def test_a_file_of_another_kind_is_refused(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(BrokenLedger):
        Ledger(path, "AA", lambda: 0)


def test_migrations_are_numbered_without_gaps_and_say_what_each_column_is() -> None:
    known = migrations()
    assert [number for number, _ in known] == list(range(1, len(known) + 1))
    for _, sql in known:
        columns = [line for line in sql.splitlines() if line.startswith("    ") and not line.strip().startswith("UNIQ")]
        assert columns
        assert [line for line in columns if "--" not in line] == []


def test_a_commit_is_on_disk(path: Path) -> None:
    with closing(connect(path)) as connection:
        full = 2
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_ledger_of_the_first_version_opens_and_keeps_its_answers(path: Path) -> None:
    ledger_world.full(path)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("documents", "checkpoints", "seen", "carried"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
    with closing(Ledger(path, "AA", lambda: 0)) as again:
        assert again.answer(programme(), SNAPSHOT) == b"reply"
        assert (again.cosigned, again.checkpoints(), again.released(programme(), SNAPSHOT)) == (0, (), False)
        assert again.document("programme", programme()) is None
        debited(again, "third", 4)
        assert again.document("programme", programme("third")) is not None


def _fill(ledger: Ledger, connection: sqlite3.Connection) -> None:
    """Answers until the file may not grow any further."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 8}")
    for number in range(1000):
        answered(ledger, str(number), number, b"x" * 1000)


def _with_connection(path: Path) -> tuple[Ledger, sqlite3.Connection]:
    made: list[sqlite3.Connection] = []

    def remember(path: Path) -> sqlite3.Connection:
        made.append(connect(path))
        return made[0]

    return opened(path, remember), made[0]


def test_a_full_disk_is_named_and_nothing_is_half_done(path: Path) -> None:
    ledger, connection = _with_connection(path)
    with closing(ledger):
        with pytest.raises(DiskFault, match="the disk is full; make room"):
            _fill(ledger, connection)
        lifetime, head, told = ledger.book.lifetime, ledger.head(), events(ledger)
        assert ledger.head().size == ledger.book.size == len(told)
    with closing(opened(path)) as again:
        assert (again.book.lifetime, again.head(), events(again)) == (lifetime, head, told)
        assert again.book.lifetime == NanoRho(10 * told.count("debited"))
        assert told.count("debited") - told.count("answered") in (0, 1)
        debited(again, "room again")


def test_a_disk_that_may_only_be_read_is_named(path: Path) -> None:
    ledger, connection = _with_connection(path)
    with closing(ledger):
        before = ledger.head()
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(DiskFault, match="may only be read"):
            debited(ledger)
        assert ledger.head() == before
        connection.execute("PRAGMA query_only = OFF")
        debited(ledger)


def test_a_folder_in_the_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(DiskFault, match="cannot be opened"):
        opened(path)


class Failing(sqlite3.Connection):
    """A connection whose next commit fails as that of a broken disk."""

    fails = False

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        if self.fails and sql == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return super().execute(sql, *parameters)  # type: ignore[arg-type]


def test_after_a_commit_that_failed_nothing_is_written_until_the_ledger_is_opened_anew(path: Path) -> None:
    made: list[Failing] = []

    def failing(path: Path) -> sqlite3.Connection:
        connect(path).close()
        made.append(sqlite3.connect(path, isolation_level=None, factory=Failing))
        return made[0]

    ledger = opened(path, failing)
    with closing(ledger):
        done = answered(ledger)
        made[0].fails = True
        with pytest.raises(DiskFault, match="the disk gave an error"):
            debited(ledger, "other", 2)
        made[0].fails = False
        for _ in range(2):
            with pytest.raises(DiskFault, match="start the node again"):
                debited(ledger, "other", 2)
        assert ledger.answer(programme(), SNAPSHOT) == b"reply"
        assert list(ledger.book.answered.values()) == [done.seq]
    with closing(opened(path)) as again:
        assert again.book.lifetime == NanoRho(10)
        debited(again, "other", 2)
