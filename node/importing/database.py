"""One read-only query on PostgreSQL as if it were a file: NAME.sql holds the query, its rows are the file's rows.

What the database says of a fault may quote a row, and what the driver says may quote the address: neither is passed on.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from node.importing.cells import Cells, encoded, number_text
from node.importing.problems import BadImport, shown

if TYPE_CHECKING:
    import psycopg

_CONNECT_S = 15
_BATCH = 10_000
_MOST_BYTES = 1 << 20
"""Of a file with a query or an address."""
_PLAIN = frozenset((16, 18, 19, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1700))
"""Types by their number (pg_type.h): truth values, texts, whole numbers, floats and decimals."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where queries go. `url` may hold a password and is never shown; a query may take `timeout_s`."""

    url: str = field(repr=False)
    timeout_s: int = 600


@dataclass(frozen=True, slots=True)
class QuerySource:
    """A query of which only the names of its columns are known."""

    file: str
    names: tuple[str, ...]
    _types: tuple[int, ...]
    _query: bytes = field(repr=False)
    _database: Database = field(repr=False)

    def read(self, places: Sequence[int]) -> Cells:
        """The columns as text: numbers, words and truth values; other types are refused."""
        for place in places:
            if self._types[place] not in _PLAIN:
                raise BadImport("type", file=self.file, column=shown(self.names[place]))
        columns: dict[int, list[Hashable]] = {place: [] for place in places}
        with _reading(self.file, self._database) as connection, connection.cursor("rondgang") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(self._query)
            for row in cursor:
                for place, cells in columns.items():
                    cells.append(_plain(row[place]))
        rows = len(columns[places[0]])
        return Cells({place: encoded(cells, rows, _spelled) for place, cells in columns.items()}, rows)


def database_of(path: Path) -> Database:
    """The address in a file that only its owner may read. Raises BadImport."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise BadImport("url_open", file=shown(path.name))
        url = path.read_bytes()[:_MOST_BYTES].decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadImport("url_file", file=shown(path.name)) from None
    if not url.startswith(("postgresql://", "postgres://")) or any(sign.isspace() for sign in url):
        raise BadImport("url_file", file=shown(path.name))
    return Database(url)


def open_query(file: str, path: Path, database: Database | None) -> QuerySource:
    """The query in a file, tried without reading a row. Raises BadImport."""
    if database is None:
        raise BadImport("no_database", file=file)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadImport("query", file=file)
        query = path.read_bytes().decode("utf-8-sig").strip().rstrip(";").encode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadImport("query", file=file) from None
    if not query:
        raise BadImport("empty", file=file)
    with _reading(file, database) as connection, connection.cursor("rondgang") as cursor:
        cursor.execute(query)
        columns = cursor.description or []
        return QuerySource(file, tuple(one.name for one in columns), tuple(one.type_code for one in columns), query,
                           database)  # fmt: skip


@contextmanager
def _reading(file: str, database: Database) -> Iterator[psycopg.Connection[tuple[Hashable, ...]]]:
    """A transaction that can only read, for as long as a query may take. Raises BadImport for whatever breaks.

    The query runs behind DECLARE CURSOR in the extended protocol, which takes one statement that gives rows; and what
    that statement calls cannot write, because the server refuses it in this transaction and in any other of this line.
    """
    import psycopg

    options = (
        f"-c default_transaction_read_only=on -c statement_timeout={database.timeout_s * 1000} "
        "-c lock_timeout=10000 -c idle_in_transaction_session_timeout=600000"
    )
    try:
        with psycopg.connect(
            database.url, connect_timeout=_CONNECT_S, options=options, application_name="rondgang import"
        ) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            try:
                yield connection
            finally:
                connection.rollback()
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise BadImport("database_away", file=file) from None
        raise BadImport("database", file=file, fault=f"{error.sqlstate} {type(error).__name__}") from None
    except (UnicodeError, ValueError):
        raise BadImport("database", file=file, fault="data") from None


def _plain(cell: Hashable) -> Hashable:
    # Python holds True equal to 1; the two must not become one text.
    return str(cell).lower() if isinstance(cell, bool) else cell


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else ""
    if isinstance(value, float):
        return number_text(value)
    return str(value).strip()
