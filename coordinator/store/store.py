"""The store of runs, on SQLite or PostgreSQL. Each public function is one transaction, done or not done on return.

A crash of the process loses nothing. After a power cut a reply may be missing, and is asked for again: the node sends
the bytes it kept. What must be on disk before anything leaves, such as what the desk cosigned, goes through `within`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    Update,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from coordinator.gather import Gathering, Repeats, State
from coordinator.store.commits import APPLICATION, transaction
from coordinator.store.migrate import migrate
from coordinator.store.papers import keep_other
from coordinator.store.tables import REPLIES, RESULTS, RUNS, SEEN, SUMS
from policies.rules.refusals import Reason, Refused

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class ResultBytes:
    """A signed result, and the hash of the document in it."""

    hash: str
    data: bytes


class Kept(Enum):
    """What became of an answer."""

    FIRST = "first"
    SAME = "same"
    OTHER = "other"


class Stored(Protocol):
    """Runs one transaction on the store's own thread."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


class Store:
    """Runs and replies in a database. One process writes to it."""

    def __init__(self, engine: Engine, durable: Engine) -> None:
        self._engine = engine
        self._durable = durable

    def within(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, in one transaction: all it wrote is on disk on return, or nothing is where it raises."""
        with transaction(self._durable) as connection:
            return work(connection)

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
            with transaction(self._engine) as connection:
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
        with transaction(self._engine) as connection:
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(state=state.value))

    def keep_answer(self, run: str, region: str, data: bytes, received: int) -> Kept:
        """Stores a region's first answer, in place of a refusal if there is one.

        Later ones are compared; one that differs is kept for auditors, and is in no result.
        """
        with transaction(self._engine) as connection:
            row = self._reply(connection, run, region)
            if row is not None and row.kind == "answer":
                same = bytes(row.answer) == data
                count = {"same": row.same + 1} if same else {"other": row.other + 1}
                connection.execute(_at(run, region).values(count))
                if not same:
                    keep_other(connection, run, region, data, received)
                return Kept.SAME if same else Kept.OTHER
            content = {"kind": "answer", "answer": data, "reason": None, "sentence": None, "received": received}
            self._put(connection, run, region, row is not None, content)
            return Kept.FIRST

    def keep_refusal(self, run: str, region: str, refused: Refused, received: int) -> bool:
        """Stores a refusal in place of an earlier one; False, and nothing stored, where the region has answered."""
        with transaction(self._engine) as connection:
            row = self._reply(connection, run, region)
            if row is not None and row.kind == "answer":
                return False
            reason, sentence = refused.reason.value, refused.sentence[:2000]
            content = {"kind": "refusal", "answer": None, "reason": reason, "sentence": sentence, "received": received}
            self._put(connection, run, region, row is not None, content)
            return True

    def ask_again(self, run: str) -> None:
        """Forgets the refusals of a run and opens it again."""
        with transaction(self._engine) as connection:
            connection.execute(delete(REPLIES).where(REPLIES.c.run == run, REPLIES.c.kind == "refusal"))
            connection.execute(update(RUNS).where(RUNS.c.run == run).values(state=State.ASKING.value))

    def gathering(self, run: str, regions: tuple[str, ...], deadline: int) -> Gathering:
        """Where a run stands by what is stored."""
        query = select(
            REPLIES.c.region,
            REPLIES.c.kind,
            REPLIES.c.reason,
            REPLIES.c.sentence,
            REPLIES.c.received,
            REPLIES.c.same,
            REPLIES.c.other,
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
            came={row.region: row.received for row in rows if row.kind == "answer"},
        )

    def answers(self, run: str) -> dict[str, bytes]:
        """The signed answers of a run as received, by region code."""
        query = select(REPLIES.c.region, REPLIES.c.answer).where(REPLIES.c.run == run, REPLIES.c.kind == "answer")
        with self._engine.connect() as connection:
            return {row.region: bytes(row.answer) for row in connection.execute(query.order_by(REPLIES.c.region))}

    def runs_without_results(self) -> tuple[str, ...]:
        """Runs that are done asking and have answers, or sums, that are in no result yet, the oldest first."""
        answers = select(func.count()).where(REPLIES.c.run == RUNS.c.run, REPLIES.c.kind == "answer").scalar_subquery()
        finished = select(func.count()).where(SUMS.c.run == RUNS.c.run).scalar_subquery()
        made = select(func.coalesce(func.max(RESULTS.c.revision), 0)).where(RESULTS.c.run == RUNS.c.run)
        came = answers + finished > made.scalar_subquery()
        query = select(RUNS.c.run).where(RUNS.c.state != State.ASKING.value, came)
        with self._engine.connect() as connection:
            return tuple(str(run) for run in connection.execute(query.order_by(RUNS.c.opened, RUNS.c.run)).scalars())

    def results_revision(self, run: str) -> int:
        """How many answers and finished sums are in the results of a run; 0 where there are none."""
        query = select(func.coalesce(func.max(RESULTS.c.revision), 0)).where(RESULTS.c.run == run)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def put_results(self, run: str, revision: int, results: Mapping[str, ResultBytes]) -> None:
        """Stores what each region gets back, in place of earlier revisions: all of it or nothing."""
        with transaction(self._engine) as connection:
            connection.execute(delete(RESULTS).where(RESULTS.c.run == run, RESULTS.c.revision < revision))
            for region, result in results.items():
                row = {"revision": revision, "hash": result.hash, "signed_result": result.data, "kept": None}
                connection.execute(insert(RESULTS).values(run=run, region=region, **row))

    def results_to_send(self, region: str, after: str = "", most: int = 100) -> tuple[tuple[str, bytes], ...]:
        """Run and signed result of what a region has not said it keeps: the first `most` runs after one, by name."""
        query = select(RESULTS.c.run, RESULTS.c.signed_result).where(
            RESULTS.c.region == region, RESULTS.c.kept.is_(None), RESULTS.c.run > after
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(RESULTS.c.run).limit(most))
            return tuple((row.run, bytes(row.signed_result)) for row in rows)

    def result_kept(self, run: str, region: str, result_hash: str, now: int) -> bool:
        """Notes that a region keeps a result; False where no such result was waiting for that."""
        here = (RESULTS.c.run == run, RESULTS.c.region == region, RESULTS.c.hash == result_hash)
        with transaction(self._engine) as connection:
            return bool(
                connection.execute(update(RESULTS).where(*here, RESULTS.c.kept.is_(None)).values(kept=now)).rowcount
            )

    def has_result(self, run: str, region: str) -> bool:
        """Whether a run has a result for a region."""
        query = select(RESULTS.c.run).where(RESULTS.c.run == run, RESULTS.c.region == region)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def note_seen(self, record: SeenRecord) -> None:
        values = {
            "last_seen": record.last_seen,
            "software": record.software[:100],
            "roster_hash": record.roster_hash,
            "calendar_hash": record.calendar_hash,
        }
        with transaction(self._engine) as connection:
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
        self._durable.dispose()

    def _reply(self, connection: Connection, run: str, region: str) -> Row[tuple[object, ...]] | None:
        query = select(REPLIES).where(REPLIES.c.run == run, REPLIES.c.region == region)
        return connection.execute(query.with_for_update()).one_or_none()

    def _put(self, connection: Connection, run: str, region: str, there: bool, content: Mapping[str, object]) -> None:
        if there:
            connection.execute(_at(run, region).values(content))
        else:
            connection.execute(insert(REPLIES).values(run=run, region=region, same=0, other=0, **content))


_SERVER: Mapping[str, Any] = {
    "pool_pre_ping": True,
    # One thread works the store, and a verb or a collector may look on beside it.
    "pool_size": 2,
    "max_overflow": 1,
    "pool_timeout": 10,
    # A proxy or firewall in between may forget a line that nobody used for long.
    "pool_recycle": 1_800,
    "connect_args": {
        "connect_timeout": 5,
        "application_name": APPLICATION,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "options": "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000",
    },
}
"""How a database server is used: at most three connections, none of them waited for without end."""


@contextmanager
def open_store(url: str | URL) -> Iterator[Store]:
    """The store at a SQLAlchemy URL, migrated to this version. Raises `StoreTooNew`."""
    place = make_url(url)
    # A database server may have dropped an idle connection; a file drops none.
    engine = create_engine(place, **({} if place.get_backend_name() == "sqlite" else _SERVER))
    durable = engine
    if engine.dialect.name == "sqlite":
        # Answers come thirteen at a time: they need not wait for the disk each. A server's commits are on disk anyway.
        durable = create_engine(place)
        _sqlite(engine, "NORMAL")
        _sqlite(durable, "FULL")
    store = Store(engine, durable)
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


def _sqlite(engine: Engine, synchronous: str) -> None:
    """How each connection to a file is set up; `synchronous` FULL: a commit is on disk, also after a power cut."""
    pragmas = (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "fullfsync=ON",
        "foreign_keys=ON",
        "busy_timeout=10000",
    )

    def connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # Python's driver would open transactions by itself and too late; `_begin_immediate` does.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", _begin_immediate)


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
