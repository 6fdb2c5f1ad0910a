"""Hashes of ledger entries.

An entry is one canonical JSON object with a key `previous`: the hash of the entry before it, or `GENESIS` for the
first. The hash is the leaf hash of RFC 6962 section 2.1, so today's chain of entries is already the list of leaves of a
Merkle tree, and an old ledger needs no rewriting when the tree comes.
"""

import hashlib
from collections.abc import Iterable

from rondgang import canonical

GENESIS = "0" * 64
"""What the first entry names as its previous hash."""


def leaf_hash(entry: bytes) -> str:
    """SHA-256(0x00 || entry) as 64 lowercase hexadecimal digits. `entry` is the canonical bytes of one ledger entry."""
    return hashlib.sha256(b"\x00" + entry).hexdigest()


def first_break(entries: Iterable[bytes]) -> int | None:
    """Index (from 0) of the first entry that does not name its predecessor's hash, or None for a whole chain.

    An entry that is not a canonical JSON object is a break too. A chain that lost its tail is whole: only a remembered
    length or hash shows that.
    """
    expected = GENESIS
    for index, entry in enumerate(entries):
        try:
            value = canonical.decode(entry)
        except canonical.NotCanonical:
            return index
        if not isinstance(value, dict) or value.get("previous") != expected:
            return index
        expected = leaf_hash(entry)
    return None
