"""The adopted documents on disk: what the ledger says is in force, checked against the pinned key each time it is read.

The ledger comes first. A new document is laid beside the old one (`.next`), its hash is logged, and then it takes the
old one's place; after a crash in between, `load` finishes or drops the exchange by what the ledger says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rondgang.errors import ContractError
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify

from node.errors import BadDelivery
from node.files import sync_folder, write_private
from node.home import Home
from policies.documents import BadDocument, Document, from_canonical
from policies.rules.entries import Adopted as AdoptedEvent
from policies.rules.region_policy import RegionPolicy
from policies.study.adoption import Adopted
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster, steward_keys

D = TypeVar("D", bound=Document)
MODELS: Mapping[str, type[Document]] = {
    "roster": Roster,
    "calendar": Calendar,
    "codebook": Codebook,
    "policy": RegionPolicy,
}


@dataclass(frozen=True, slots=True)
class Documents:
    """What is in force; `codebooks` by hash, `signed` all of them as they came. None where nothing was adopted yet."""

    roster: Adopted[Roster] | None = None
    calendar: Adopted[Calendar] | None = None
    policy: Adopted[RegionPolicy] | None = None
    codebooks: Mapping[str, Codebook] = field(default_factory=dict)
    signed: tuple[Signed, ...] = ()


def load(home: Home, in_force: Iterable[AdoptedEvent], steward: PublicKey | None) -> Documents:
    """The documents that the ledger names. Raises BadDelivery where a file is absent, altered or not duly signed.

    A policy is signed by a steward of the region on the roster, out of date by now or not; or by `steward`, the home's
    own key, if there is one.
    """
    pinned, code = home.pinned(), home.config().region
    roster: Adopted[Roster] | None = None
    calendar: Adopted[Calendar] | None = None
    policy: Adopted[RegionPolicy] | None = None
    codebooks: dict[str, Adopted[Codebook]] = {}
    # The roster comes first: it says who may sign a policy.
    for event in sorted(in_force, key=lambda event: event.kind != "roster"):
        path = file_of(home, event)
        match event.kind:
            case "roster":
                roster = _read(Roster, path, event, pinned)
            case "calendar":
                calendar = _read(Calendar, path, event, pinned)
            case "policy":
                listed = () if roster is None else steward_keys(roster.document, code)
                own = () if steward is None else (steward,)
                policy = _read(RegionPolicy, path, event, *own, *listed)
            case "codebook":
                codebooks[event.hash] = _read(Codebook, path, event, pinned)
    taken = [one for one in (roster, calendar, *codebooks.values(), policy) if one is not None]
    signed = tuple(Signed.from_bytes(one.data) for one in taken)
    return Documents(roster, calendar, policy, {key: one.document for key, one in codebooks.items()}, signed)


def lying(home: Home) -> tuple[AdoptedEvent, ...]:
    """What lies in `adopted/`, as if it were in force: for a home whose ledger cannot say. `load` checks signatures.

    Raises BadDelivery for a file that is no document of its kind.
    """
    paths = [home.adopted / f"{kind}.json" for kind in ("roster", "calendar", "policy")]
    paths += sorted((home.adopted / "codebooks").glob("*.json"))
    return tuple(_event(path) for path in paths if path.exists())


def event_of(signed: Signed, document: Document) -> AdoptedEvent:
    """The entry that puts a signed document into force: the roster under its serial, others under id and version."""
    match document:
        case Roster():
            name = str(document.serial)
        case Calendar():
            name = f"{document.calendar.id}@{document.calendar.version}"
        case Codebook():
            name = document.label
        case RegionPolicy():
            name = str(document.policy.version)
        case _:
            raise TypeError("not a document that a region adopts")
    return AdoptedEvent.model_validate({"event": "adopted", "kind": signed.kind, "name": name, "hash": signed.digest})


def file_of(home: Home, event: AdoptedEvent) -> Path:
    """Where a document stands: `adopted/<kind>.json`, or `adopted/codebooks/<id>@<version>.json`."""
    if event.kind == "codebook":
        return home.adopted / "codebooks" / f"{event.name}.json"
    return home.adopted / f"{event.kind}.json"


def lay_beside(path: Path, data: bytes) -> None:
    """Durably keeps a document that is about to be logged."""
    write_private(_next(path), data)


def put_in_place(path: Path) -> None:
    """The logged document takes the place of the one before it. Durable on return."""
    _next(path).replace(path)
    sync_folder(path.parent)


def _next(path: Path) -> Path:
    return path.with_name(path.name + ".next")


def _read(model: type[D], path: Path, event: AdoptedEvent, *signers: PublicKey) -> Adopted[D]:
    waiting = _signed(_next(path))
    if waiting is not None:
        if waiting.digest == event.hash:
            put_in_place(path)
        else:
            _next(path).unlink()
    signed = _signed(path)
    if signed is None or signed.digest != event.hash:
        raise BadDelivery(f"{path} is not the {event.kind} that was adopted. Put that file back, or adopt it again.")
    if signed.kind != event.kind or not any(verify(signed, signer) for signer in signers):
        raise BadDelivery(f"{path} does not carry the signature that it was adopted with. Put that file back.")
    try:
        return Adopted(from_canonical(model, signed.document), signed.digest, signed.to_bytes())
    except BadDocument as error:
        raise BadDelivery(f"{path} cannot be read by this version: {error}") from error


def _event(path: Path) -> AdoptedEvent:
    signed = _signed(path)
    if signed is None or signed.kind not in MODELS:
        raise BadDelivery(f"{path} is not a signed document. Put the right file back, or take this one away.")
    try:
        return event_of(signed, from_canonical(MODELS[signed.kind], signed.document))
    except BadDocument as error:
        raise BadDelivery(f"{path} cannot be read by this version: {error}") from error


def _signed(path: Path) -> Signed | None:
    try:
        return Signed.from_bytes(path.read_bytes())
    except (OSError, ContractError):
        return None
