"""One transaction on the store, done or not done, and known to be either: also where a connection broke at its commit.

PostgreSQL remembers for a while what became of a transaction by its number (`txid_status`), so a commit whose
acknowledgement was lost is asked about on another connection. A file has no connection that breaks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

_ASK_AGAIN_S, _ASK_FOR_S = 0.1, 30.0


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
        number = _number(connection)
        try:
            begun.commit()
        except DBAPIError as error:
            if number is None or not cut_off(error) or not _committed(engine, number, error):
                raise


def cut_off(error: DBAPIError) -> bool:
    """Whether a fault is that of a database server that is gone, or not up yet: the same may go well a moment later."""
    server = type(error.orig).__module__.startswith("psycopg")
    return server and (error.connection_invalidated or isinstance(error, OperationalError | InterfaceError))


def _number(connection: Connection) -> int | None:
    """The number of a transaction that has written something, on a database server."""
    if connection.dialect.name != "postgresql":
        return None
    found = connection.execute(text("SELECT txid_current_if_assigned()")).scalar_one()
    return None if found is None else int(found)


def _committed(engine: Engine, number: int, lost: DBAPIError) -> bool:
    """What became of a transaction, once the database is back. Raises the first fault where that takes too long."""
    until = time.monotonic() + _ASK_FOR_S
    while time.monotonic() < until:
        try:
            with engine.connect() as connection:
                status = connection.execute(text("SELECT txid_status(:number)"), {"number": number}).scalar_one()
        except DBAPIError as error:
            if not cut_off(error):
                raise
        else:
            # A server that was killed has rolled back what was in progress; a proxy may have cut us off before it.
            if status != "in progress":
                return bool(status == "committed")
        time.sleep(_ASK_AGAIN_S)
    raise lost
