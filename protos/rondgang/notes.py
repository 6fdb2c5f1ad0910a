"""Signed notes and checkpoints: what a log says about itself, in the formats of C2SP.

A note (c2sp.org/signed-note) is text that ends in a line feed, an empty line, and signature lines
`— <name> <base64 of key id and signature>`. A checkpoint (c2sp.org/tlog-checkpoint) is a note whose text is the lines
origin, size and base64 root. A witness adds a timestamped cosignature (c2sp.org/tlog-cosignature).

The origin of a region's log is `<region>/<epoch>`, epochs from 1, and it is also the name under which the region's
checkpoint key signs. The name of a witness follows from its key (`witness_name`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from typing import Self

from rondgang.errors import BadNote
from rondgang.keys import PublicKey, SigningKey
from rondgang.merkle import HASH_BYTES

__all__ = ["BadNote", "Checkpoint", "Note", "NoteSignature", "cosign", "cosigned_at", "sign_checkpoint", "signed_by"]

_ED25519, _COSIGNATURE = 0x01, 0x04
_KEY_ID_BYTES, _TIME_BYTES, _SIGNATURE_BYTES = 4, 8, 64
_MOST_BYTES = 20_000
_MOST_SIGNATURES = 100
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_ORIGIN = re.compile(r"([A-Z]{2,4})/([1-9][0-9]{0,8})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at one size. Raises `BadNote` for an origin that is not `<region>/<epoch>` or a root of other length."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if _ORIGIN.fullmatch(self.origin) is None:
            raise BadNote("an origin is a region code, a slash and an epoch, such as FR/1")
        if not 0 <= self.size < 2**63 or len(self.root) != HASH_BYTES:
            raise BadNote("a checkpoint has a size of at most 63 bits and a root of 32 bytes")

    @property
    def region(self) -> str:
        return self.origin.partition("/")[0]

    @property
    def epoch(self) -> int:
        return int(self.origin.partition("/")[2])

    @property
    def text(self) -> str:
        """The note's text (c2sp.org/tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads a note's text. Raises `BadNote` for anything that `text` does not write, extension lines included."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or _SIZE.fullmatch(lines[1]) is None:
            raise BadNote("a checkpoint's text is three lines: origin, size and root")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError:
            raise BadNote("a checkpoint's root is base64") from None
        found = cls(lines[0], int(lines[1]), root)
        if found.text != text:
            raise BadNote("a checkpoint's root has another spelling in base64")
        return found


def origin(region: str, epoch: int) -> str:
    """The origin of a region's log; epochs count from 1, a reset opens the next."""
    return f"{region}/{epoch}"


def witness_name(key: PublicKey) -> str:
    """The name under which a witness cosigns: it follows from the key, so that no list of names is needed."""
    return f"witness-{key.fingerprint[:16]}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: a name, the first four bytes of the key's id, and what the algorithm adds."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.value).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read: well formed, **not yet verified**. Signatures of unknown keys are allowed and ignored."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_text(self) -> str:
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says. Raises `BadNote` where it is not a checkpoint of ours."""
        return Checkpoint.from_text(self.text)

    def with_signature(self, signature: NoteSignature) -> Self:
        """The note with one more line; the same line again changes nothing."""
        if signature in self.signatures:
            return self
        return replace(self, signatures=(*self.signatures, signature))

    @classmethod
    def parse(cls, data: str) -> Self:
        """Reads a note (c2sp.org/signed-note). Raises `BadNote`."""
        try:
            length = len(data.encode("utf-8"))
        except UnicodeEncodeError:
            raise BadNote("a note is UTF-8, and has no lone surrogates") from None
        text, gap, lines = data.rpartition("\n\n")
        if not gap or length > _MOST_BYTES:
            raise BadNote("a note is text, an empty line and signatures, of at most 20,000 bytes")
        if any(ord(char) < 0x20 and char != "\n" for char in data) or not lines.endswith("\n"):
            raise BadNote("a note has no control characters, and ends with a line feed")
        found = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if not 1 <= len(found) <= _MOST_SIGNATURES:
            raise BadNote("a note has 1 to 100 signatures")
        return cls(text + "\n", found)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> Note:
    """A checkpoint signed by the log's own key, under its origin as name."""
    name = checkpoint.origin
    value = key.sign(checkpoint.text.encode("utf-8"))
    return Note(checkpoint.text, (NoteSignature(name, key_id(name, _ED25519, key.public), value),))


def signed_by(note: Note, name: str, key: PublicKey) -> bool:
    """Whether `key` signed the note under `name` with a plain Ed25519 signature."""
    wanted = key_id(name, _ED25519, key)
    text = note.text.encode("utf-8")
    return any(
        one.name == name and one.key_id == wanted and key.verifies(one.value, text)
        for one in note.signatures
        if len(one.value) == _SIGNATURE_BYTES
    )


def cosign(note: Note, key: SigningKey, time: int) -> NoteSignature:
    """A witness's cosignature, made at `time` (unix seconds): c2sp.org/tlog-cosignature, version 1."""
    name = witness_name(key.public)
    value = time.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned(note.text, time))
    return NoteSignature(name, key_id(name, _COSIGNATURE, key.public), value)


def cosigned_at(note: Note, key: PublicKey) -> int | None:
    """The time (unix seconds) of this key's valid cosignature on the note, the latest if there are several, or None."""
    name = witness_name(key)
    wanted = key_id(name, _COSIGNATURE, key)
    times = [
        time
        for one in note.signatures
        if one.name == name and one.key_id == wanted and (time := _verified_time(note.text, one, key)) is not None
    ]
    return max(times, default=None)


def key_id(name: str, algorithm: int, key: PublicKey) -> bytes:
    """The first four bytes of SHA-256(name || 0x0A || algorithm || key) (c2sp.org/signed-note)."""
    return hashlib.sha256(name.encode("utf-8") + b"\n" + bytes([algorithm]) + key.raw).digest()[:_KEY_ID_BYTES]


def _verified_time(text: str, signature: NoteSignature, key: PublicKey) -> int | None:
    if len(signature.value) != _TIME_BYTES + _SIGNATURE_BYTES:
        return None
    time = int.from_bytes(signature.value[:_TIME_BYTES], "big")
    return time if key.verifies(signature.value[_TIME_BYTES:], _cosigned(text, time)) else None


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _signature(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or _NAME.fullmatch(parts[1]) is None:
        raise BadNote("a signature line is a dash, a name and base64, with single spaces")
    try:
        data = base64.b64decode(parts[2], validate=True)
    except ValueError:
        raise BadNote("a signature line ends in base64") from None
    if len(data) <= _KEY_ID_BYTES or base64.b64encode(data).decode("ascii") != parts[2]:
        raise BadNote("a signature is a key id of four bytes and more, in base64's one spelling")
    return NoteSignature(parts[1], data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])
