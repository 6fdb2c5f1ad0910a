"""What the desk works by: the adopted roster, calendar and codebooks, each under the consortium's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from rondgang.errors import BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.signed import Signed

from coordinator.errors import BadHome
from coordinator.files import write
from coordinator.home import Home
from policies.documents import BadDocument, Document
from policies.study.adoption import Adopted, NotAdopted, adopt, adopt_roster
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster

D = TypeVar("D", bound=Document)
Kept = tuple[str, Adopted[Roster] | Adopted[Calendar] | Adopted[Codebook]]


@dataclass(frozen=True, slots=True)
class Study:
    """The documents in force. `codebooks` are by label, such as cohort3@1."""

    roster: Adopted[Roster]
    calendar: Adopted[Calendar]
    codebooks: Mapping[str, Adopted[Codebook]]

    @property
    def papers(self) -> tuple[Signed, ...]:
        """All of them as signed documents, the roster first."""
        books = (book.data for book in self.codebooks.values())
        return tuple(Signed.from_bytes(data) for data in (self.roster.data, self.calendar.data, *books))

    def codebook(self, digest: str) -> Codebook | None:
        """The codebook with this hash."""
        return next((one.document for one in self.codebooks.values() if one.digest == digest), None)


def read_study(home: Home) -> Study:
    """The adopted documents, their signatures checked anew. Raises `BadHome` where one is absent or not genuine."""
    pinned = home.pinned()
    roster = _load(Roster, "roster", home.adopted / "roster.json", pinned)
    calendar = _load(Calendar, "calendar", home.adopted / "calendar.json", pinned)
    paths = sorted((home.adopted / "codebooks").glob("[!.]*.json"))
    books = [_load(Codebook, "codebook", path, pinned) for path in paths]
    return Study(roster, calendar, {book.document.label: book for book in books})


def read_calendar(home: Home) -> Adopted[Calendar]:
    """The adopted calendar alone, its signature checked anew. Raises `BadHome` where it is absent or not genuine."""
    return _load(Calendar, "calendar", home.adopted / "calendar.json", home.pinned())


class LiveStudy:
    """The adopted documents of a running desk: read again as soon as a file changes.

    New documents are handed to `keep` before they are in force: whatever it raises leaves the former ones in force, to
    be tried again. A changed file that cannot be used leaves them in force too, and `complain` is told why.
    """

    def __init__(self, home: Home, keep: Callable[[Study], None], complain: Callable[[BadHome], None]) -> None:
        self._home = home
        self._keep = keep
        self._complain = complain
        self._marks = _marks(home)
        self._study = read_study(home)
        keep(self._study)

    def current(self) -> Study:
        """The documents in force now."""
        marks = _marks(self._home)
        if marks != self._marks:
            try:
                study = read_study(self._home)
            except BadHome as error:
                self._complain(error)
            else:
                self._keep(study)
                self._study = study
            self._marks = marks
        return self._study


def _marks(home: Home) -> tuple[tuple[int, int, int], ...]:
    """What changes with an adoption, which puts a new file in place: both folders, and the roster and calendar.

    Asked for at every message, so it takes four looks at the disk and no more.
    """
    folder = home.adopted
    return tuple(
        _mark(path) for path in (folder, folder / "codebooks", folder / "roster.json", folder / "calendar.json")
    )


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def adopt_file(home: Home, data: bytes) -> Kept | NotAdopted:
    """Takes one signed document over and keeps it; gives its kind and the document. A running desk sees it at once.

    A roster or calendar never goes back to an older one.
    """
    pinned = home.pinned()
    try:
        kind = Signed.from_bytes(data).kind
        match kind:
            case "roster":
                return _keep(home, "roster", adopt_roster(data, pinned, _current_roster(home, pinned)))
            case "calendar":
                return _keep(home, "calendar", _newer_calendar(home, data, pinned))
            case "codebook":
                return _keep(home, "codebook", adopt(Codebook, "codebook", data, pinned))
    except (NotCanonical, BadSigned) as error:
        return NotAdopted(f"This is not a signed document: {error}. Ask the consortium for the file again.")
    return NotAdopted(f"A {kind} is not adopted. Give a roster, a calendar or a codebook.")


def _keep(
    home: Home, kind: str, taken: Adopted[Roster] | Adopted[Calendar] | Adopted[Codebook] | NotAdopted
) -> Kept | NotAdopted:
    if isinstance(taken, NotAdopted):
        return taken
    label = taken.document.label if isinstance(taken.document, Codebook) else None
    path = home.adopted / (f"codebooks/{label}.json" if label else f"{kind}.json")
    write(path, taken.data)
    return kind, taken


def _current_roster(home: Home, pinned: PublicKey) -> Adopted[Roster] | None:
    path = home.adopted / "roster.json"
    if not path.exists():
        return None
    found = adopt(Roster, "roster", path.read_bytes(), pinned)
    return found if isinstance(found, Adopted) else None


def _newer_calendar(home: Home, data: bytes, pinned: PublicKey) -> Adopted[Calendar] | NotAdopted:
    taken = adopt(Calendar, "calendar", data, pinned)
    path = home.adopted / "calendar.json"
    if isinstance(taken, NotAdopted) or not path.exists():
        return taken
    current = adopt(Calendar, "calendar", path.read_bytes(), pinned)
    if isinstance(current, NotAdopted) or current.digest == taken.digest:
        return taken
    old, new = current.document.calendar, taken.document.calendar
    if old.id == new.id and new.version <= old.version:
        return NotAdopted(
            f"This calendar has version {new.version}, the current one {old.version}. Ask for the newest."
        )
    return taken


def _load(model: type[D], kind: Literal["roster", "calendar", "codebook"], path: Path, pinned: PublicKey) -> Adopted[D]:
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "Adopt what the consortium signed: rondgang coordinator adopt FILE..."
        raise BadHome(f"{path} cannot be read ({type(error).__name__}). {hint}") from error
    try:
        found = adopt(model, kind, data, pinned)
    except BadDocument as error:
        raise BadHome(f"{path}: {error}") from error
    if isinstance(found, NotAdopted):
        raise BadHome(f"{path}: {found.sentence}")
    return found
