"""The node's one source of entropy: the operating system. Noise has its own, inside OpenDP."""

from __future__ import annotations

import secrets

_FINE = 2**32


def seed32() -> bytes:
    """32 fresh bytes, for one signing key."""
    return secrets.token_bytes(32)


def fresh(count: int) -> bytes:
    """So many fresh bytes: for the secrets of an attempt at national sums, and the salts of commitments."""
    return secrets.token_bytes(count)


def token() -> str:
    """256 random bits in hexadecimal, for one control channel."""
    return secrets.token_hex(32)


def fraction() -> float:
    """A number in [0, 1), to spread reconnections. Decides nothing about privacy."""
    return secrets.randbelow(_FINE) / _FINE
