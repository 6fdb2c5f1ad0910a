"""The witness's file: how it is opened, and its numbered migrations. `PRAGMA user_version` is the last one applied."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from audit.errors import BrokenStore

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 10.0
_PRIVATE = 0o600


def migrations() -> tuple[tuple[int, str], ...]:
    """Every migration as (number, SQL), from 1 without gaps."""
    files = sorted(_MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return tuple((int(path.name[:4]), path.read_text(encoding="utf-8")) for path in files)


def connect(path: Path) -> sqlite3.Connection:
    """The file, made if absent, at the newest schema, in WAL with synchronous=FULL: a commit is on disk.

    For use by one thread at a time. Raises `BrokenStore` for a schema of a newer version or a file of another kind.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE))
    # Transactions are begun by hand, and whoever works is any thread as long as it is one at a time.
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA trusted_schema=OFF")
        _migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise BrokenStore(f"{path} cannot be opened as a witness's database ({type(error).__name__}).") from error
    except BrokenStore:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    known = migrations()
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute("COMMIT")
    if version > known[-1][0]:
        raise BrokenStore(
            f"{path} was written by a newer version (schema {version}; this one knows {known[-1][0]}). Install that."
        )
    for number, sql in known:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
