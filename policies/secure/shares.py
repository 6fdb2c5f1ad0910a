"""Shamir's secret sharing over the integers modulo 2^521 - 1 (Shamir 1979), for secrets of 32 bytes.

Any `threshold` shares give the secret back; fewer say nothing about it. Randomness is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

PRIME = 2**521 - 1
SECRET_BYTES, SHARE_BYTES = 32, 66
Entropy = Callable[[int], bytes]
"""So many bytes from the operating system."""


def split(secret: bytes, places: tuple[int, ...], threshold: int, entropy: Entropy) -> dict[int, bytes]:
    """One share (66 bytes) for each place, any `threshold` of which give the secret (32 bytes) back.

    Places are different whole numbers from 1. Raises ValueError otherwise.
    """
    if len(secret) != SECRET_BYTES or not 1 <= threshold <= len(places) or len(set(places)) < len(places):
        raise ValueError("a secret has 32 bytes, and as many different places as the threshold or more")
    if min(places) < 1:
        raise ValueError("places count from 1: at 0 stands the secret")
    # 600 bits modulo a prime of 521: within 2^-79 of uniform.
    rest = [int.from_bytes(entropy(75), "big") % PRIME for _ in range(threshold - 1)]
    coefficients = [*rest, int.from_bytes(secret, "big")]
    return {place: _at(coefficients, place).to_bytes(SHARE_BYTES, "big") for place in places}


def combine(shares: Mapping[int, bytes], threshold: int) -> bytes | None:
    """The secret from shares by place: of the first `threshold` of them, checked against the rest.

    None where they are too few, or do not lie on one polynomial of a secret of 32 bytes: somebody sent a wrong share.
    """
    points = sorted((place, int.from_bytes(share, "big")) for place, share in shares.items())
    if len(points) < threshold or any(not 0 <= value < PRIME for _, value in points):
        return None
    base, more = points[:threshold], points[threshold:]
    secret = _interpolate(base, 0)
    if secret >= 1 << (8 * SECRET_BYTES) or any(_interpolate(base, place) != value for place, value in more):
        return None
    return secret.to_bytes(SECRET_BYTES, "big")


def _at(coefficients: list[int], place: int) -> int:
    """The polynomial at a place, the highest power first (Horner)."""
    value = 0
    for coefficient in coefficients:
        value = (value * place + coefficient) % PRIME
    return value


def _interpolate(points: list[tuple[int, int]], at: int) -> int:
    """The polynomial through the points, at a place (Lagrange)."""
    found = 0
    for place, value in points:
        above = below = 1
        for other, _ in points:
            if other != place:
                above = above * (at - other) % PRIME
                below = below * (place - other) % PRIME
        found += value * above * pow(below, -1, PRIME)
    return found % PRIME
