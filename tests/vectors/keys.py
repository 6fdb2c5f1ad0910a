"""The test keys. Public knowledge: never enrol one."""

import hashlib

from rondgang.keys import SigningKey


def key(number: int) -> SigningKey:
    """The same key for the same number, always."""
    return SigningKey.generate(hashlib.sha256(b"rondgang test key %d" % number).digest())
