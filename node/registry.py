"""Which households ever contributed to which cohorts, by keyed pseudonym: HOME/registry.sqlite, private to the node.

A household is entered before the snapshot that holds it can come into force, and is never taken out: what was answered
stays answered. So whatever stops an import half-way, the registry may hold a household too many, which leaves it out of
a later cohort, and never one too few.

Of an import that the ledger names and the registry does not know, under the key of now, nobody can say who was in it:
its cohort then counts for every household. So a registry that was lost, or set back to an older copy, never lets
anybody into more cohorts.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.errors import BadRegistry, DiskFault, HomeBusy, NodeError
from node.files import PRIVATE_FILE, make_folder, sync_folder

FILE = "registry.sqlite"
_VERSION = 1
_PATIENCE_S = 30.0
_SETTINGS = (
    "journal_mode = DELETE",
    # Beyond FULL: the name of the journal is gone from the disk too, so that a commit cannot be rolled back.
    "synchronous = EXTRA",
    "fullfsync = ON",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
)
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS members (
    pseudonym BLOB NOT NULL,  -- of a household, by its stable id
    cohort    TEXT NOT NULL,  -- it contributed to this one, or was about to
    PRIMARY KEY (pseudonym, cohort)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS imports (
    snapshot TEXT PRIMARY KEY,  -- every household of it was entered
    cohort   TEXT NOT NULL,
    key      TEXT NOT NULL      -- which key its pseudonyms were made with
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
COMMIT;
"""
Import = tuple[str, str]
"""A cohort and a snapshot."""


@dataclass(frozen=True, slots=True)
class Full:
    """Nobody may be let in: these cohorts count for every household, and they are as many as one may be in."""

    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entering:
    """An import on its way: its snapshot and cohort, and the check of the key that its pseudonyms are made with.

    `imported` are all imports that the ledger names, `inherited` the cohorts of predecessors; `most` is in how many
    cohorts one household may be, None for all.
    """

    snapshot: str
    cohort: str
    key: str
    imported: Sequence[Import] = ()
    inherited: Sequence[str] = ()
    most: int | None = None


def enter(home: Path, entering: Entering, households: Sequence[bytes]) -> frozenset[bytes] | Full:
    """Enters the households that may be in the cohort, and gives those that may not. Durable on return.

    Raises HomeBusy where another import holds the registry for long, BadRegistry, and DiskFault.

    Privacy: a household is refused when it is in `most` other cohorts: those it was entered in, and those of which
    nobody knows who was in them. So no household is ever in more than `most` cohorts of which data came into force.
    What becomes of it depends on its own pseudonym alone. Adjacency: one household with all its cohorts; exact.
    """
    with _opened(home / FILE) as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = _entered(connection, entering, households)
        connection.execute("ROLLBACK" if isinstance(found, Full) else "COMMIT")
    return found


def rehearse(home: Path, entering: Entering, households: Sequence[bytes]) -> frozenset[bytes] | Full:
    """What `enter` would give now, and nothing is entered: the registry is read into memory. Raises as `enter`.

    Privacy: as `enter`; it tells the steward alone.
    """
    path = home / FILE
    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            if path.exists():
                with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as kept:
                    kept.backup(connection)
            _prepare(connection, path.name)
            return _entered(connection, entering, households)
    except sqlite3.Error as error:
        raise _fault(path, error) from error


def _entered(
    connection: sqlite3.Connection, entering: Entering, households: Sequence[bytes]
) -> frozenset[bytes] | Full:
    """Enters them in the transaction that is open."""
    listed = connection.execute("SELECT cohort, snapshot FROM imports WHERE key = ?", (entering.key,))
    known = {(str(cohort), str(snapshot)) for cohort, snapshot in listed}
    unknown = {cohort for cohort, snapshot in entering.imported if (cohort, snapshot) not in known}
    others = tuple(sorted((unknown | set(entering.inherited)) - {entering.cohort}))
    if entering.most is not None and len(others) >= entering.most:
        return Full(others)
    connection.execute("CREATE TEMP TABLE asked (pseudonym BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT OR IGNORE INTO asked VALUES (?)", ((one,) for one in households))
    refused = _refused(connection, entering, others)
    connection.executemany("DELETE FROM asked WHERE pseudonym = ?", ((one,) for one in refused))
    connection.execute("INSERT OR IGNORE INTO members SELECT pseudonym, ? FROM asked", (entering.cohort,))
    facts = (entering.snapshot, entering.cohort, entering.key)
    connection.execute("INSERT OR IGNORE INTO imports VALUES (?, ?, ?)", facts)
    return refused


def _refused(connection: sqlite3.Connection, entering: Entering, others: Iterable[str]) -> frozenset[bytes]:
    """Those that are in too many other cohorts, with the `others` that count for everyone."""
    if entering.most is None:
        return frozenset()
    counted = (entering.cohort, *others)
    found = connection.execute(
        "SELECT pseudonym FROM asked JOIN members USING (pseudonym) "
        f"WHERE cohort NOT IN ({', '.join('?' * len(counted))}) GROUP BY pseudonym HAVING COUNT(*) >= ?",
        (*counted, entering.most - len(counted) + 1),
    )
    return frozenset(bytes(pseudonym) for (pseudonym,) in found)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        if not path.exists():
            make_folder(path.parent)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
            sync_folder(path.parent)
        with closing(sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)) as connection:
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
            _prepare(connection, path.name)
            yield connection
    except OSError as error:
        raise DiskFault(f"{path.name}: {error.strerror or type(error).__name__}") from error
    except sqlite3.Error as error:
        raise _fault(path, error) from error


def _prepare(connection: sqlite3.Connection, name: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise BadRegistry(f"{name} was written by a newer version; upgrade this node")
    if version < _VERSION:
        connection.executescript(_SCHEMA)


def _fault(path: Path, error: sqlite3.Error) -> NodeError:
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return HomeBusy(f"{path.name}: another import is at work")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")):
        return BadRegistry(
            f"{path.name} is damaged ({name}). Put a good copy back, or take the file away: every cohort that was "
            "imported then counts for every household"
        )
    return DiskFault(f"{path.name}: the disk gave an error; make room or look after it first ({name})")
