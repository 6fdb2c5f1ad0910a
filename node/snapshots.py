"""Snapshots: a cohort's rows in final whole numbers, written once by import and never changed.

HOME/snapshots/<id>/household.parquet, adult.parquet, child.parquet, manifest.json, report.json; and ids.parquet, which
import alone reads (node/importing/kept.py). Which snapshot is a cohort's current one is what the ledger says last. This
module only opens; node/importing writes.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from policies.documents import BadDocument, Document, from_canonical, to_canonical
from policies.statistics.blocks import Unit
from policies.study.text import CohortId, Hash, SnapshotId

FOLDER = "snapshots"
_ID = re.compile(r"[0-9a-f]{32}")


class NoSnapshot(Exception):
    """There is no readable snapshot with this id. `reason` says what is wrong with it, never what is in it."""

    def __init__(self, snapshot_id: str, reason: str) -> None:
        self.snapshot_id = snapshot_id
        self.reason = reason
        super().__init__(f"snapshot {snapshot_id}: {reason}")


class CodebookOf(Document):
    """The codebook whose bounds, grids and categories the snapshot's numbers follow."""

    id: str
    version: int
    hash: Hash


class Manifest(Document):
    """What a snapshot is. Public facts only: no count, nothing computed from rows."""

    format: Literal[1] = Field(default=...)
    id: SnapshotId
    cohort: CohortId
    codebook: CodebookOf
    columns: dict[Unit, tuple[str, ...]]

    def to_bytes(self) -> bytes:
        """Canonical bytes, as they stand in manifest.json."""
        return to_canonical(self)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was there when it was opened. `codebook_hash` is 64 hexadecimal digits."""

    id: str
    cohort: str
    codebook_hash: str
    folder: Path

    def table_path(self, unit: Unit) -> Path:
        """The Parquet file of a unit: one row each, wide over waves."""
        return self.folder / f"{unit}.parquet"


def new_snapshot_id() -> str:
    """128 random bits as 32 hexadecimal digits: an id says nothing about the rows."""
    return secrets.token_hex(16)


def open_snapshot(home: Path, snapshot_id: str) -> Snapshot:
    """The snapshot with this id under HOME. Reads its manifest, not its rows. Raises NoSnapshot."""
    if not _ID.fullmatch(snapshot_id):
        raise NoSnapshot("(not an id)", "an id has 32 hexadecimal digits")
    folder = home / FOLDER / snapshot_id
    try:
        manifest = from_canonical(Manifest, (folder / "manifest.json").read_bytes())
    except OSError as error:
        raise NoSnapshot(snapshot_id, f"its manifest cannot be read: {type(error).__name__}") from None
    except BadDocument:
        raise NoSnapshot(snapshot_id, "its manifest is damaged") from None
    if manifest.id != snapshot_id:
        raise NoSnapshot(snapshot_id, "its manifest names another id")
    return Snapshot(snapshot_id, manifest.cohort, manifest.codebook.hash, folder)
