"""What the desk remembers of national sums: attempts, the documents of their rounds, and what came of them.

Each function is for `Store.within`: one transaction, on disk on return.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rondgang.signed import Signed
from sqlalchemy import Connection, Update, insert, select, update

from coordinator.store.tables import ATTEMPT_PAPERS, ATTEMPTS, SUMS, SUMS_GIVEN

AttemptState = Literal["keys", "fixed", "summed", "aborted"]


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt. `begun` is the unix second in which its order was signed.

    `keys`: it gathers keys, and nothing is fixed; `fixed`: the desk named who takes part, and nodes may have charged.
    `sentence`: why it was aborted, or is left where it is.
    """

    attempt: int
    begun: int
    state: AttemptState
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class SumRecord:
    """A finished sum, signed: it came of this attempt of the run."""

    run: str
    attempt: int
    hash: str
    data: bytes


def begin(connection: Connection, run: str, attempt: int, now: int) -> None:
    """Gives a number to an attempt. Raises IntegrityError where it was given before."""
    connection.execute(insert(ATTEMPTS).values(run=run, attempt=attempt, begun=now, state="keys"))


def keep(connection: Connection, run: str, attempt: int, papers: Iterable[Signed]) -> None:
    """Keeps documents that came in during an attempt; those kept before stay as they are."""
    _keep(connection, run, attempt, papers)


def fix(connection: Connection, run: str, attempt: int, papers: Iterable[Signed]) -> None:
    """Notes that the desk has named who takes part, or what came after; with the documents of the round."""
    connection.execute(_at(run, attempt).values(state="fixed"))
    _keep(connection, run, attempt, papers)


def leave(connection: Connection, run: str, attempt: int, sentence: str | None) -> None:
    """Notes why an attempt that gathers keys is left as it is; without a sentence that it is taken up again."""
    connection.execute(_at(run, attempt).values(sentence=None if sentence is None else sentence[:2000]))


def abort(connection: Connection, run: str, attempt: int, sentence: str) -> None:
    """Notes that nothing came of an attempt, and why."""
    connection.execute(_at(run, attempt).values(state="aborted", sentence=sentence[:2000]))


def finish(connection: Connection, record: SumRecord, regions: Iterable[str], now: int) -> None:
    """Keeps the finished sum of a run, to be sent to these regions."""
    connection.execute(_at(record.run, record.attempt).values(state="summed"))
    row = {"attempt": record.attempt, "hash": record.hash, "signed": record.data, "finished": now}
    connection.execute(insert(SUMS).values(run=record.run, **row))
    connection.execute(insert(SUMS_GIVEN), [{"run": record.run, "region": region} for region in regions])


def attempts(connection: Connection, run: str) -> list[AttemptRecord]:
    """Every attempt of a run, the first one first."""
    rows = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.run == run).order_by(ATTEMPTS.c.attempt))
    return [AttemptRecord(row.attempt, row.begun, row.state, row.sentence) for row in rows]


def papers(connection: Connection, run: str, attempt: int) -> list[Signed]:
    """The documents of an attempt's rounds, in order; not the finished sum."""
    here = (ATTEMPT_PAPERS.c.run == run, ATTEMPT_PAPERS.c.attempt == attempt)
    found = connection.execute(select(ATTEMPT_PAPERS.c.signed).where(*here).order_by(ATTEMPT_PAPERS.c.number))
    return [Signed.from_bytes(bytes(data)) for data in found.scalars()]


def sum_of(connection: Connection, run: str) -> SumRecord | None:
    """The finished sum of a run."""
    row = connection.execute(select(SUMS).where(SUMS.c.run == run)).one_or_none()
    return None if row is None else SumRecord(row.run, row.attempt, row.hash, bytes(row.signed))


def to_give(connection: Connection, region: str) -> list[SumRecord]:
    """Every finished sum that a region has not said it keeps."""
    query = select(SUMS).join(SUMS_GIVEN, SUMS.c.run == SUMS_GIVEN.c.run).order_by(SUMS.c.finished, SUMS.c.run)
    rows = connection.execute(query.where(SUMS_GIVEN.c.region == region, SUMS_GIVEN.c.kept.is_(None)))
    return [SumRecord(row.run, row.attempt, row.hash, bytes(row.signed)) for row in rows]


def kept(connection: Connection, run: str, region: str, sum_hash: str, now: int) -> bool:
    """Notes that a region keeps the sum with this hash; False where no such sum was waiting for that."""
    known = select(SUMS.c.run).where(SUMS.c.run == run, SUMS.c.hash == sum_hash)
    if connection.execute(known).first() is None:
        return False
    here = (SUMS_GIVEN.c.run == run, SUMS_GIVEN.c.region == region, SUMS_GIVEN.c.kept.is_(None))
    return bool(connection.execute(update(SUMS_GIVEN).where(*here).values(kept=now)).rowcount)


def _keep(connection: Connection, run: str, attempt: int, papers: Iterable[Signed]) -> None:
    here = (ATTEMPT_PAPERS.c.run == run, ATTEMPT_PAPERS.c.attempt == attempt)
    known = set(connection.execute(select(ATTEMPT_PAPERS.c.hash).where(*here)).scalars())
    for paper in papers:
        if paper.digest not in known:
            known.add(paper.digest)
            row = {"run": run, "attempt": attempt, "hash": paper.digest, "signed": paper.to_bytes()}
            connection.execute(insert(ATTEMPT_PAPERS).values(row))


def _at(run: str, attempt: int) -> Update:
    return update(ATTEMPTS).where(ATTEMPTS.c.run == run, ATTEMPTS.c.attempt == attempt)
