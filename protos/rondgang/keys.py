"""Ed25519 keys that sign documents (RFC 8032).

A public key is known by its 32 raw bytes, written as 64 lowercase hexadecimal digits. Seeds are arguments: this floor
draws no entropy. TLS keys are another matter, see `rondgang.tls`.
"""

import re
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rondgang.canonical import digest
from rondgang.errors import BadKey

__all__ = ["BadKey", "PublicKey", "SigningKey"]

_HEX_KEY = re.compile(r"[0-9a-f]{64}")
_PRIME = 2**255 - 19
_SMALL_ORDER = 2707385501144840649318225287225658788936804267575313519463743609750303402022
"""y of a point of order 8; with 0, 1, -1 and the negative of this, the only y of small order on Ed25519."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a signing key: 32 raw bytes.

    Raises `BadKey` for another length, for a y that is not reduced and for points of small order: under those one
    signature can fit many documents, so that nobody could be held to what they signed.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise BadKey(f"a public key has 32 bytes, not {len(self.raw)}")
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if y >= _PRIME or y in (0, 1, _PRIME - 1, _SMALL_ORDER, _PRIME - _SMALL_ORDER):
            raise BadKey("a public key of small order or unreduced form signs nothing")

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Reads 64 lowercase hexadecimal digits; raises `BadKey` for anything else."""
        if _HEX_KEY.fullmatch(text) is None:
            raise BadKey("a public key is written as 64 lowercase hexadecimal digits")
        return cls(bytes.fromhex(text))

    @property
    def hex(self) -> str:
        return self.raw.hex()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw key, hexadecimal: what people compare by telephone."""
        return digest(self.raw)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` (64 bytes) is this key's over exactly `data`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key. Its `repr` shows the public half only."""

    seed: bytes = field(repr=False)
    public: PublicKey = field(init=False)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise BadKey(f"a signing key is made from 32 bytes, not {len(self.seed)}")
        raw = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        # The one way to fill a derived field of a frozen dataclass.
        object.__setattr__(self, "public", PublicKey(raw))

    @classmethod
    def generate(cls, seed32: bytes) -> Self:
        """A key from 32 bytes of entropy that the caller drew from the operating system and uses for nothing else."""
        return cls(seed32)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Reads an unencrypted PKCS#8 PEM file; raises `BadKey` if it is not an Ed25519 private key."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
            raise BadKey("not an unencrypted private key in PEM form") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey("a signing key is an Ed25519 key; this is another kind of key")
        return cls(key.private_bytes_raw())

    def to_pem(self) -> bytes:
        """Unencrypted PKCS#8 PEM: write it with mode 0600."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature over `data`; the same data gives the same signature."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(data)
