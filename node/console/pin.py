"""The steward's PIN for the screen: kept as a slow hash, tried ever more slowly.

HOME/console.json   salt and scrypt hash (RFC 7914) of the PIN, and how often it was tried in vain

Tries are counted on disk before they are compared, so that neither a restart nor a kill gives any back. After FREE
failures each next try waits twice as long as the one before, up to an hour: at most some nine thousand a year.
"""

from __future__ import annotations

import hmac
import json
import threading
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Field

from node.entropy import fresh
from node.errors import BadHome
from node.files import write_private
from node.home import Home
from policies.documents import Document

LEAST, MOST = 6, 64
"""Characters of a PIN."""
FREE = 3
FIRST_WAIT_S, LONGEST_WAIT_S = 30, 3600
_COST, _BLOCK, _LANES = 2**15, 8, 1


class Kept(Document):
    """What is kept of a PIN. `failures` since the last success, `last` when the last of them began (unix seconds)."""

    salt: str = Field(pattern=r"^[0-9a-f]{64}$")
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    failures: int = Field(default=0, ge=0)
    last: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many tries: the next one may begin after so many seconds."""

    seconds: int


Outcome = Literal["right", "wrong", "none"] | Wait


class Pin:
    """The PIN of one home. Safe for several threads: tries are made one after another."""

    def __init__(self, home: Home) -> None:
        self._path = home.root / "console.json"
        self._lock = threading.Lock()

    @property
    def there(self) -> bool:
        return self._path.is_file()

    def set(self, pin: str) -> None:
        """Keeps a new PIN in the place of an older one. Durable on return.

        Raises ValueError unless it has LEAST to MOST characters, two of them different.
        """
        if not LEAST <= len(pin) <= MOST or len(set(pin)) < 2:
            raise ValueError(f"expected {LEAST} to {MOST} characters, not all the same")
        salt = fresh(32)
        with self._lock:
            self._write(Kept(salt=salt.hex(), hash=_hashed(pin, salt).hex()))

    def attempt(self, pin: str, now: int) -> Outcome:
        """Whether this is the PIN; `now` in unix seconds. Raises BadHome where the file cannot be used.

        A try that must wait is not compared and not counted. A clock that was set back makes nothing shorter.
        """
        with self._lock:
            if not self.there:
                return "none"
            kept = self._read()
            if (left := waiting(kept, now)) > 0:
                return Wait(left)
            self._write(kept.model_copy(update={"failures": kept.failures + 1, "last": max(now, kept.last)}))
            if not hmac.compare_digest(_hashed(pin[: MOST + 1], bytes.fromhex(kept.salt)), bytes.fromhex(kept.hash)):
                return "wrong"
            self._write(kept.model_copy(update={"failures": 0}))
            return "right"

    def _read(self) -> Kept:
        try:
            return Kept.model_validate_json(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise BadHome(f"{self._path}: cannot be used; set the PIN again ({type(error).__name__})") from error

    def _write(self, kept: Kept) -> None:
        write_private(self._path, json.dumps(kept.model_dump()).encode("ascii"))


def waiting(kept: Kept, now: int) -> int:
    """How many seconds must pass before the next try; 0 for none."""
    if kept.failures < FREE:
        return 0
    pause: int = min(LONGEST_WAIT_S, FIRST_WAIT_S << min(kept.failures - FREE, 12))
    return max(0, min(pause, kept.last + pause - now))


def _hashed(pin: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_LANES).derive(pin.encode("utf-8"))
