"""The consortium's folder: the only place where its keys and its register stand.

DIR/keys/root.pem      ECDSA P-256 key of the TLS root             0600
DIR/keys/signing.pem   Ed25519 key of signed documents             0600
DIR/certs/ca.pem       root certificate, public: everyone pins it
DIR/consortium.pub     document key, public, 64 hex digits: everyone pins it
DIR/register.json      members and last roster serial
DIR/issued/            every certificate handed out, by TLS fingerprint and first second
DIR/signed/            every calendar and codebook signed, by id and version; calendar.json is the one in force
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rondgang.keys import SigningKey
from rondgang.signed import Signed

from compose.consortium.authority import Authority, pem
from compose.consortium.documents import kind_of, reference
from compose.consortium.register import Register
from policies.documents import from_canonical, to_canonical
from policies.study.adoption import Adopted, NotAdopted, adopt
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

if sys.platform != "win32":
    import fcntl


class BadHome(Exception):
    """The folder is not a consortium's, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Home:
    """A consortium's folder. Reads and writes; decides nothing."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, authority: Authority) -> Home:
        """Writes a new folder in one step. Raises `BadHome` where anything stands there already; overwrites nothing."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadHome(f"{folder} is there already. A consortium's keys are never overwritten; choose a new folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        # mkdtemp makes it 0700. The rename fails, rather than overwrites, if another process was first.
        fresh = cls(Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent)))
        try:
            fresh._fill(authority)
            fresh.folder.rename(folder)
        except BaseException:
            shutil.rmtree(fresh.folder, ignore_errors=True)
            raise
        return cls(folder)

    def _fill(self, authority: Authority) -> None:
        for name in ("keys", "certs", "issued", "signed"):
            (self.folder / name).mkdir(mode=0o700)
        root_key = authority.root_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write(self.folder / "keys" / "root.pem", root_key, mode=0o600)
        write(self.folder / "keys" / "signing.pem", authority.signing.to_pem(), mode=0o600)
        write(self.folder / "certs" / "ca.pem", pem(authority.root))
        write(self.folder / "consortium.pub", authority.signing.public.hex.encode("ascii") + b"\n")
        self.keep(Register())

    def authority(self) -> Authority:
        """The keys. Raises `BadHome` if one is absent or of another kind."""
        try:
            key = serialization.load_pem_private_key((self.folder / "keys" / "root.pem").read_bytes(), password=None)
            root = x509.load_pem_x509_certificate((self.folder / "certs" / "ca.pem").read_bytes())
            signing = SigningKey.from_pem((self.folder / "keys" / "signing.pem").read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise self._not_ours() from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != root.public_key():
            raise self._not_ours()
        return Authority(key, root, signing)

    def register(self) -> Register:
        """The members. Raises `BadHome` without a register, `BadDocument` if it was changed by hand."""
        try:
            data = (self.folder / "register.json").read_bytes()
        except OSError as error:
            raise self._not_ours() from error
        return from_canonical(Register, data)

    def keep(self, register: Register) -> None:
        """Durable on return, whole or not at all."""
        write(self.folder / "register.json", to_canonical(register), mode=0o600)

    def keep_certificate(self, certificate: bytes, name: str) -> Path:
        path = self.folder / "issued" / f"{name}.pem"
        write(path, certificate)
        return path

    def calendar(self) -> Calendar | None:
        """The calendar in force, or None before the first. Raises `BadHome` if this consortium did not sign it."""
        path = self.folder / "signed" / "calendar.json"
        if not path.exists():
            return None
        match adopt(Calendar, "calendar", path.read_bytes(), self.authority().signing.public):
            case Adopted(document=document):
                return document
            case NotAdopted(sentence=sentence):
                raise BadHome(f"{path}: {sentence}")

    def signed(self, document: Calendar | Codebook) -> Signed | None:
        """What was signed before under the document's id and version."""
        path = self._signed_path(document)
        return Signed.from_bytes(path.read_bytes()) if path.exists() else None

    def keep_signed(self, document: Calendar | Codebook, signed: Signed) -> None:
        write(self._signed_path(document), signed.to_bytes())
        if isinstance(document, Calendar):
            write(self.folder / "signed" / "calendar.json", signed.to_bytes())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time: a second command waits for the first. Windows has no such lock here."""
        if not self.folder.is_dir():
            raise self._not_ours()
        if sys.platform == "win32":
            yield
            return
        with (self.folder / "lock").open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _signed_path(self, document: Calendar | Codebook) -> Path:
        return self.folder / "signed" / f"{kind_of(document)}-{reference(document)}.json"

    def _not_ours(self) -> BadHome:
        return BadHome(f"{self.folder} is not a consortium's folder. Make one: rondgang consortium init --home DIR")


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Puts a whole file in place: the old one or the new one stands there after a crash, and the new one on return."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(mode)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
