"""Runs that were given back, as later ones look at them: what was asked, and what one region was told of it."""

from __future__ import annotations

from dataclasses import dataclass

from rondgang.signed import Signed
from sqlalchemy import Connection, select

from coordinator.store.tables import DOCUMENTS, RESULTS, RUNS


@dataclass(frozen=True, slots=True)
class Finished:
    """One run with results, as it was opened (unix seconds)."""

    run: str
    opened: int
    signed_programme: bytes


def finished(connection: Connection) -> list[Finished]:
    """Every run that has results, the oldest first."""
    having = select(RESULTS.c.run).distinct()
    query = select(RUNS.c.run, RUNS.c.opened, RUNS.c.signed_programme).where(RUNS.c.run.in_(having))
    rows = connection.execute(query.order_by(RUNS.c.opened, RUNS.c.run))
    return [Finished(row.run, row.opened, bytes(row.signed_programme)) for row in rows]


def one_result(connection: Connection, run: str) -> bytes | None:
    """A signed result of a run, that of the first region by code: national rows are the same in all of them."""
    query = select(RESULTS.c.signed_result).where(RESULTS.c.run == run).order_by(RESULTS.c.region).limit(1)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def document(connection: Connection, digest: str) -> Signed | None:
    """A document that the desk once worked by."""
    found = connection.execute(select(DOCUMENTS.c.signed).where(DOCUMENTS.c.hash == digest)).scalar()
    return None if found is None else Signed.from_bytes(bytes(found))
