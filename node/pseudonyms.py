"""Keyed pseudonyms: how import knows a household again, in a later wave or another cohort, without keeping its id.

HMAC-SHA-256 (RFC 2104, FIPS 180-4) of the id under 32 random bytes in HOME/keys/pseudonyms.key. The key is made at
first need and never leaves the home; pseudonyms stand in a snapshot's ids.parquet and in the registry, nowhere else.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from node import entropy
from node.errors import BadHome
from node.files import PRIVATE_FILE, make_folder, sync_folder

SIZE = 32
"""Bytes of the key, and of a pseudonym."""
FILE = Path("keys", "pseudonyms.key")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms under one key, which is never shown."""

    key: bytes = field(repr=False)

    def of(self, kind: Literal["household", "person", "stable"], *parts: str | bytes) -> bytes:
        """The pseudonym of an id. Different kinds, and different parts, give unrelated ones."""
        return self._keyed(kind, *parts)

    @property
    def check(self) -> str:
        """Tells keys apart, and says nothing about them: 32 hexadecimal digits."""
        return self._keyed("key").hex()[:SIZE]

    def _keyed(self, *parts: str | bytes) -> bytes:
        given = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in parts]
        # Each part behind its length: no two lists of parts are one message.
        return hmac.digest(self.key, b"".join(len(part).to_bytes(8, "big") + part for part in given), "sha256")


def pseudonyms(home: Path) -> Pseudonyms:
    """Those of this home, under its key; made, and durable on return, where there was none.

    Raises BadHome for a key that cannot be used, and OSError from making one.
    """
    path = home / FILE
    if not path.exists():
        _make(path)
    try:
        key = path.read_bytes()
    except OSError as error:
        raise BadHome(f"{path}: cannot be read ({type(error).__name__})") from error
    if len(key) != SIZE:
        raise BadHome(f"{path}: expected {SIZE} bytes. Put the right file back; without it no wave can be added.")
    return Pseudonyms(key)


def on_trial(home: Path) -> Pseudonyms:
    """Those of this home; where it has no key yet, under one that is thrown away. Writes nothing. Raises BadHome."""
    return pseudonyms(home) if (home / FILE).exists() else Pseudonyms(entropy.fresh(SIZE))


def _make(path: Path) -> None:
    """Two that make it at once end up with one key: whoever names the file first."""
    make_folder(path.parent)
    own = path.with_name(f".{path.name}.{entropy.token()[:16]}")
    handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(entropy.fresh(SIZE))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(own, path)
        except FileExistsError:
            return
    finally:
        own.unlink(missing_ok=True)
    sync_folder(path.parent)
