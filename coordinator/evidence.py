"""The desk's bundle of evidence: what it worked by and asked, every checkpoint and answer it was given, and forks.

The file is sealed with the desk's signing key. Orders are made again from the runs: the same key signs the same bytes.
What a region answered holds noisy numbers only; there is nothing else of any household here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rondgang.bundles import frame, seal
from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign

from coordinator.files import write_parts
from coordinator.home import CoordinatorConfig, Home
from coordinator.store import papers, sums
from coordinator.store.papers import Asked
from coordinator.store.store import Store
from coordinator.witness import memory
from policies.documents import from_canonical, to_canonical
from policies.rules import evidence
from policies.rules.evidence import Values
from policies.rules.order import Order
from policies.statistics.programme import Programme


@dataclass(slots=True)
class Exported:
    """What is in a bundle that was written."""

    documents: int = 0
    checkpoints: int = 0
    forks: int = 0
    answers: int = 0


def export(home: Home, store: Store, out: Path, now: int) -> Exported:
    """Writes the bundle to `out`, whole or not at all; a running desk is held up for one reading at a time.

    `now` is the unix second. Raises `BadHome` where a key or certificate is absent.
    """
    exported, key = Exported(), home.signing_key()
    framed = (frame(record) for record in _records(home, store, key, now, exported))
    write_parts(out, seal(framed, key))
    return exported


def _records(home: Home, store: Store, key: SigningKey, now: int, exported: Exported) -> Iterator[Values]:
    yield evidence.header("coordinator", home.config(CoordinatorConfig).name, now, home.pinned().hex)
    _, own, root = home.tls()
    yield evidence.certificate("own", _der(own))
    yield evidence.certificate("root", _der(root))
    runs = store.within(papers.asked)
    for paper in _documents(store, runs, key):
        exported.documents += 1
        yield evidence.document(paper)
    for region in store.within(memory.regions):
        for note in store.within(partial(memory.checkpoints, region=region)):
            exported.checkpoints += 1
            yield evidence.checkpoint(note)
    for fork in store.within(memory.forks):
        exported.forks += 1
        yield evidence.fork(fork.region, fork.why, fork.at, fork.held, fork.offered)
    for asked in runs:
        for came in store.within(partial(papers.received, run=asked.run)):
            exported.answers += 1
            yield evidence.answer(came.region, asked.run, came.received, came.data)


def _documents(store: Store, runs: list[Asked], key: SigningKey) -> Iterator[Signed]:
    """What the desk worked by, in the order in which it came; then each programme and the orders that ask it."""
    yield from store.within(papers.documents)
    for asked in runs:
        programme = Signed.from_bytes(asked.signed_programme)
        yield programme
        order = Order(run=asked.run, programme=programme.digest, issued=asked.opened, deadline=asked.deadline)
        if from_canonical(Programme, programme.document).of_mode("regional"):
            yield sign("order", to_canonical(order), key)
        yield from _attempts(store, order, key)


def _attempts(store: Store, order: Order, key: SigningKey) -> Iterator[Signed]:
    """The order of each attempt at a run's national sums and the documents of its rounds; then the finished sum."""
    for record in store.within(partial(sums.attempts, run=order.run)):
        again = order.model_copy(update={"issued": record.begun, "attempt": record.attempt})
        yield sign("order", to_canonical(again), key)
        yield from store.within(partial(sums.papers, run=order.run, attempt=record.attempt))
    if (finished := store.within(partial(sums.sum_of, run=order.run))) is not None:
        yield Signed.from_bytes(finished.data)


def _der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
