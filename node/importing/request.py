"""What to import and by whose rules: the adopted calendar and codebook, checked against the pinned key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from rondgang.errors import BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify

from node.home import Home
from node.importing.database import Database, database_of
from node.importing.problems import BadImport, shown
from node.importing.text import DELIMITERS
from node.snapshots import new_snapshot_id
from node.terms import Terms
from policies.documents import BadDocument, Document, from_canonical
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.mapping import ENCODINGS, Delimiter, Encoding

D = TypeVar("D", bound=Document)
Manner = Literal["add", "replace", "keep"]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, by which rules, and where to. `codebook_hash` is that of the adopted document.

    `delimiter` is auto or that of CSV files, `encoding` None or that of CSV files; both go before what a mapping says.
    `mapping` None: the one beside the data, if any. More than `most_households` is refused: a limit of the calendar.
    `terms` is what the ledger says of earlier imports, `database` is where queries go. `manner`: add
    waves to the snapshot in force; replace it, whatever it has; or replace it, and keep every wave that it has.
    """

    home: Path
    sources: tuple[Path, ...]
    cohort: str
    codebook: Codebook
    codebook_hash: str
    most_households: int
    delimiter: Delimiter = "auto"
    encoding: Encoding | None = None
    mapping: Path | None = None
    snapshot_id: str = field(default_factory=new_snapshot_id)
    terms: Terms = field(default_factory=Terms)
    manner: Manner = "keep"
    database: Database | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the steward says the files are to be read, in words that are not checked yet; `manner` as in the request,
    `database` the file with its address."""

    delimiter: str = "auto"
    encoding: str | None = None
    mapping: Path | None = None
    manner: Manner = "keep"
    database: Path | None = None


def prepare(
    home: Home, sources: tuple[Path, ...], cohort: str, codebook: str | None, wishes: Wishes = Wishes()
) -> ImportRequest:
    """The request for these files by the documents in force. `codebook` is id@version; None: the only one adopted.

    Raises BadImport where the cohort or codebook is not adopted, BadHome where the home is not usable. Reads no row.
    """
    delimiter, encoding = (
        delimiter_of(wishes.delimiter),
        None if wishes.encoding is None else encoding_of(wishes.encoding),
    )
    pinned = home.pinned()
    calendar = _calendar_with(home, cohort)
    rules, digest = _adopted(Codebook, "codebook", _codebook_file(home, codebook), pinned)
    limit = calendar.limits.households_per_region
    request = ImportRequest(home.root, sources, cohort, rules, digest, limit, delimiter, encoding, wishes.mapping)
    database = None if wishes.database is None else database_of(wishes.database)
    return replace(request, manner=wishes.manner, database=database)


def check_cohort(home: Home, cohort: str) -> None:
    """Raises BadImport for a cohort that the adopted calendar does not have, and BadHome."""
    _calendar_with(home, cohort)


def _calendar_with(home: Home, cohort: str) -> Calendar:
    file = home.adopted / "calendar.json"
    if not file.is_file():
        raise BadImport("no_calendar")
    calendar, _ = _adopted(Calendar, "calendar", file, home.pinned())
    if cohort not in calendar.cohorts:
        raise BadImport("cohort", cohort=shown(cohort), known=", ".join(sorted(calendar.cohorts)))
    return calendar


def delimiter_of(written: str) -> Delimiter:
    """A delimiter by its name or its sign."""
    for name, sign in DELIMITERS.items():
        if written in (name, sign):
            return name
    if written == "auto":
        return "auto"
    raise BadImport("delimiter")


def encoding_of(written: str) -> Encoding:
    """An encoding by any of its usual names."""
    name = written.strip().casefold().replace("_", "-")
    name = {"latin1": "latin-1", "iso-8859-1": "latin-1", "cp1252": "windows-1252", "ansi": "windows-1252"}.get(
        name, name
    )
    for encoding in ENCODINGS:
        if name in (encoding, encoding.replace("-", "")):
            return encoding
    raise BadImport("encoding", known=", ".join(ENCODINGS))


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
