"""What the desk remembers as a witness, as rows of its store. Used inside one transaction.

`policies.rules.witness` says what for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rondgang.notes import Checkpoint, Note
from sqlalchemy import Connection, Select, Table, func, insert, select, text, update
from sqlalchemy.sql.elements import ColumnElement

from coordinator.store.tables import CHECKPOINTS, FORKS, SHOWN
from policies.rules.witness import Fork


class SqlMemory:
    """A `policies.rules.witness.Memory` over the tables of migration 0003.

    The transaction must be the only writer of checkpoints: SQLite has one anyway, PostgreSQL gets a lock.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE checkpoints IN EXCLUSIVE MODE"))

    def last(self, region: str) -> Note | None:
        newest = select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.region == region)
        return self._note(newest.order_by(CHECKPOINTS.c.epoch.desc(), CHECKPOINTS.c.size.desc()).limit(1))

    def at(self, checkpoint: Checkpoint) -> Note | None:
        return self._note(select(CHECKPOINTS.c.note).where(*_place(checkpoint)))

    def last_time(self) -> int:
        newest = select(func.coalesce(func.max(CHECKPOINTS.c.time), 0))
        return int(self._connection.execute(newest).scalar_one())

    def keep(self, note: Note, time: int) -> None:
        found = note.checkpoint
        row: dict[str, str | int] = {"region": found.region, "epoch": found.epoch, "size": found.size, "time": time}
        self._put(CHECKPOINTS, _place(found), row | {"note": note.to_text()})

    def seen(self, region: str) -> Note | None:
        return self._note(select(SHOWN.c.note).where(SHOWN.c.region == region))

    def keep_seen(self, note: Note, time: int) -> None:
        region = note.checkpoint.region
        self._put(SHOWN, (SHOWN.c.region == region,), {"region": region, "note": note.to_text(), "at": time})

    def forks(self, region: str) -> int:
        count = select(func.count()).where(FORKS.c.region == region)
        return int(self._connection.execute(count).scalar_one())

    def keep_fork(self, fork: Fork) -> None:
        if self._connection.execute(select(FORKS.c.digest).where(FORKS.c.digest == fork.digest)).first() is None:
            said = {"region": fork.region, "why": fork.why, "at": fork.at, "held": fork.held, "offered": fork.offered}
            self._connection.execute(insert(FORKS).values(digest=fork.digest, **said))

    def _note(self, query: Select[str]) -> Note | None:
        found = self._connection.execute(query).scalar()
        return None if found is None else Note.parse(found)

    def _put(self, table: Table, here: Sequence[ColumnElement[bool]], row: Mapping[str, str | int]) -> None:
        """The row in the place of the one that is here, or as a new one."""
        if not self._connection.execute(update(table).where(*here).values(row)).rowcount:
            self._connection.execute(insert(table).values(row))


def checkpoints(connection: Connection, region: str) -> list[str]:
    """Every note cosigned for a region, epochs and sizes ascending."""
    of = select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.region == region)
    return list(connection.execute(of.order_by(CHECKPOINTS.c.epoch, CHECKPOINTS.c.size)).scalars())


def regions(connection: Connection) -> list[str]:
    """Every region that something was cosigned for."""
    return list(connection.execute(select(CHECKPOINTS.c.region).distinct().order_by(CHECKPOINTS.c.region)).scalars())


def last_sizes(connection: Connection) -> dict[str, tuple[int, int]]:
    """The epoch and the size of the last checkpoint cosigned for every region."""
    place = CHECKPOINTS.c.region, CHECKPOINTS.c.epoch, func.max(CHECKPOINTS.c.size).label("size")
    rows = connection.execute(select(*place).group_by(*place[:2]).order_by(*place[:2]))
    # The latest epoch of a region comes last.
    return {row.region: (row.epoch, row.size) for row in rows}


def forks(connection: Connection) -> list[Fork]:
    """All evidence of forks, oldest first."""
    rows = connection.execute(select(FORKS).order_by(FORKS.c.at, FORKS.c.region, FORKS.c.digest))
    return [Fork(row.region, row.why, row.at, row.held, row.offered) for row in rows]


def _place(checkpoint: Checkpoint) -> tuple[ColumnElement[bool], ...]:
    return (
        CHECKPOINTS.c.region == checkpoint.region,
        CHECKPOINTS.c.epoch == checkpoint.epoch,
        CHECKPOINTS.c.size == checkpoint.size,
    )
