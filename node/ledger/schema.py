"""The ledger's file: how it is opened, and its numbered migrations. `PRAGMA user_version` is the last one applied."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from node.errors import BrokenLedger, DiskFault, NewerLedger
from node.files import PRIVATE_FILE, sync_folder

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 5.0
_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
    "trusted_schema = OFF",
)
_DISK = {
    "SQLITE_FULL": "the disk is full; make room",
    "SQLITE_READONLY": "the file or its disk may only be read; see who owns it and how the disk is mounted",
    "SQLITE_IOERR": "the disk gave an error; look after the disk first",
    "SQLITE_CANTOPEN": "the file cannot be opened; see who owns it and whether its folder is there",
    "SQLITE_BUSY": "another process is using the file; stop that one",
    "SQLITE_LOCKED": "another process is using the file; stop that one",
    "SQLITE_NOMEM": "there is not enough memory; stop other work",
}
"""What can be wrong with a disk, by the beginning of SQLite's name for it, and what to do."""


def migrations() -> tuple[tuple[int, str], ...]:
    """Every migration as (number, SQL), from 1 without gaps."""
    files = sorted(_MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return tuple((int(path.name[:4]), path.read_text(encoding="utf-8")) for path in files)


def trouble(doing: str, error: sqlite3.Error) -> BrokenLedger | DiskFault:
    """The fault to raise for one of SQLite's: the disk's where that is to blame, else the file is damaged."""
    name = getattr(error, "sqlite_errorname", "")
    for known, sentence in _DISK.items():
        if name.startswith(known):
            return DiskFault(f"{doing}: {sentence}, and start the node again ({name})")
    return BrokenLedger(f"{doing}: the file cannot be used as a ledger ({name or type(error).__name__})")


def connect(path: Path) -> sqlite3.Connection:
    """The ledger's file, made if absent, at the newest schema, in WAL with synchronous=FULL: a commit is on disk.

    For use by one thread at a time. Raises NewerLedger for the schema of a newer version, BrokenLedger for a file of
    another kind, and DiskFault.
    """
    try:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
            sync_folder(path.parent)
        # Transactions are begun by hand, and the one writer may be any thread as long as it is one at a time.
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise DiskFault(f"open: {path} cannot be made: {error.strerror or type(error).__name__}") from error
    except sqlite3.Error as error:
        raise trouble("open", error) from error
    try:
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise trouble("open", error) from error
    except BrokenLedger:
        connection.close()
        raise
    return connection


def beside(path: Path, *, closed: bool = False) -> sqlite3.Connection:
    """The file read only, beside whoever writes it; `closed` for one that nobody writes. Raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?{'immutable=1' if closed else 'mode=ro'}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def schema_of(connection: sqlite3.Connection) -> int:
    """The number of the last migration that was applied."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    version, known = schema_of(connection), migrations()
    if version > known[-1][0]:
        raise NewerLedger(f"the file has schema {version} and this version knows {known[-1][0]}; upgrade this node")
    for number, sql in known:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
