"""What to import and by whose rules: the adopted calendar and codebook, checked against the pinned key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from rondgang.errors import BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify

from node.home import Home
from node.importing.problems import BadImport, shown
from node.importing.read import DELIMITERS
from node.snapshots import new_snapshot_id
from policies.documents import BadDocument, Document, from_canonical
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, by which rules, and where to. `codebook_hash` is that of the adopted document.

    `delimiter` is auto, semicolon, comma or tab. More than `most_households` is refused: the calendar's public limit.
    """

    home: Path
    sources: tuple[Path, ...]
    cohort: str
    codebook: Codebook
    codebook_hash: str
    most_households: int
    delimiter: str = "auto"
    snapshot_id: str = field(default_factory=new_snapshot_id)


def prepare(
    home: Home, sources: tuple[Path, ...], cohort: str, codebook: str | None, delimiter: str = "auto"
) -> ImportRequest:
    """The request for these files by the documents in force. `codebook` is id@version; None: the only one adopted.

    Raises BadImport where the cohort or codebook is not adopted, BadHome where the home is not usable. Reads no row.
    """
    signs = {sign: name for name, sign in DELIMITERS.items()}
    delimiter = signs.get(delimiter, delimiter)
    if delimiter not in ("auto", *DELIMITERS):
        raise BadImport("delimiter")
    pinned = home.pinned()
    calendar_file = home.adopted / "calendar.json"
    if not calendar_file.is_file():
        raise BadImport("no_calendar")
    calendar, _ = _adopted(Calendar, "calendar", calendar_file, pinned)
    if cohort not in calendar.cohorts:
        raise BadImport("cohort", cohort=shown(cohort), known=", ".join(sorted(calendar.cohorts)))
    rules, digest = _adopted(Codebook, "codebook", _codebook_file(home, codebook), pinned)
    limit = calendar.limits.households_per_region
    return ImportRequest(home.root, sources, cohort, rules, digest, limit, delimiter)


def _codebook_file(home: Home, label: str | None) -> Path:
    files = {path.stem: path for path in sorted((home.adopted / "codebooks").glob("*.json"))}
    known = ", ".join(files)
    if not files:
        raise BadImport("no_codebooks")
    if label is None and len(files) > 1:
        raise BadImport("which_codebook", known=known)
    chosen = label or next(iter(files))
    if chosen not in files:
        raise BadImport("no_codebook", codebook=shown(chosen), known=known)
    return files[chosen]


def _adopted(model: type[D], kind: Literal["calendar", "codebook"], path: Path, pinned: PublicKey) -> tuple[D, str]:
    """The document and its hash. The ledger compares the hash again when the import is recorded."""
    try:
        signed = Signed.from_bytes(path.read_bytes())
        if signed.kind != kind or not verify(signed, pinned):
            raise BadImport("adopted", file=path.name)
        return from_canonical(model, signed.document), signed.digest
    except (OSError, NotCanonical, BadSigned, BadDocument):
        raise BadImport("adopted", file=path.name) from None
