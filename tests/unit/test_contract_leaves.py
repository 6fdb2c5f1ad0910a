"""Ledger entries: leaf hashes of RFC 6962, and where a chain breaks."""

import hashlib

from rondgang.canonical import encode
from rondgang.leaves import GENESIS, first_break, leaf_hash


def _chain(length: int) -> list[bytes]:
    entries: list[bytes] = []
    for number in range(length):
        entries.append(encode({"n": number, "previous": leaf_hash(entries[-1]) if entries else GENESIS}))
    return entries


def test_the_leaf_hash_is_that_of_rfc_6962() -> None:
    # The hash of an empty leaf, as in the test vectors of Certificate Transparency.
    assert leaf_hash(b"") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"x") == hashlib.sha256(b"\x00x").hexdigest()


def test_a_whole_chain_has_no_break() -> None:
    assert first_break([]) is None
    assert first_break(_chain(5)) is None
    assert first_break(_chain(5)[:3]) is None


def test_a_changed_removed_swapped_or_foreign_entry_is_found() -> None:
    chain = _chain(5)
    changed = [*chain[:2], encode({"n": 7, "previous": leaf_hash(chain[1])}), *chain[3:]]
    assert first_break(changed) == 3
    assert first_break(chain[1:]) == 0
    assert first_break([*chain[:2], *chain[3:]]) == 2
    assert first_break([chain[1], chain[0]]) == 0
    assert first_break([*chain[:4], chain[4] + b" "]) == 4
    assert first_break([b"[]"]) == 0
    assert first_break([encode({"n": 0})]) == 0
