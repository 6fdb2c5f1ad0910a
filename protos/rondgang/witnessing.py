"""What a witness does with a checkpoint: the rules of c2sp.org/tlog-witness, and ours for a log that was reset.

A witness remembers one checkpoint a region: the last it cosigned. It cosigns a larger one of the same log only after a
consistency proof from there, never a smaller or another one; and it follows a reset to the next epoch only where the
reset's first entry commits to all that this witness has seen. Pure: the caller keeps what is remembered, durably and
before the cosignature leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rondgang import canonical
from rondgang.canonical import NotCanonical
from rondgang.keys import PublicKey
from rondgang.leaves import leaf_hash
from rondgang.merkle import EMPTY_ROOT, extends, includes
from rondgang.notes import BadNote, Checkpoint, Note, signed_by

_HEX_HASH = re.compile(r"[0-9a-f]{64}")


class Why(Enum):
    """Why a witness does not cosign. The value is the name on the wire."""

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    OTHER_REGION = "other_region"
    CLOSED = "closed"
    BAD_PROOF = "bad_proof"
    FORKED = "forked"
    BAD_RESET = "bad_reset"


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint to cosign: the size that the node believes was seen last, the proof from there, the signed note.

    The first checkpoint of a later epoch brings the log's first entry (canonical bytes), and the proof that it is leaf
    0.
    """

    note: Note
    old: int
    proof: tuple[bytes, ...]
    first_entry: bytes = b""
    first_proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """To be remembered and then cosigned. `evidence`: it rests on another history than the one remembered; keep both.

    Only of a reset: two copies of a node may have shown two witnesses two histories of one size. Each of those was
    cosigned by too few, and a reset charges all that was left, so the next epoch may rest on either.
    """

    checkpoint: Checkpoint
    evidence: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """The witness saw another size last: prove from there. A node whose log is smaller than that is behind."""

    size: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not to be cosigned. `evidence`: the region signed what contradicts the remembered checkpoint; keep both notes."""

    why: Why
    evidence: bool = False


Outcome = Accepted | Conflict | Rejected


def consider(held: Checkpoint | None, region: str, keys: Iterable[PublicKey], given: Submission) -> Outcome:
    """What a witness that remembers `held` says to a region; `keys` are the region's live checkpoint keys."""
    try:
        offered = given.note.checkpoint
    except BadNote:
        return Rejected(Why.MALFORMED)
    if offered.region != region:
        return Rejected(Why.OTHER_REGION)
    if not any(signed_by(given.note, offered.origin, key) for key in keys):
        return Rejected(Why.UNKNOWN_KEY)
    if given.old > offered.size:
        return Rejected(Why.MALFORMED)
    if held is None:
        return _from_nothing(offered, given)
    if offered.epoch < held.epoch:
        return Rejected(Why.CLOSED)
    if offered.epoch > held.epoch:
        return _reset(held, offered, given)
    if offered.size == held.size and offered.root != held.root:
        return Rejected(Why.FORKED, evidence=True)
    if given.old != held.size:
        return Conflict(held.size)
    if not extends(held.size, held.root, offered.size, offered.root, given.proof):
        return Rejected(Why.BAD_PROOF, evidence=True)
    return Accepted(offered)


def _from_nothing(offered: Checkpoint, given: Submission) -> Outcome:
    if given.old != 0:
        return Conflict(0)
    whole = extends(0, EMPTY_ROOT, offered.size, offered.root, given.proof)
    return Accepted(offered) if whole else Rejected(Why.BAD_PROOF)


def _reset(held: Checkpoint, offered: Checkpoint, given: Submission) -> Outcome:
    """A later epoch opens only on top of all that was seen of the one before."""
    if given.old != 0:
        return Conflict(0)
    leaf = bytes.fromhex(leaf_hash(given.first_entry))
    if not includes(leaf, 0, offered.size, offered.root, given.first_proof):
        return Rejected(Why.BAD_RESET)
    committed = committed_by(given.first_entry)
    if committed is None or committed[0] != offered.epoch:
        return Rejected(Why.BAD_RESET)
    _epoch, size, root = committed
    # A witness that missed a whole epoch knows nothing of the log that was closed.
    if offered.epoch == held.epoch + 1 and size < held.size:
        return Rejected(Why.BAD_RESET, evidence=True)
    split = offered.epoch == held.epoch + 1 and size == held.size and root != held.root
    return Accepted(offered, evidence=split)


def committed_by(first_entry: bytes) -> tuple[int, int, bytes] | None:
    """(epoch that is opened, size and root of the log that is closed) of a reset's first entry; None for any other."""
    try:
        value = canonical.decode(first_entry)
    except NotCanonical:
        return None
    match value:
        case {
            "seq": int(seq),
            "body": {"event": "reset", "epoch": int(epoch), "old_size": int(size), "old_root": str(root)},
        }:
            # True and False are integers to a match; in canonical bytes they are something else.
            whole = bool not in (type(seq), type(epoch), type(size)) and seq == 0 and epoch >= 2 and size >= 0
            return (epoch, size, bytes.fromhex(root)) if whole and _HEX_HASH.fullmatch(root) else None
        case _:
            return None
