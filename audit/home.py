"""The folder of a witness: configuration, keys, certificates, the adopted roster, and what it remembers.

HOME/config.yaml                  who we are and where the witness listens
HOME/keys/tls.pem                 ECDSA P-256 key of our TLS certificate      0600
HOME/keys/signing.pem             Ed25519 key that cosigns, and seals evidence 0600
HOME/certs/own.pem, ca.pem        our certificate; the root that all certificates stand under
HOME/consortium.pub               the consortium's document key, pinned at `init`
HOME/adopted/roster.json          who takes part; calendar.json beside it is not needed, and exported if it is there
HOME/request.json                 what the consortium needs to enrol us
HOME/witness.sqlite, logs/, port, lock       the running witness's
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field
from rondgang.errors import BadKey
from rondgang.keys import PublicKey, SigningKey
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate

from audit.errors import BadHome
from audit.files import write
from policies.addresses import Address, LoopbackAddress
from policies.documents import Document, load_yaml, to_canonical
from policies.study.enrolment import EnrolmentRequest, PartyName

VARIABLE = "RONDGANG_HOME"
"""Names the folder where none is given."""


class Metrics(Document):
    """Where the witness's public figures are shown (audit/witness/metrics.py)."""

    listen: LoopbackAddress
    """An address of this machine alone, such as 127.0.0.1:9466, for Prometheus."""


class WitnessConfig(Document):
    """What the witness reads once, at start."""

    role: Literal["witness"] = Field(default=...)
    name: PartyName
    listen: Address
    metrics: Metrics | None = None
    """Nowhere when left out."""


@dataclass(frozen=True, slots=True)
class Home:
    """A witness's folder. Reads and writes files; decides nothing."""

    folder: Path

    @classmethod
    def find(cls, given: Path | None) -> Home:
        """The folder given, else the one that the environment names. Raises `BadHome` where neither does."""
        if given is not None:
            return cls(given)
        if value := os.environ.get(VARIABLE):
            return cls(Path(value))
        raise BadHome(f"Which folder? Give --home DIR, or set {VARIABLE}.")

    @classmethod
    def create(cls, folder: Path, config: WitnessConfig, pinned: PublicKey, seed32: bytes) -> Home:
        """A new folder with fresh keys and the request for the consortium. Overwrites nothing: raises `BadHome`.

        `seed32` is fresh entropy for the signing key; the TLS key draws its own.
        """
        home = cls(folder)
        if (folder / "config.yaml").exists() or any((folder / "keys").glob("*.pem")):
            raise BadHome(f"{folder} has a configuration or keys already. Choose a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("keys", "certs", "adopted", "logs"):
            (folder / part).mkdir(mode=0o700, exist_ok=True)
        signing, tls = SigningKey.generate(seed32), new_tls_key()
        write(home.key("signing"), signing.to_pem(), mode=0o600)
        write(home.key("tls"), tls, mode=0o600)
        write(folder / "consortium.pub", f"{pinned.hex}\n".encode("ascii"))
        party = Party(Role.WITNESS)
        csr = request_certificate(tls, party, config.name)
        request = EnrolmentRequest.build(party, config.name, csr, {"signing": signing.public})
        write(home.request, to_canonical(request) + b"\n")
        text = yaml.safe_dump(config.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
        write(folder / "config.yaml", text.encode("utf-8"))
        return home

    def config(self) -> WitnessConfig:
        """The configuration. Raises `BadHome` where none stands, `BadDocument` where it cannot be used."""
        path = self.folder / "config.yaml"
        if not path.is_file():
            raise BadHome(f"{self.folder} has no config.yaml. Make the folder: rondgang audit init --home DIR")
        return load_yaml(WitnessConfig, path)

    @property
    def request(self) -> Path:
        return self.folder / "request.json"

    @property
    def adopted(self) -> Path:
        return self.folder / "adopted"

    @property
    def store(self) -> Path:
        return self.folder / "witness.sqlite"

    def key(self, purpose: Literal["tls", "signing"]) -> Path:
        return self.folder / "keys" / f"{purpose}.pem"

    def signing_key(self) -> SigningKey:
        """Raises `BadHome` where the key is absent or of another kind."""
        try:
            return SigningKey.from_pem(self._read(self.key("signing")))
        except BadKey as error:
            raise BadHome(f"{self.key('signing')}: {error}") from error

    def pinned(self) -> PublicKey:
        """The consortium's document key. Raises `BadHome`."""
        return pinned_key(self._read(self.folder / "consortium.pub").decode("ascii", "replace"))

    def tls(self) -> tuple[bytes, bytes, bytes]:
        """Our TLS key, our certificate and the root, as PEM. Raises `BadHome` before `enrol`."""
        names = (self.key("tls"), self.folder / "certs" / "own.pem", self.folder / "certs" / "ca.pem")
        key, own, root = (self._read(name) for name in names)
        return key, own, root

    def keep_certificates(self, own: bytes, root: bytes) -> None:
        write(self.folder / "certs" / "ca.pem", root)
        write(self.folder / "certs" / "own.pem", own)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            hint = "Take in what the consortium sent: rondgang audit enrol CERT --ca FILE --roster FILE"
            raise BadHome(f"{path} cannot be read ({type(error).__name__}). {hint}") from error


def pinned_key(text: str) -> PublicKey:
    """A consortium key from its 64 hexadecimal digits. Raises `BadHome`."""
    words = text.split()
    if len(words) != 1 or not re.fullmatch(r"[0-9a-f]{64}", words[0]):
        raise BadHome("A consortium key is 64 lowercase hexadecimal digits, as in its file consortium.pub.")
    try:
        return PublicKey.from_hex(words[0])
    except BadKey as error:
        raise BadHome(f"The consortium key cannot be used: {error}.") from error
