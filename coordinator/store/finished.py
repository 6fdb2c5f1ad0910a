"""Runs that were given back, as later ones look at them: what was asked, and what one region was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rondgang.signed import Signed
from sqlalchemy import Connection, select

from coordinator.store.tables import DOCUMENTS, RESULTS, RUNS

_AT_ONCE = 500
"""Names in one query: databases take so many."""


@dataclass(frozen=True, slots=True)
class Finished:
    """One run with results, as it was opened (unix seconds)."""

    run: str
    opened: int
    signed_programme: bytes


def finished_names(connection: Connection) -> list[str]:
    """The name of every run that has results."""
    return [str(run) for run in connection.execute(select(RESULTS.c.run).distinct()).scalars()]


def finished(connection: Connection, runs: Sequence[str]) -> list[Finished]:
    """These runs, the oldest first."""
    found = []
    for first in range(0, len(runs), _AT_ONCE):
        these = RUNS.c.run.in_(runs[first : first + _AT_ONCE])
        rows = connection.execute(select(RUNS.c.run, RUNS.c.opened, RUNS.c.signed_programme).where(these))
        found += [Finished(row.run, row.opened, bytes(row.signed_programme)) for row in rows]
    return sorted(found, key=lambda one: (one.opened, one.run))


def one_result(connection: Connection, run: str) -> bytes | None:
    """A signed result of a run, that of the first region by code: national rows are the same in all of them."""
    query = select(RESULTS.c.signed_result).where(RESULTS.c.run == run).order_by(RESULTS.c.region).limit(1)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def document(connection: Connection, digest: str) -> Signed | None:
    """A document that the desk once worked by."""
    found = connection.execute(select(DOCUMENTS.c.signed).where(DOCUMENTS.c.hash == digest)).scalar()
    return None if found is None else Signed.from_bytes(bytes(found))
