"""The region's bundle of evidence: everything an auditor needs, in public bytes, sealed with the checkpoint key.

It is read from the files beside whoever writes them, each in one read transaction, and checks nothing: evidence must
not depend on what this node thinks of its own ledger. No answer is in it, only the hashes of answers.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rondgang import canonical
from rondgang.bundles import frame, seal
from rondgang.canonical import Json
from rondgang.errors import BadKey, ContractError
from rondgang.keys import PublicKey
from rondgang.signed import Signature, Signed, verify

from node.closed import closed_files
from node.errors import BadHome, BrokenLedger, DiskFault, HomeBusy
from node.files import PRIVATE_FILE, sync_folder
from node.home import Home
from node.ledger.log import reading
from node.ledger.schema import beside, connect, schema_of
from node.lock import exclusive
from node.operations import flush
from policies.rules import evidence
from policies.rules.evidence import Values

_WITH_EVIDENCE = 2
"""The first schema that keeps documents and checkpoints."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written: entries by epoch, and the file's SHA-256 to quote (hex)."""

    file: Path
    fingerprint: str
    bytes: int
    entries: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Epoch:
    """One epoch's file, inside a read transaction."""

    number: int
    entries: int
    connection: sqlite3.Connection


def export(home: Home, out: Path, made: int) -> Exported:
    """Writes the bundle of a home to a file (mode 0600), whether its node serves or not. Durable on return.

    `made` is in unix seconds. Raises BadHome, BrokenLedger, DiskFault and Unreachable.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(home.lock_file))
        except HomeBusy:
            # Its newest checkpoints may be in memory only.
            flush(home)
        epochs = _epochs(home, held)
        total, size = hashlib.sha256(), 0
        part = out.with_name(out.name + ".part")
        try:
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
                for framed in _sealed(home, epochs, made):
                    total.update(framed)
                    size += file.write(framed)
                file.flush()
                os.fsync(file.fileno())
            part.replace(out)
            sync_folder(out.absolute().parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise DiskFault(f"{out} cannot be written: {error.strerror or type(error).__name__}") from error
        return Exported(out, total.hexdigest(), size, {epoch.number: epoch.entries for epoch in epochs})


def bundle(home: Home, made: int) -> Iterator[bytes]:
    """The framed records of a home's bundle, from what is on disk. Raises BadHome, BrokenLedger and DiskFault."""
    with ExitStack() as held:
        yield from _sealed(home, _epochs(home, held), made)


def _sealed(home: Home, epochs: list[_Epoch], made: int) -> Iterator[bytes]:
    key = home.signing_key("checkpoint")
    with reading("export"):
        yield from seal((frame(record) for record in _records(home, epochs, made)), key)


def _records(home: Home, epochs: list[_Epoch], made: int) -> Iterator[Values]:
    yield evidence.header("region", home.config().region, made, home.pinned().hex)
    yield from _certificates(home)
    yield from _documents(epochs)
    for epoch in epochs:
        for (body,) in epoch.connection.execute("SELECT body FROM entries ORDER BY seq"):
            yield evidence.entry(epoch.number, bytes(body))
    for epoch in epochs:
        for (note,) in epoch.connection.execute("SELECT note FROM checkpoints ORDER BY size"):
            yield evidence.checkpoint(note)
    for (note,) in epochs[-1].connection.execute("SELECT note FROM seen ORDER BY region"):
        yield evidence.seen(note)


def _certificates(home: Home) -> Iterator[Values]:
    """Those of an enrolled node. The private key stays where it is."""
    if not home.enrolled:
        return
    for what, path in (("own", home.certs / "own.pem"), ("root", home.certs / "ca.pem")):
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError) as error:
            raise BadHome(f"{path}: not a certificate ({type(error).__name__})") from error
        yield evidence.certificate("own" if what == "own" else "root", certificate.public_bytes(Encoding.DER))


def _documents(epochs: list[_Epoch]) -> Iterator[Values]:
    """Each document once, in the order in which they came, with every signature that came with it and holds."""
    envelopes: dict[tuple[str, str], list[tuple[_Epoch, int]]] = {}
    for epoch in epochs:
        for place, kind, hash_ in epoch.connection.execute("SELECT place, kind, hash FROM documents ORDER BY place"):
            envelopes.setdefault((kind, hash_), []).append((epoch, place))
    for places in envelopes.values():
        yield evidence.document(_together([_envelope(epoch, place) for epoch, place in places]))


def _envelope(epoch: _Epoch, place: int) -> Signed:
    (data,) = epoch.connection.execute("SELECT signed FROM documents WHERE place = ?", (place,)).fetchone()
    try:
        return Signed.from_bytes(bytes(data))
    except ContractError as error:
        raise BrokenLedger(f"document {place} of epoch {epoch.number} cannot be read: {error}") from error


def _together(envelopes: list[Signed]) -> Signed:
    first = envelopes[0]
    if all(one.signatures == first.signatures for one in envelopes):
        return first
    found = {
        signature.key: signature
        for one in envelopes
        for signature in one.signatures
        if _holds(Signed(first.kind, first.document, (signature,)), signature)
    }
    return Signed(first.kind, first.document, tuple(found[key] for key in sorted(found)))


def _holds(signed: Signed, signature: Signature) -> bool:
    try:
        return verify(signed, PublicKey.from_hex(signature.key))
    except BadKey:
        return False


def _epochs(home: Home, held: ExitStack) -> list[_Epoch]:
    """Every epoch that is known, ascending; of several files of one epoch the longest."""
    if not home.ledger_file.exists():
        raise BrokenLedger("there is no ledger yet")
    with reading("export"):
        found: dict[int, _Epoch] = {}
        for _number, path in closed_files(home):
            _add(found, held.enter_context(closing(beside(path, closed=True))))
        _add(found, held.enter_context(closing(_in_force(home.ledger_file))))
    return [found[number] for number in sorted(found)]


def _in_force(path: Path) -> sqlite3.Connection:
    connection = beside(path)
    if schema_of(connection) < _WITH_EVIDENCE:
        # A ledger of an earlier version, of a node that did not run since.
        connect(path).close()
    return connection


def _add(found: dict[int, _Epoch], connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    (entries,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    if not entries:
        raise BrokenLedger("it has no entries")
    (body,) = connection.execute("SELECT body FROM entries WHERE seq = 0").fetchone()
    epoch = _Epoch(_number(canonical.decode(bytes(body))), entries, connection)
    if epoch.number not in found or entries >= found[epoch.number].entries:
        found[epoch.number] = epoch


def _number(first: Json) -> int:
    match first:
        case {"body": {"event": "reset", "epoch": int(number)}}:
            return number
        case _:
            return 1
