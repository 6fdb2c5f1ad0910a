"""Whether what a region says in a round is what it should be. Pure; nothing is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from rondgang.errors import ContractError
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify

from coordinator.secure.asked import Asked
from policies.documents import BadDocument, Document, from_canonical
from policies.secure.masks import agree
from policies.secure.messages import BoxesSaid, SharesSaid
from policies.secure.rounds import SecureKeys, Seen, spare
from policies.secure.shares import SHARE_BYTES

D = TypeVar("D", bound=Document)

BOX_BYTES = 2 * SHARE_BYTES + 16
"""Two shares under ChaCha20-Poly1305."""


def read_keys(
    asked: Asked, region: str, data: bytes, trusted: Collection[PublicKey], others: Iterable[SecureKeys]
) -> tuple[Signed, SecureKeys] | str:
    """A region's keys for this attempt, signed by one of the keys that are trusted; else a few words of why not."""
    said = _read("secure_keys", SecureKeys, data, trusted)
    if said is None:
        return "no keys signed by the region"
    _, keys = said
    here = (region, asked.run, asked.signed.digest, asked.attempt)
    if (keys.region, keys.run, keys.programme, keys.attempt) != here:
        return "keys of another attempt"
    taken = {key for theirs in others for key in (theirs.mask, theirs.box)}
    if {keys.mask, keys.box} & taken or keys.mask == keys.box or not _usable(keys):
        return "keys that cannot be used"
    return said


def boxes_fit(said: BoxesSaid, receivers: Collection[str]) -> bool:
    """Whether there is one box of the right size for each of these."""
    return set(said.boxes) == set(receivers) and _sizes(said.boxes.values()) <= {BOX_BYTES}


def seen_fits(data: bytes, region: str, survivors: str, trusted: Collection[PublicKey]) -> bool:
    """Whether the region signed this very list of survivors."""
    said = _read("seen", Seen, data, trusted)
    return said is not None and (said[1].region, said[1].survivors) == (region, survivors)


def shares_fit(said: SharesSaid, asked: Asked, survivors: Mapping[str, bytes], lost: Collection[str]) -> bool:
    """Whether these are shares of the right secret of every region, and as many parts of noise as are not needed."""
    return (
        set(said.own) == set(survivors)
        and set(said.lost) == set(lost)
        and _sizes((*said.own.values(), *said.lost.values())) == {SHARE_BYTES}
        and len(said.taken_back) == spare(asked.group, len(survivors))
        and _sizes(said.taken_back) <= {asked.vector_bytes}
    )


def _read(kind: str, model: type[D], data: bytes, trusted: Collection[PublicKey]) -> tuple[Signed, D] | None:
    """A document of this kind that one of these keys signed."""
    try:
        signed = Signed.from_bytes(data)
        document = from_canonical(model, signed.document)
    except (ContractError, BadDocument):
        return None
    return (signed, document) if signed.kind == kind and any(verify(signed, key) for key in trusted) else None


def _usable(keys: SecureKeys) -> bool:
    """Whether something can be agreed with these keys in secret: points of small order would spoil it for everyone."""
    try:
        for public in (keys.mask, keys.box):
            agree(b"\x01" * 32, bytes.fromhex(public), b"check")
    except ValueError:
        return False
    return True


def _sizes(parts: Iterable[bytes]) -> set[int]:
    return {len(part) for part in parts}
