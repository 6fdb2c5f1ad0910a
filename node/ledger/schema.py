"""The ledger's file: how it is opened, and its numbered migrations. `PRAGMA user_version` is the last one applied."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from node.errors import BrokenLedger
from node.files import PRIVATE_FILE, sync_folder

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 5.0


def migrations() -> tuple[tuple[int, str], ...]:
    """Every migration as (number, SQL), from 1 without gaps."""
    files = sorted(_MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return tuple((int(path.name[:4]), path.read_text(encoding="utf-8")) for path in files)


def connect(path: Path) -> sqlite3.Connection:
    """The ledger's file, made if absent, at the newest schema, in WAL with synchronous=FULL: a commit is on disk.

    For use by one thread at a time. Raises BrokenLedger for a schema of a newer version or a file of another kind.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
        sync_folder(path.parent)
    # Transactions are begun by hand, and the one writer may be any thread as long as it is one at a time.
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise BrokenLedger(f"the file cannot be opened as a ledger ({type(error).__name__})") from error
    except BrokenLedger:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    known = migrations()
    if version > known[-1][0]:
        raise BrokenLedger(f"the file has schema {version} and this version knows {known[-1][0]}; upgrade this node")
    for number, sql in known:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
