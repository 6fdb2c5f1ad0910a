"""What a witness works by: the adopted roster. A calendar is kept for the evidence, where one is given.

What signed document is in force is decided by the pinned consortium key alone; nothing is taken from the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from rondgang.errors import BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.signed import Signed

from audit.errors import BadHome
from audit.files import write
from audit.home import Home
from policies.documents import BadDocument, Document
from policies.study.adoption import Adopted, NotAdopted, adopt, adopt_roster
from policies.study.calendar import Calendar
from policies.study.roster import Roster

D = TypeVar("D", bound=Document)
Kept = tuple[Literal["roster", "calendar"], Adopted[Roster] | Adopted[Calendar]]


@dataclass(frozen=True, slots=True)
class Study:
    """The documents in force."""

    roster: Adopted[Roster]
    calendar: Adopted[Calendar] | None

    @property
    def papers(self) -> tuple[Signed, ...]:
        """The signed documents, the roster first."""
        found = (self.roster, self.calendar)
        return tuple(Signed.from_bytes(one.data) for one in found if one is not None)


def read_study(home: Home) -> Study:
    """The adopted documents, their signatures checked anew. Raises `BadHome` where one is absent or not genuine."""
    pinned = home.pinned()
    roster = _load(Roster, "roster", home.adopted / "roster.json", pinned)
    calendar = home.adopted / "calendar.json"
    return Study(roster, _load(Calendar, "calendar", calendar, pinned) if calendar.exists() else None)


class LiveStudy:
    """The adopted documents of a running witness: read again as soon as a file changes.

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


def adopt_file(home: Home, data: bytes) -> Kept | NotAdopted:
    """Takes one signed document over and keeps it; a running witness sees it at once.

    A roster never goes back to an older one, nor a calendar to a lower version. Durable on return.
    """
    pinned = home.pinned()
    try:
        kind = Signed.from_bytes(data).kind
    except (NotCanonical, BadSigned) as error:
        return NotAdopted(f"This is not a signed document: {error}. Ask the consortium for the file again.")
    if kind == "roster":
        roster = adopt_roster(data, pinned, _current(Roster, "roster", home, pinned))
        if isinstance(roster, NotAdopted):
            return roster
        write(home.adopted / "roster.json", data)
        return "roster", roster
    if kind == "calendar":
        held = _current(Calendar, "calendar", home, pinned)
        calendar = _newer(adopt(Calendar, "calendar", data, pinned), held)
        if isinstance(calendar, NotAdopted):
            return calendar
        write(home.adopted / "calendar.json", data)
        return "calendar", calendar
    return NotAdopted(f"A witness adopts no {kind}. Give a roster, or a calendar.")


def _newer(taken: Adopted[Calendar] | NotAdopted, held: Adopted[Calendar] | None) -> Adopted[Calendar] | NotAdopted:
    if isinstance(taken, NotAdopted) or held is None or held.digest == taken.digest:
        return taken
    old, new = held.document.calendar, taken.document.calendar
    if old.id == new.id and new.version <= old.version:
        return NotAdopted(
            f"This calendar has version {new.version}, the current one {old.version}. Ask for the newest."
        )
    return taken


def _current(model: type[D], kind: Literal["roster", "calendar"], home: Home, pinned: PublicKey) -> Adopted[D] | None:
    path = home.adopted / f"{kind}.json"
    if not path.exists():
        return None
    found = adopt(model, kind, path.read_bytes(), pinned)
    return found if isinstance(found, Adopted) else None


def _load(model: type[D], kind: Literal["roster", "calendar"], path: Path, pinned: PublicKey) -> Adopted[D]:
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "Adopt what the consortium signed: rondgang audit adopt FILE..."
        raise BadHome(f"{path} cannot be read ({type(error).__name__}). {hint}") from error
    try:
        found = adopt(model, kind, data, pinned)
    except BadDocument as error:
        raise BadHome(f"{path}: {error}") from error
    if isinstance(found, NotAdopted):
        raise BadHome(f"{path}: {found.sentence}")
    return found


def _marks(home: Home) -> tuple[tuple[int, int, int], ...]:
    """What changes with an adoption, which puts a new file in place. Asked for at every call."""
    return tuple(_mark(home.adopted / name) for name in ("roster.json", "calendar.json"))


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
