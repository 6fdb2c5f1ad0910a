"""Copies of the desk's store, made while it runs, and the way back.

A copy that is put back is older than what the parties know. What that means:

- Runs that were opened since are gone. Their programmes are submitted again: every node sends the bytes that it stored
  for them, and nothing is charged a second time.
- Answers that came in since are asked for again in the same run, and cost nothing either.
- National sums that were finished since are not asked for again: every region has them, signed, and their run is told
  so. A new run of the same programme begins new attempts, each at its own price.
- As a witness the desk has forgotten checkpoints that it cosigned. Rules are sound with one witness that misbehaves,
  and that one is the desk until every region has shown its next checkpoint: no other witness may be restored meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, func, select

from coordinator.errors import BadBackup
from coordinator.home import CoordinatorConfig, Home
from coordinator.process import locked, store_address
from coordinator.store.store import open_store
from coordinator.store.tables import REPLIES, RUNS, SUMS

_PRIVATE = 0o600
_ON_A_SERVER = (
    "This desk remembers in a database server. Copy that with its own tools: pg_dump --format=custom DATABASE > FILE, "
    "and pg_restore --clean --if-exists --dbname DATABASE FILE while no desk runs."
)


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in a copy: how many runs, answers and national sums; and the unix second of the newest run."""

    runs: int
    answers: int
    sums: int
    newest: int | None


def back_up(home: Home, out: Path) -> Copied:
    """Writes a whole copy of the store to `out` (mode 0600), in the place of an older one; the desk may be running.

    Durable on return. Raises BadBackup where there is no store, or where it is on a database server.
    """
    store = _store(home)
    if not store.is_file():
        raise BadBackup(f"No desk has run on {home.folder}, so there is nothing to copy.")
    part = out.with_name(f".{out.name}.part")
    _copy(store, part)
    # Brought to this version's form, as `restore` would: a copy that cannot be put back is none.
    copied = _read(part)
    part.replace(out)
    _sync(out.parent)
    return copied


def restore(home: Home, file: Path, *, replace: bool) -> tuple[Copied, Path | None]:
    """Puts a copy in the place of the store, and gives where the former one stands now, if there was one.

    Durable on return. Raises BadBackup for another file, where a store stands and `replace` is not said, and where
    the store is on a database server; BadHome where the desk runs; StoreTooNew.
    """
    store = _store(home)
    if not file.is_file():
        raise BadBackup(f"{file} is not there.")
    with locked(home):
        if store.exists() and not replace:
            raise BadBackup(f"{store} is there. To put the copy in its place, say --replace; it is kept beside it.")
        part = store.with_name(f".{store.name}.part")
        _copy(file, part)
        copied = _read(part)
        former = _set_aside(store) if store.exists() else None
        part.replace(store)
        _sync(store.parent)
    return copied, former


def _store(home: Home) -> Path:
    address = store_address(home, home.config(CoordinatorConfig))
    if not isinstance(address, URL):
        raise BadBackup(_ON_A_SERVER)
    return Path(str(address.database))


def _copy(source: Path, target: Path) -> None:
    """A copy of one moment of a database, by SQLite itself: transactions that come meanwhile are in it or are not."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE))
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(target)) as written,
        ):
            read.backup(written)
            sound = written.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            known = written.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError as error:
        target.unlink(missing_ok=True)
        raise BadBackup(f"{source} is not a whole copy of a desk's store ({type(error).__name__}).") from error
    if not (sound and known == (1,)):
        target.unlink()
        raise BadBackup(f"{source} is not a whole copy of a desk's store.")


def _read(file: Path) -> Copied:
    """What is in a copy, brought to this version's form; durable on return, as one file."""
    try:
        with open_store(URL.create("sqlite", database=str(file))) as store:
            copied = store.within(_counted)
        with closing(sqlite3.connect(file)) as last:
            # What stood beside the file goes into it.
            last.execute("PRAGMA journal_mode=DELETE")
        with file.open("rb+") as whole:
            os.fsync(whole.fileno())
    except BaseException:
        for one in _files(file):
            one.unlink(missing_ok=True)
        raise
    return copied


def _counted(connection: Connection) -> Copied:
    runs, newest = connection.execute(select(func.count(), func.max(RUNS.c.opened)).select_from(RUNS)).one()
    answers = select(func.count()).select_from(REPLIES).where(REPLIES.c.kind == "answer")
    sums = select(func.count()).select_from(SUMS)
    return Copied(runs, connection.execute(answers).scalar_one(), connection.execute(sums).scalar_one(), newest)


def _set_aside(store: Path) -> Path:
    """The former store, with what stands beside it, under a name of its own."""
    former = store.with_name(f"{store.name}.before-{int(time.time())}")
    for one, name in zip(_files(store), _files(former), strict=True):
        if one.exists():
            one.replace(name)
    return former


def _files(store: Path) -> tuple[Path, ...]:
    """A database and what SQLite keeps beside it while it is open."""
    return tuple(store.with_name(store.name + suffix) for suffix in ("", "-wal", "-shm"))


def _sync(folder: Path) -> None:
    """Makes names in a folder durable. Windows does it by itself."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
