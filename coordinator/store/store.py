"""The store of runs, on SQLite or PostgreSQL. Each public function is one transaction, done or not done on return.

Nothing here is needed for privacy: a reply that is lost is asked for again, and the node sends the bytes it kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    Update,
    create_engine,
    delete,
    event,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from coordinator.gather import Gathering, Repeats, State
from coordinator.store.migrate import migrate
from coordinator.store.tables import REPLIES, RUNS, SEEN
from policies.rules.refusals import Reason, Refused


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as it was opened. Instants are unix seconds."""

    run: str
    programme_hash: str
    signed_programme: bytes
    opened: int
    deadline: int
    state: State


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """When a region was last on the line, and with what."""

    region: str
    last_seen: int
    software: str
    roster_hash: str
    calendar_hash: str


class Kept(Enum):
    """What became of an answer."""

    FIRST = "first"
    SAME = "same"
    OTHER = "other"


class Store:
    """Runs and replies in a database. One process writes to it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_run(self, record: RunRecord) -> tuple[str, bool]:
        """The run of a programme and whether it existed: a programme has one run, whoever comes first."""
        row = {
            "run": record.run,
            "programme_hash": record.programme_hash,
            "signed_programme": record.signed_programme,
            "opened": record.opened,
            "deadline": record.deadline,
            "state": record.state.value,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(RUNS).values(row))
        except IntegrityError:
            existing = self.run_of(record.programme_hash)
            if existing is None:
                raise
            return existing, True
        return record.run, False

    def run_of(self, programme_hash: str) -> str | None:
        """The name of the run that a programme has."""
        with self._engine.connect() as connection:
            found = connection.execute(select(RUNS.c.run).where(RUNS.c.programme_hash == programme_hash)).scalar()
        return None if found is None else str(found)

    def run(self, run: str) -> RunRecord | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.run == run)).one_or_none()
        return None if row is None else _record(row)

    def open_runs(self) -> tuple[RunRecord, ...]:
        """Every run that was still asking when last noted, the oldest first."""
        query = select(RUNS).where(RUNS.c.state == State.ASKING.value).order_by(RUNS.c.opened, RUNS.c.run)
        with self._engine.connect() as connection:
            return tuple(_record(row) for row in connection.execute(query))

    def note_state(self, run: str, state: State) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(state=state.value))

    def keep_answer(self, run: str, region: str, data: bytes, received: int) -> Kept:
        """Stores a region's first answer, in place of a refusal if there is one. Later ones are only compared."""
        with self._engine.begin() as connection:
            row = self._reply(connection, run, region)
            if row is not None and row.kind == "answer":
                same = bytes(row.answer) == data
                count = {"same": row.same + 1} if same else {"other": row.other + 1}
                connection.execute(_at(run, region).values(count))
                return Kept.SAME if same else Kept.OTHER
            content = {"kind": "answer", "answer": data, "reason": None, "sentence": None, "received": received}
            self._put(connection, run, region, row is not None, content)
            return Kept.FIRST

    def keep_refusal(self, run: str, region: str, refused: Refused, received: int) -> bool:
        """Stores a refusal in place of an earlier one; False, and nothing stored, where the region has answered."""
        with self._engine.begin() as connection:
            row = self._reply(connection, run, region)
            if row is not None and row.kind == "answer":
                return False
            reason, sentence = refused.reason.value, refused.sentence[:2000]
            content = {"kind": "refusal", "answer": None, "reason": reason, "sentence": sentence, "received": received}
            self._put(connection, run, region, row is not None, content)
            return True

    def ask_again(self, run: str) -> None:
        """Forgets the refusals of a run and opens it again."""
        with self._engine.begin() as connection:
            connection.execute(delete(REPLIES).where(REPLIES.c.run == run, REPLIES.c.kind == "refusal"))
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(state=State.ASKING.value))

    def gathering(self, run: str, regions: tuple[str, ...], deadline: int) -> Gathering:
        """Where a run stands by what is stored."""
        query = select(
            REPLIES.c.region, REPLIES.c.kind, REPLIES.c.reason, REPLIES.c.sentence, REPLIES.c.same, REPLIES.c.other
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(REPLIES.c.run == run)).all()
        return Gathering(
            run=run,
            regions=regions,
            deadline=deadline,
            answered=frozenset(row.region for row in rows if row.kind == "answer"),
            refused={row.region: Refused(Reason(row.reason), row.sentence) for row in rows if row.kind == "refusal"},
            repeats={row.region: Repeats(row.same, row.other) for row in rows if row.same or row.other},
        )

    def answers(self, run: str) -> dict[str, bytes]:
        """The signed answers of a run as received, by region code."""
        query = select(REPLIES.c.region, REPLIES.c.answer).where(REPLIES.c.run == run, REPLIES.c.kind == "answer")
        with self._engine.connect() as connection:
            return {row.region: bytes(row.answer) for row in connection.execute(query.order_by(REPLIES.c.region))}

    def note_seen(self, record: SeenRecord) -> None:
        values = {
            "last_seen": record.last_seen,
            "software": record.software[:100],
            "roster_hash": record.roster_hash,
            "calendar_hash": record.calendar_hash,
        }
        with self._engine.begin() as connection:
            changed = connection.execute(update(SEEN).where(SEEN.c.region == record.region).values(values))
            if not changed.rowcount:
                connection.execute(insert(SEEN).values(region=record.region, **values))

    def seen(self) -> dict[str, SeenRecord]:
        """The last sight of every region that was ever on the line."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(SEEN)).all()
        return {
            row.region: SeenRecord(row.region, row.last_seen, row.software, row.roster_hash, row.calendar_hash)
            for row in rows
        }

    def close(self) -> None:
        self._engine.dispose()

    def _reply(self, connection: Connection, run: str, region: str) -> Row[tuple[object, ...]] | None:
        query = select(REPLIES).where(REPLIES.c.run == run, REPLIES.c.region == region)
        return connection.execute(query.with_for_update()).one_or_none()

    def _put(self, connection: Connection, run: str, region: str, there: bool, content: Mapping[str, object]) -> None:
        if there:
            connection.execute(_at(run, region).values(content))
        else:
            connection.execute(insert(REPLIES).values(run=run, region=region, same=0, other=0, **content))


@contextmanager
def open_store(url: str | URL) -> Iterator[Store]:
    """The store at a SQLAlchemy URL, migrated to this version. Raises `StoreTooNew`."""
    place = make_url(url)
    # A database server may have dropped an idle connection; a file drops none.
    engine = create_engine(place, pool_pre_ping=place.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite)
        event.listen(engine, "begin", _begin_immediate)
    store = Store(engine)
    try:
        migrate(engine)
        yield store
    finally:
        store.close()


def _record(row: Row[tuple[object, ...]]) -> RunRecord:
    return RunRecord(
        row.run, row.programme_hash, bytes(row.signed_programme), row.opened, row.deadline, State(row.state)
    )


def _at(run: str, region: str) -> Update:
    return update(REPLIES).where(REPLIES.c.run == run, REPLIES.c.region == region)


def _sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # Python's driver would open transactions by itself and too late; `_begin_immediate` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    # NORMAL: a crash of the process loses nothing. After a power cut a reply may be missing, and is asked for again.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
