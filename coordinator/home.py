"""The folder of the desk, and of a researcher: configuration, keys, certificates, adopted documents.

HOME/config.yaml                  who we are and where the desk listens
HOME/keys/tls.pem                 ECDSA P-256 key of our TLS certificate    0600
HOME/keys/signing.pem             Ed25519 key that signs our documents      0600
HOME/certs/own.pem, ca.pem        our certificate; the root that all certificates stand under
HOME/consortium.pub               the consortium's document key, pinned at `init`
HOME/adopted/roster.json, calendar.json, codebooks/<id>@<version>.json
HOME/request.json                 what the consortium needs to enrol us
HOME/rondgang.sqlite, logs/, port, lock      the running desk's
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import ConfigDict, Field
from rondgang.errors import BadKey
from rondgang.keys import PublicKey, SigningKey
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate

from coordinator.errors import BadHome
from coordinator.files import write
from policies.addresses import Address, LoopbackAddress
from policies.documents import Document, load_yaml, to_canonical
from policies.study.enrolment import EnrolmentRequest, PartyName

VARIABLES = {Role.COORDINATOR: ("RONDGANG_COORDINATOR_HOME", "RONDGANG_HOME"), Role.RESEARCHER: ("RONDGANG_HOME",)}
"""Where a folder is looked for when none is given: by role, in this order."""


class Metrics(Document):
    """Where the desk's public figures are shown (coordinator/metrics.py)."""

    listen: LoopbackAddress
    """An address of this machine alone, such as 127.0.0.1:9465, for Prometheus."""


class CoordinatorConfig(Document):
    """What the desk reads once, at start."""

    role: Literal["coordinator"] = Field(default=...)
    name: PartyName
    listen: Address
    database: str | None = None
    """A SQLAlchemy URL such as postgresql+psycopg://desk@db/rondgang; a SQLite file in HOME when left out."""
    quote_timeout_s: int = Field(default=10, ge=1, le=600)
    """How long `price` waits for a region that attends."""
    secure_round_timeout_s: int = Field(default=20, ge=1, le=3600)
    """How long each round of an attempt at national sums waits for a region: after that it goes on without."""
    metrics: Metrics | None = None
    """Nowhere when left out."""


class ResearcherConfig(Document):
    """Whose desk a researcher asks."""

    role: Literal["researcher"] = Field(default=...)
    name: PartyName
    coordinator: Address
    call_timeout_s: int = Field(default=60, ge=1, le=3600)


class _AnyConfig(Document):
    """Whose folder it is; the rest is that party's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["coordinator", "researcher"]


Config = TypeVar("Config", CoordinatorConfig, ResearcherConfig)


@dataclass(frozen=True, slots=True)
class Home:
    """One party's folder. Reads and writes files; decides nothing."""

    folder: Path

    @classmethod
    def find(cls, given: Path | None, role: Role) -> Home:
        """The folder given, else the one that the environment names. Raises `BadHome` where neither does."""
        if given is not None:
            return cls(given)
        for variable in VARIABLES[role]:
            if value := os.environ.get(variable):
                return cls(Path(value))
        raise BadHome(f"Which folder? Give --home DIR, or set {VARIABLES[role][0]}.")

    @classmethod
    def create(
        cls, folder: Path, config: CoordinatorConfig | ResearcherConfig, pinned: PublicKey, seed32: bytes
    ) -> Home:
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
        party = Party(Role(config.role))
        csr = request_certificate(tls, party, config.name)
        request = EnrolmentRequest.build(party, config.name, csr, {"signing": signing.public})
        write(home.request, to_canonical(request) + b"\n")
        text = yaml.safe_dump(config.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
        write(folder / "config.yaml", text.encode("utf-8"))
        return home

    def config(self, kind: type[Config]) -> Config:
        """The configuration. Raises `BadHome` where none stands, `BadDocument` where it cannot be used."""
        return load_yaml(kind, self._config())

    def role(self) -> Role:
        """Whose folder this is. Raises `BadHome` and `BadDocument` as `config` does."""
        return Role(load_yaml(_AnyConfig, self._config()).role)

    def _config(self) -> Path:
        path = self.folder / "config.yaml"
        if not path.is_file():
            raise BadHome(f"{self.folder} has no config.yaml. Make the folder: rondgang coordinator init --home DIR")
        return path

    @property
    def request(self) -> Path:
        return self.folder / "request.json"

    @property
    def adopted(self) -> Path:
        return self.folder / "adopted"

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
            hint = "Take in what the consortium sent: rondgang coordinator enrol CERT --ca FILE ..."
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
