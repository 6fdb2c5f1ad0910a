"""Vectors of 64-bit integers modulo 2^64, added by the hundred: one big integer instead of a loop over coordinates.

A vector of k coordinates is 8k bytes, little-endian. Every second coordinate gets a lane of 128 bits, so that sums of
up to 2^32 vectors carry into nobody else's lane; a final mask takes them modulo 2^64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache

WORD_BYTES = 8


@lru_cache(maxsize=8)
def _mask(coordinates: int) -> int:
    """64 ones in every lane of 128 bits, for the even (and as many odd) coordinates."""
    lanes = (coordinates + 1) // 2
    return int.from_bytes((b"\xff" * 8 + b"\x00" * 8) * lanes, "little")


@lru_cache(maxsize=8)
def _lift(coordinates: int) -> int:
    """2^96 in every lane: what keeps a difference positive; it vanishes modulo 2^64."""
    lanes = (coordinates + 1) // 2
    return int.from_bytes((b"\x00" * 12 + b"\x01\x00\x00\x00") * lanes, "little")


def total(coordinates: int, plus: Iterable[bytes], minus: Iterable[bytes] = ()) -> bytes:
    """The sum of `plus` less the sum of `minus`, coordinate by coordinate modulo 2^64; all of 8 * coordinates bytes."""
    mask, lift = _mask(coordinates), _lift(coordinates)
    even = odd = lift
    for vector in plus:
        whole = _whole(vector, coordinates)
        even += whole & mask
        odd += (whole >> 64) & mask
    for vector in minus:
        whole = _whole(vector, coordinates)
        even -= whole & mask
        odd -= (whole >> 64) & mask
    joined = (even & mask) | ((odd & mask) << 64)
    return joined.to_bytes(WORD_BYTES * (coordinates + 3), "little")[: WORD_BYTES * coordinates]


def pack(values: Sequence[int]) -> bytes:
    """Signed 64-bit integers as a vector. Raises struct.error for one beyond that."""
    return struct.pack(f"<{len(values)}q", *values)


def unpack(vector: bytes) -> tuple[int, ...]:
    """The coordinates of a vector, read as signed: right where the true sum is below 2^63 in absolute value."""
    return struct.unpack(f"<{len(vector) // WORD_BYTES}q", vector)


def _whole(vector: bytes, coordinates: int) -> int:
    if len(vector) != WORD_BYTES * coordinates:
        raise ValueError("a vector has 8 bytes a coordinate")
    return int.from_bytes(vector, "little")
