"""Inputs that once broke a decoder, made from what was wrong with them.

python -m tests.fuzz.regressions      puts them in the corpus
"""

from __future__ import annotations

import base64

from tests.fuzz.corpus import keep
from tests.fuzz.run import Fault
from tests.fuzz.seeds import seeds

_P256 = bytes.fromhex("06082a8648ce3d030107")
"""The object identifier of the curve P-256 (RFC 5480), in DER."""
_NO_CURVE = bytes.fromhex("06082a8648ce3d030163")
"""One that no curve has."""
_ED25519, _NO_KEY = bytes.fromhex("06032b6570"), bytes.fromhex("06032b6563")


def _other_curve(pem: bytes) -> bytes:
    """The same PEM with a kind of key that no library knows."""
    head, *body, foot = pem.strip().split(b"\n")
    der = base64.b64decode(b"".join(body)).replace(_P256, _NO_CURVE).replace(_ED25519, _NO_KEY)
    return b"\n".join((head, base64.b64encode(der), foot, b""))


def faults() -> list[Fault]:
    """Each with the exception that it ended in."""
    held = seeds()
    unsupported = [
        Fault(name, "UnsupportedAlgorithm", "", _other_curve(held[name][0]))
        for name in ("certificate", "certificate_request", "signing_key")
    ]
    archive = held["backup_archive"][0]
    return [
        *unsupported,
        Fault("rows", "InvalidOperation", "", held["rows"][0].replace(b'"rho": "1"', b'"rho": "one"')),
        Fault("rows", "a gigabyte of zeros", "", held["rows"][0].replace(b'"rho": "1"', b'"rho": "1e999999999"')),
        Fault("trends", "RecursionError", "", b"[" * 20_000),
        Fault("backup_archive", "UnicodeDecodeError", "", archive.replace(b'"keys"', b'\xa2keys"')),
        Fault("backup_archive", "TypeError", "", archive.replace(b'"keys"', b'"kays"')),
    ]


if __name__ == "__main__":
    print("\n".join(keep(faults())))
