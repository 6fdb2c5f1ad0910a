"""A witness's bundle of evidence: what it worked by, everything it cosigned, and the forks it was shown.

The file is sealed with the key that cosigns. It holds sizes, hashes and signatures only, nothing of any household.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rondgang.bundles import frame, seal

from audit.files import write_parts
from audit.home import Home
from audit.witness.store import Store
from policies.rules import evidence
from policies.rules.evidence import Values


@dataclass(slots=True)
class Exported:
    """What is in a bundle that was written."""

    documents: int = 0
    checkpoints: int = 0
    forks: int = 0


def export(home: Home, store: Store, out: Path, now: int) -> Exported:
    """Writes the bundle to `out`, whole or not at all; a running witness is not held up. `now` is the unix second.

    Raises `BadHome` where a key or certificate is absent.
    """
    exported = Exported()
    framed = (frame(record) for record in _records(home, store, now, exported))
    write_parts(out, seal(framed, home.signing_key()))
    return exported


def _records(home: Home, store: Store, now: int, exported: Exported) -> Iterator[Values]:
    yield evidence.header("witness", home.config().name, now, home.pinned().hex)
    _, own, root = home.tls()
    yield evidence.certificate("own", _der(own))
    yield evidence.certificate("root", _der(root))
    for paper in store.documents():
        exported.documents += 1
        yield evidence.document(paper)
    for region in store.regions():
        for note in store.checkpoints(region):
            exported.checkpoints += 1
            yield evidence.checkpoint(note)
    for fork in store.forks():
        exported.forks += 1
        yield evidence.fork(fork.region, fork.why, fork.at, fork.held, fork.offered)


def _der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
