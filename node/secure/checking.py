"""What an auditor who visits may have checked: that this node's vectors were made of what its data give.

Reads the files beside whoever writes them, and shows no number: only whether the data, the opening in the home and the
commitment in the log agree.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, TypeVar

from node.closed import closed_files
from node.home import Home
from node.ledger.evidence import kept
from node.ledger.log import reading
from node.ledger.schema import beside
from node.secure.masking import weighted
from node.secure.openings import read_opening
from node.snapshots import NoSnapshot, open_snapshot
from node.vectors.sums import Engine, SumsFailed
from policies.documents import BadDocument, Document, from_canonical
from policies.rules.entries import Attempted, Debited, Entry
from policies.secure.opening import Opening, sums_of
from policies.statistics.compile import BadStatistic, compile_blocks
from policies.statistics.programme import Programme
from policies.study.codebook import Codebook

Outcome = Literal["holds", "no_opening", "other_opening", "other_sums", "no_documents", "no_data"]
"""holds: data, opening and commitment agree. no_opening: the file is not there; other_opening: the log is committed to
something else; other_sums: the data give something else; no_documents: the log lacks the programme or its codebook;
no_data: the snapshot cannot be read any more, so nothing can be said of it."""

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Checked:
    """One attempt of which a vector could leave, by the log. Public facts."""

    attempt: int
    programme: str
    commitment: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Made:
    """An attempt in the log, with its debit and the file that has both."""

    attempted: Attempted
    debited: Debited
    ledger: sqlite3.Connection


def check_attempts(home: Home, run: str, attempt: int | None = None) -> tuple[Checked, ...]:
    """Checks the attempts of a run, or one of them, in every epoch that is known; empty where the log has none.

    Sums the snapshot once more. Raises BadHome, BadDelivery where an opening cannot be read, BrokenLedger and
    DiskFault.
    """
    region = home.config().region
    with reading("check"), closing(Engine(home.root / "scratch")) as engine:
        return tuple(
            Checked(
                made.attempted.attempt,
                made.attempted.programme,
                made.attempted.commitment,
                _outcome(home, region, made, engine),
            )
            for made in _made(home, run)
            if attempt in (None, made.attempted.attempt)
        )


def _made(home: Home, run: str) -> Iterator[_Made]:
    files = [*(path for _epoch, path in closed_files(home)), home.ledger_file]
    for path in files:
        if not path.exists():
            continue
        with closing(beside(path, closed=path != home.ledger_file)) as ledger:
            # By their text first: a log is long, and this is a rare entry.
            query = "SELECT body FROM entries WHERE instr(body, CAST(? AS BLOB)) ORDER BY seq"
            for (body,) in ledger.execute(query, ('"attempted"',)).fetchall():
                attempted = from_canonical(Entry, bytes(body)).body
                if isinstance(attempted, Attempted) and attempted.run == run:
                    (paid,) = ledger.execute("SELECT body FROM entries WHERE seq = ?", (attempted.debit,)).fetchone()
                    debited = from_canonical(Entry, bytes(paid)).body
                    assert isinstance(debited, Debited), "a ledger is checked as it is written"
                    yield _Made(attempted, debited, ledger)


def _outcome(home: Home, region: str, made: _Made, engine: Engine) -> Outcome:
    attempted = made.attempted
    opening = read_opening(home, attempted.run, attempted.attempt)
    if opening is None:
        return "no_opening"
    if opening.commitment != attempted.commitment or not _of(opening, region, made):
        return "other_opening"
    programme = _document(Programme, made, "programme", attempted.programme)
    codebook = None if programme is None else _document(Codebook, made, "codebook", programme.codebook_hash)
    if programme is None or codebook is None:
        return "no_documents"
    try:
        blocks = compile_blocks(programme.statistics, codebook).blocks
        national = tuple(block for block in blocks if block.mode == "national")
        exact = engine.sums(open_snapshot(home.root, opening.snapshot), national)
    except BadStatistic:
        return "no_documents"
    except (NoSnapshot, SumsFailed):
        return "no_data"
    sums = sums_of(weighted(exact, programme, region), programme.of_mode("national"))
    return "holds" if sums == opening.sums else "other_sums"


def _of(opening: Opening, region: str, made: _Made) -> bool:
    """Whether the opening is of this attempt, and of the snapshot that was charged."""
    attempted, debited = made.attempted, made.debited
    named = opening.run, opening.programme, opening.attempt, opening.participants, opening.snapshot, opening.region
    logged = attempted.run, attempted.programme, attempted.attempt, attempted.participants, debited.snapshot, region
    return named == logged


def _document(model: type[D], made: _Made, kind: str, hash_: str) -> D | None:
    signed = kept(made.ledger, kind, hash_)
    try:
        return None if signed is None else from_canonical(model, signed.document)
    except BadDocument:
        return None
