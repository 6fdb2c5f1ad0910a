"""Bundles of evidence: a file of length-prefixed canonical records, the last one a signature over all before.

A record is its length in four bytes (big-endian) and that many bytes of canonical JSON: an object with a key `record`
that names its type. The last record is

    {"digests": <16 hex digits of SHA-256 for each record before, in order>, "key": <hex>, "record": "signature",
     "value": <Ed25519 over `rondgang/v1/bundle`, a line feed, and the SHA-256 of every byte before this record
     and of the digests text>}

so that one changed byte breaks the signature, and the digests tell which record it is in. What types of record there
are is the business of whoever writes and reads them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rondgang import canonical
from rondgang.canonical import Json
from rondgang.errors import BadBundle, BadKey, NotCanonical
from rondgang.keys import PublicKey, SigningKey

__all__ = ["BadBundle", "Record", "Seal", "frame", "records", "seal", "seal_of"]

MOST_RECORD_BYTES = 64 * 2**20
_PREFIX_BYTES = 4
_DIGEST_DIGITS = 16
_DOMAIN = b"rondgang/v1/bundle\n"
_HEX_VALUE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in a bundle: its place (from 0), the byte where it begins, its bytes and their value."""

    number: int
    offset: int
    data: bytes
    value: dict[str, Json]

    @property
    def type(self) -> str:
        return str(self.value["record"])


@dataclass(frozen=True, slots=True)
class Seal:
    """What the last record of a bundle says, against the records before it.

    `changed` is the first record that is not the one that was sealed, or None; `whole` whether key and value hold.
    """

    key: str
    whole: bool
    changed: int | None


def frame(value: dict[str, Json]) -> bytes:
    """One record's bytes, with its length before it. Raises `NotCanonical`."""
    data = canonical.encode(value)
    return len(data).to_bytes(_PREFIX_BYTES, "big") + data


def seal(framed: Iterable[bytes], key: SigningKey) -> Iterator[bytes]:
    """The same framed records, and after them the signature over all of them. Reads them once."""
    total, digests = hashlib.sha256(), []
    for one in framed:
        total.update(one)
        digests.append(_digest(one[_PREFIX_BYTES:]))
        yield one
    listed = "".join(digests)
    value = key.sign(_sealed(total.digest(), listed)).hex()
    yield frame({"digests": listed, "key": key.public.hex, "record": "signature", "value": value})


def records(data: bytes) -> Iterator[Record]:
    """Every record of a bundle, in order. Raises `BadBundle` with the record and byte where it stops making sense."""
    offset, number = 0, 0
    while offset < len(data):
        body = offset + _PREFIX_BYTES
        length = int.from_bytes(data[offset:body], "big")
        if body > len(data) or not 0 < length <= MOST_RECORD_BYTES or body + length > len(data):
            raise BadBundle(
                "its length runs beyond the end: the file is cut off, or a length was changed", number, offset
            )
        content = data[body : body + length]
        try:
            value = canonical.decode(content)
        except NotCanonical as error:
            raise BadBundle(f"it is not canonical: {error.reason}", number, offset) from None
        if not isinstance(value, dict) or not isinstance(value.get("record"), str):
            raise BadBundle("it does not say what record it is", number, offset)
        yield Record(number, offset, content, value)
        offset, number = body + length, number + 1


def seal_of(found: list[Record], data: bytes) -> Seal | None:
    """What the last of the records of `data` seals; None where it is no signature."""
    if not found:
        return None
    match found[-1].value:
        case {"digests": str(listed), "key": str(key), "record": "signature", "value": str(value), **rest} if not rest:
            before = found[:-1]
            changed = _first_change(before, listed)
            total = hashlib.sha256(data[: found[-1].offset]).digest()
            return Seal(key, changed is None and _holds(key, value, _sealed(total, listed)), changed)
        case _:
            return None


def _first_change(before: list[Record], listed: str) -> int | None:
    for record in before:
        start = record.number * _DIGEST_DIGITS
        if listed[start : start + _DIGEST_DIGITS] != _digest(record.data):
            return record.number
    return None if len(listed) == len(before) * _DIGEST_DIGITS else len(before)


def _holds(key: str, value: str, data: bytes) -> bool:
    # One spelling only: a signature that is respelt is a changed byte that nobody would see.
    if _HEX_VALUE.fullmatch(value) is None:
        return False
    try:
        return PublicKey.from_hex(key).verifies(bytes.fromhex(value), data)
    except BadKey:
        return False


def _sealed(total: bytes, listed: str) -> bytes:
    return _DOMAIN + total + hashlib.sha256(listed.encode("utf-8")).digest()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGEST_DIGITS]
