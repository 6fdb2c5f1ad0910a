"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1), its proofs, and their verification.

Hashes are 32 raw bytes. A leaf's hash is SHA-256(0x00 || entry), see `rondgang.leaves`; an inner node's is
SHA-256(0x01 || left || right). Proofs are lists of hashes, those nearest the leaves first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """An append-only tree that keeps the hash of every complete subtree: about 64 bytes a leaf, proofs in O(log n).

    Roots and proofs may be asked for any earlier size. Raises IndexError for sizes and places that the tree has not.
    """

    __slots__ = ("_levels", "_size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self._size = 0
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        return self._size

    def append(self, leaf: bytes) -> None:
        """Adds one leaf by its hash (32 bytes)."""
        if len(leaf) != HASH_BYTES:
            raise ValueError("a leaf is added by its hash of 32 bytes")
        self._levels[0] += leaf
        self._size += 1
        level = 0
        while (self._size >> level) & 1 == 0:
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())
            below = self._levels[level]
            pair = below[-2 * HASH_BYTES :]
            self._levels[level + 1] += node_hash(bytes(pair[:HASH_BYTES]), bytes(pair[HASH_BYTES:]))
            level += 1

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf, from 0."""
        if not 0 <= index < self._size:
            raise IndexError(f"the tree has {self._size} leaves")
        return self._at(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves; over all of them where no size is given."""
        wanted = self._size if size is None else size
        self._check(wanted)
        return self._range(0, wanted) if wanted else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The proof that leaf `index` is in the tree of the first `size` leaves (RFC 6962 section 2.1.1)."""
        wanted = self._size if size is None else size
        self._check(wanted)
        if not 0 <= index < wanted:
            raise IndexError("no such leaf in a tree of that size")
        return tuple(self._path(index, 0, wanted))

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """The proof that the first `old` leaves are the beginning of the first `size` (RFC 6962 section 2.1.2).

        Empty for `old` of 0 or `size`.
        """
        wanted = self._size if size is None else size
        self._check(wanted)
        if not 0 <= old <= wanted:
            raise IndexError("a tree is not consistent with a larger one")
        return tuple(self._subproof(old, 0, wanted, whole=True)) if 0 < old < wanted else ()

    def _check(self, size: int) -> None:
        if not 0 <= size <= self._size:
            raise IndexError(f"the tree has {self._size} leaves")

    def _at(self, level: int, place: int) -> bytes:
        start = place * HASH_BYTES
        return bytes(self._levels[level][start : start + HASH_BYTES])

    def _range(self, begin: int, end: int) -> bytes:
        """The hash over leaves begin..end-1, of which `begin` is a multiple of the next power of two."""
        count = end - begin
        level = count.bit_length() - 1
        if count == 1 << level:
            return self._at(level, begin >> level)
        middle = begin + (1 << level)
        return node_hash(self._at(level, begin >> level), self._range(middle, end))

    def _path(self, index: int, begin: int, end: int) -> list[bytes]:
        if end - begin == 1:
            return []
        middle = begin + _split(end - begin)
        if index < middle:
            return [*self._path(index, begin, middle), self._range(middle, end)]
        return [*self._path(index, middle, end), self._range(begin, middle)]

    def _subproof(self, old: int, begin: int, end: int, *, whole: bool) -> list[bytes]:
        if begin + old == end:
            return [] if whole else [self._range(begin, end)]
        split = _split(end - begin)
        middle = begin + split
        if old <= split:
            return [*self._subproof(old, begin, middle, whole=whole), self._range(middle, end)]
        return [*self._subproof(old - split, middle, end, whole=False), self._range(begin, middle)]


def includes(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `leaf` (a hash) is leaf `index` of the tree of `size` with this root (RFC 9162 section 2.1.3.2).

    Anything that is not 32 bytes long is no hash, and proves nothing.
    """
    if not 0 <= index < size or not _hashes(leaf, root, *proof):
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place & 1 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` begins with the tree of `old` leaves (RFC 9162 section 2.1.4.2).

    Every tree extends the empty one, and itself, by an empty proof. Anything that is not 32 bytes long is no hash, and
    proves nothing.
    """
    if not 0 <= old <= size or not _hashes(old_root, root, *proof):
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (size > 0 or root == EMPTY_ROOT)
    if old == size:
        return not proof and old_root == root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while place & 1 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def _hashes(*found: bytes) -> bool:
    """Whether each is as long as a hash: a shorter and a longer one can be joined to the bytes of another pair."""
    return all(len(one) == HASH_BYTES for one in found)


def _split(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << (count - 1).bit_length() - 1
