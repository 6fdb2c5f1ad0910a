"""Taking over what the consortium signed: roster, calendar and codebooks, checked against the pinned key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from rondgang.errors import BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify

from policies.documents import Document, from_canonical
from policies.study.roster import Roster

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Adopted(Generic[D]):
    """A document that the pinned key has signed. `digest` is the hash to log; `data` the bytes to keep."""

    document: D
    digest: str
    data: bytes


@dataclass(frozen=True, slots=True)
class NotAdopted:
    """Why a document is not taken over, and what to do about it."""

    sentence: str


def adopt(
    model: type[D], kind: Literal["roster", "calendar", "codebook"], data: bytes, pinned: PublicKey
) -> Adopted[D] | NotAdopted:
    """The document in a signed envelope, if `pinned` (the consortium's key) signed it as this kind.

    Raises `BadDocument` where the signed document does not fit the model: the consortium's fault, not a forgery.
    """
    try:
        signed = Signed.from_bytes(data)
    except (NotCanonical, BadSigned) as error:
        return NotAdopted(f"This is not a signed {kind}: {error}. Ask the consortium for the file again.")
    if signed.kind != kind:
        return NotAdopted(f"This is a signed {signed.kind}, not a {kind}. Give the file of the {kind}.")
    if not verify(signed, pinned):
        return NotAdopted(
            f"This {kind} is not signed by the consortium key pinned here (fingerprint {pinned.fingerprint}). "
            "Ask the consortium for the file again, and compare the fingerprint by telephone."
        )
    return Adopted(from_canonical(model, signed.document), signed.digest, data)


def adopt_roster(data: bytes, pinned: PublicKey, current: Adopted[Roster] | None) -> Adopted[Roster] | NotAdopted:
    """As `adopt`, and never back: the serial must be above that of the current one, unless it is the same roster."""
    taken = adopt(Roster, "roster", data, pinned)
    if isinstance(taken, NotAdopted) or current is None or taken.digest == current.digest:
        return taken
    if taken.document.serial <= current.document.serial:
        return NotAdopted(
            f"This roster has serial {taken.document.serial}, the current one {current.document.serial}. "
            "An older roster could bring revoked members back; ask the consortium for the newest one."
        )
    return taken
