"""Backups: one encrypted file that holds a node's whole home, and the way back.

A backup never gives budget back. It is a copy of the ledger at one moment, and whatever was charged since then was
cosigned by witnesses: a node that is restored from an older copy finds them ahead, repeats earlier answers and spends
nothing (see witnessing/). Only the newest copy works on as if nothing had happened.

The file is a header and one AEAD message, ChaCha20-Poly1305 (RFC 8439) under a key that scrypt (RFC 7914) makes of the
passphrase; the header is authenticated with it. Inside is a tar archive, with `backup.json` first.
"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.entropy import fresh
from node.errors import BadHome, DiskFault, HomeBusy
from node.files import PRIVATE_FILE, make_folder, sync_folder, write_private
from node.home import Home
from node.ledger.schema import beside
from node.lock import exclusive
from node.operations import flush

MAGIC = b"rondgang backup 1\n"
LEAST_PASSPHRASE = 12
_COST, _BLOCK, _LANES = 2**17, 8, 1
"""scrypt's parameters as OWASP advises for passwords: 128 MiB a try."""
_SALT, _NONCE = 32, 12
_MOST_BYTES = 2**31 - 1
"""The most that one AEAD message holds."""
_MANIFEST = "backup.json"
_LEFT_OUT = frozenset(("lock", "control.sock", "control.token", "logs"))
_LEDGER = "ledger.sqlite"
_DATA = frozenset(("snapshots", "openings"))


class BadBackup(Exception):
    """Why a file cannot be restored; `reason` is a key of the catalogue below `run.restore`."""

    def __init__(self, reason: str, **fields: str) -> None:
        self.reason, self.fields = reason, fields
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: whose it is, when it was made (unix seconds), and how long its ledger was."""

    region: str
    made: int
    entries: int
    keys: bool
    data: bool
    format: int = 1


def back_up(home: Home, out: Path, passphrase: str, made: int, *, keys: bool = True, data: bool = True) -> Manifest:
    """Writes the home to one encrypted file (mode 0600), whether its node serves or not. Durable on return.

    Without `keys` the private keys are left out, without `data` the rows. Raises BadHome, BadBackup for a passphrase of
    fewer than LEAST_PASSPHRASE characters or a home of 2 GiB or more, and DiskFault.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise BadBackup("short_passphrase", least=str(LEAST_PASSPHRASE))
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(home.lock_file))
        except HomeBusy:
            # Its newest checkpoints may be in memory only.
            flush(home)
        ledger, entries = _ledger(home)
        manifest = Manifest(home.config().region, made, entries, keys, data)
        archive = _packed(home, manifest, ledger)
    if len(archive) > _MOST_BYTES:
        raise BadBackup("too_large")
    salt, nonce = fresh(_SALT), fresh(_NONCE)
    header = MAGIC + salt + nonce
    sealed = ChaCha20Poly1305(_key(passphrase, salt)).encrypt(nonce, archive, header)
    try:
        write_private(out, header + sealed)
    except OSError as error:
        raise DiskFault(f"{out} cannot be written: {error.strerror or type(error).__name__}") from error
    return manifest


def restore(file: Path, root: Path, passphrase: str) -> Manifest:
    """Makes the home in a backup again, at a folder that does not exist or is empty. Durable on return.

    Raises BadBackup for another file, another passphrase or a folder that is in use, and DiskFault.
    """
    if root.exists() and any(root.iterdir()):
        raise BadBackup("folder_in_use", folder=str(root))
    try:
        sealed = file.read_bytes()
    except OSError as error:
        raise BadBackup("unreadable", file=str(file), detail=error.strerror or type(error).__name__) from error
    archive = _opened(sealed, passphrase)
    part = root.absolute().with_name(f".{root.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        make_folder(part)
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            manifest = _manifest(packed)
            # What was sealed was ours; the filter still lets nothing out of the folder.
            packed.extractall(part, filter="data")
        (part / _MANIFEST).unlink()
        if root.exists():
            root.rmdir()
        part.rename(root)
        sync_folder(root.absolute().parent)
    except OSError as error:
        raise DiskFault(f"{root} cannot be made: {error.strerror or type(error).__name__}") from error
    return manifest


def _ledger(home: Home) -> tuple[bytes, int]:
    """A consistent copy of the ledger, while it may be written to, and how many entries it holds."""
    try:
        source, copy = beside(home.ledger_file), sqlite3.connect(":memory:")
        try:
            source.backup(copy)
            (entries,) = copy.execute("SELECT count(*) FROM entries").fetchone()
            return copy.serialize(), int(entries)
        finally:
            source.close()
            copy.close()
    except sqlite3.Error as error:
        raise BadHome(f"{home.ledger_file}: cannot be copied ({type(error).__name__})") from error


def _packed(home: Home, manifest: Manifest, ledger: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as packed:
        _add(packed, _MANIFEST, json.dumps(asdict(manifest)).encode("ascii"))
        _add(packed, _LEDGER, ledger)
        for path in _files(home.root, manifest):
            _add(packed, path.relative_to(home.root).as_posix(), path.read_bytes())
    return out.getvalue()


def _files(root: Path, manifest: Manifest) -> Iterator[Path]:
    """Every file to keep but the ledger itself, in a fixed order; none that is half written."""
    for path in sorted(root.rglob("*")):
        top, *_ = path.relative_to(root).parts
        left_out = top in _LEFT_OUT or top.startswith((_LEDGER, ".")) or any(p.startswith(".") for p in path.parts[-2:])
        wanted = (manifest.keys or top != "keys") and (manifest.data or top not in _DATA)
        if path.is_file() and wanted and not left_out:
            yield path


def _add(packed: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), PRIVATE_FILE
    packed.addfile(member, io.BytesIO(data))


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_LANES).derive(passphrase.encode("utf-8"))


def _opened(sealed: bytes, passphrase: str) -> bytes:
    start = len(MAGIC) + _SALT + _NONCE
    if not sealed.startswith(MAGIC) or len(sealed) < start:
        raise BadBackup("not_a_backup")
    header = sealed[:start]
    salt, nonce = header[len(MAGIC) : -_NONCE], header[-_NONCE:]
    try:
        return ChaCha20Poly1305(_key(passphrase, salt)).decrypt(nonce, sealed[start:], header)
    except InvalidTag:
        # A wrong passphrase and a damaged file look the same.
        raise BadBackup("wrong_passphrase") from None


def _manifest(packed: tarfile.TarFile) -> Manifest:
    try:
        held = packed.extractfile(_MANIFEST)
        told = json.loads(held.read()) if held else {}
        if told.get("format") != 1:
            raise BadBackup("newer")
        return Manifest(**told)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, tarfile.TarError) as error:
        raise BadBackup("not_a_backup") from error
