"""One transaction on the store, done or not done, and known to be either: also where a connection broke at its commit.

PostgreSQL remembers for a while what became of a transaction by its number (`txid_status`), so a commit whose
acknowledgement was lost is asked about on another connection. A file has no connection that breaks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

APPLICATION = "rondgang"
"""What the desk's connections are called at the server."""
_ASK_AGAIN_S, _ASK_FOR_S = 0.1, 30.0
_FORGOTTEN = "22023"
"""SQLSTATE of a number that no transaction had yet. A server that crashed may have forgotten that it ever gave one its
number: then nothing of it is there."""


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: all that was written is there when the block was left in order, nothing where it raises.

    Raises DBAPIError where the database is lost before the commit, or where nobody can tell what became of it.
    """
    with engine.connect() as connection:
        begun = connection.begin()
        try:
            yield connection
        except BaseException:
            begun.rollback()
            raise
        written = _written(connection)
        try:
            begun.commit()
        except DBAPIError as error:
            if written is None or not cut_off(error) or not _committed(engine, written, error):
                raise


def cut_off(error: DBAPIError) -> bool:
    """Whether a fault is that of a database server that is gone, or not up yet: the same may go well a moment later."""
    server = type(error.orig).__module__.startswith("psycopg")
    return server and (error.connection_invalidated or isinstance(error, OperationalError | InterfaceError))


@dataclass(frozen=True, slots=True)
class _Written:
    """A transaction on a database server: its number, and the server process that works for it."""

    number: int
    process: int


def _written(connection: Connection) -> _Written | None:
    """The transaction, where it has written something and a line can break."""
    if connection.dialect.name != "postgresql":
        return None
    number, process = connection.execute(text("SELECT txid_current_if_assigned(), pg_backend_pid()")).one()
    return None if number is None else _Written(int(number), int(process))


def _committed(engine: Engine, written: _Written, lost: DBAPIError) -> bool:
    """What became of a transaction, once the database is back. Raises the first fault where that takes too long."""
    until = time.monotonic() + _ASK_FOR_S
    while time.monotonic() < until:
        try:
            status = _status(engine, written)
        except DBAPIError as error:
            if not cut_off(error):
                raise
        else:
            if status != "in progress":
                return status == "committed"
        time.sleep(_ASK_AGAIN_S)
    raise lost


def _status(engine: Engine, written: _Written) -> str | None:
    """What the server says of a transaction. One that it still waits to hear of is ended: its line is broken."""
    with engine.connect() as connection:
        try:
            found = connection.execute(text("SELECT txid_status(:number)"), {"number": written.number}).scalar_one()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _FORGOTTEN:
                return "aborted"
            raise
        if found == "in progress":
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :process "
                    "AND backend_xid IS NOT NULL AND usename = current_user AND application_name = :us"
                ),
                {"process": written.process, "us": APPLICATION},
            )
    return None if found is None else str(found)
