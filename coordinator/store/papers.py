"""What the desk keeps for auditors: the documents it worked by, its runs, and every answer as it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rondgang.canonical import digest
from rondgang.signed import Signed
from sqlalchemy import Connection, func, insert, select

from coordinator.store.tables import DOCUMENTS, OTHER_ANSWERS, REPLIES, RUNS

MOST_OTHERS = 16
"""Differing answers that are kept of one region in one run: two show that noise was drawn twice."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One run as it was opened. Instants are unix seconds."""

    run: str
    signed_programme: bytes
    opened: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Received:
    """A signed answer as it came, in this unix second."""

    region: str
    received: int
    data: bytes


def keep_documents(connection: Connection, papers: Iterable[Signed], now: int) -> None:
    """Keeps signed documents that are worked by from now on, in this order; those kept before stay as they are."""
    for paper in papers:
        known = connection.execute(select(DOCUMENTS.c.number).where(DOCUMENTS.c.hash == paper.digest)).scalar()
        if known is None:
            row = {"hash": paper.digest, "since": now, "signed": paper.to_bytes()}
            connection.execute(insert(DOCUMENTS).values(row))


def documents(connection: Connection) -> list[Signed]:
    """Every roster, calendar and codebook that was ever worked by, oldest first."""
    found = connection.execute(select(DOCUMENTS.c.signed).order_by(DOCUMENTS.c.number)).scalars()
    return [Signed.from_bytes(bytes(data)) for data in found]


def asked(connection: Connection) -> list[Asked]:
    """Every run, the oldest first."""
    columns = (RUNS.c.run, RUNS.c.signed_programme, RUNS.c.opened, RUNS.c.deadline)
    rows = connection.execute(select(*columns).order_by(RUNS.c.opened, RUNS.c.run))
    return [Asked(row.run, bytes(row.signed_programme), row.opened, row.deadline) for row in rows]


def received(connection: Connection, run: str) -> list[Received]:
    """Every answer of a run, by region: the first, and then those that differ from it, as they came."""
    first = select(REPLIES.c.region, REPLIES.c.received, REPLIES.c.answer)
    first = first.where(REPLIES.c.run == run, REPLIES.c.kind == "answer").order_by(REPLIES.c.region)
    other = select(OTHER_ANSWERS.c.region, OTHER_ANSWERS.c.received, OTHER_ANSWERS.c.answer)
    order = (OTHER_ANSWERS.c.region, OTHER_ANSWERS.c.received, OTHER_ANSWERS.c.hash)
    other = other.where(OTHER_ANSWERS.c.run == run).order_by(*order)
    rows = (row for query in (first, other) for row in connection.execute(query))
    return [Received(row.region, row.received, bytes(row.answer)) for row in rows]


def keep_other(connection: Connection, run: str, region: str, data: bytes, now: int) -> None:
    """Keeps an answer that differs from the region's first; the same again, or too many of them, change nothing."""
    here = (OTHER_ANSWERS.c.run == run, OTHER_ANSWERS.c.region == region)
    known = select(OTHER_ANSWERS.c.hash).where(*here, OTHER_ANSWERS.c.hash == digest(data))
    count = connection.execute(select(func.count()).where(*here)).scalar_one()
    if count < MOST_OTHERS and connection.execute(known).first() is None:
        row = {"run": run, "region": region, "hash": digest(data), "answer": data, "received": now}
        connection.execute(insert(OTHER_ANSWERS).values(row))
