"""Signed documents: canonical bytes, what kind of document they are, and who put a name under them.

A signature covers `rondgang/v1/<kind>`, a line feed and the document's canonical bytes, so a signature under one kind
of document is worth nothing under another.
"""

import re
from dataclasses import dataclass
from typing import Self

from rondgang import canonical
from rondgang.canonical import Json, NotCanonical
from rondgang.errors import BadSigned
from rondgang.keys import PublicKey, SigningKey

__all__ = ["KINDS", "BadSigned", "NotCanonical", "Signature", "Signed", "sign", "verify"]

KINDS = frozenset(
    {"roster", "calendar", "codebook", "policy", "programme", "order", "answer", "result", "approval"}
    | {"secure_keys", "participants", "sharing", "survivors", "seen", "national_sum"}
)

_DOMAIN = b"rondgang/v1/"
_HEX_KEY = re.compile(r"[0-9a-f]{64}")
_HEX_VALUE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Signature:
    """One name under a document: the signer's public key (64 hex digits) and the Ed25519 signature (128 hex digits)."""

    key: str
    value: str

    def __post_init__(self) -> None:
        if _HEX_KEY.fullmatch(self.key) is None or _HEX_VALUE.fullmatch(self.value) is None:
            raise BadSigned("a signature is a key of 64 and a value of 128 lowercase hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Signed:
    """A document with its signatures, ordered by key, one for each key; well formed, but **not yet verified**.

    `document` holds canonical bytes (`NotCanonical` otherwise). No signature at all is well formed too: whoever needs
    one finds that `verify` says no. Raises `BadSigned` for an unknown kind and for signatures out of order.
    """

    kind: str
    document: bytes
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadSigned("an unknown kind of document")
        canonical.decode(self.document)
        keys = [signature.key for signature in self.signatures]
        if keys != sorted(set(keys)):
            raise BadSigned("signatures are ordered by key, one for each key")

    @property
    def digest(self) -> str:
        """SHA-256 of the document alone, hexadecimal: the hash by which the document is cited."""
        return canonical.digest(self.document)

    @property
    def signers(self) -> tuple[str, ...]:
        """Public keys (hex) that claim to have signed. A claim only: ask `verify` before believing it."""
        return tuple(signature.key for signature in self.signatures)

    def to_bytes(self) -> bytes:
        """Canonical bytes of the envelope, the document inside as a JSON value."""
        signatures: list[Json] = [{"key": one.key, "value": one.value} for one in self.signatures]
        document = canonical.decode(self.document)
        return canonical.encode({"document": document, "kind": self.kind, "signatures": signatures})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads an envelope. Raises `NotCanonical` or `BadSigned`; no signature is checked here."""
        match canonical.decode(data):
            case {"document": document, "kind": str(kind), "signatures": list(listed), **rest} if not rest:
                signatures = tuple(_signature(one) for one in listed)
                return cls(kind, canonical.encode(document), signatures)
            case _:
                raise BadSigned("a signed document has exactly the keys document, kind and signatures")


def sign(kind: str, document: bytes, *keys: SigningKey) -> Signed:
    """Puts the names of `keys` under canonical bytes. Raises `BadSigned` or `NotCanonical` for others.

    Signing twice with one key gives one signature.
    """
    # Checks kind and form before any key touches the bytes.
    Signed(kind, document, ())
    covered = _covered(kind, document)
    values = {key.public.hex: key.sign(covered).hex() for key in keys}
    return Signed(kind, document, tuple(Signature(key, values[key]) for key in sorted(values)))


def verify(signed: Signed, key: PublicKey) -> bool:
    """Whether `key` signed this document as this kind. Says nothing about whose key it is, or if it is still valid."""
    covered = _covered(signed.kind, signed.document)
    return any(one.key == key.hex and key.verifies(bytes.fromhex(one.value), covered) for one in signed.signatures)


def _covered(kind: str, document: bytes) -> bytes:
    return _DOMAIN + kind.encode("ascii") + b"\n" + document


def _signature(value: Json) -> Signature:
    match value:
        case {"key": str(key), "value": str(text), **rest} if not rest:
            return Signature(key, text)
        case _:
            raise BadSigned("a signature has exactly the keys key and value, both text")
