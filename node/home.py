"""A node's home: where everything of one region stands on disk, and the settings a steward may edit.

config.yaml       settings                       0600
pause.json        since when the steward has paused the node, if they did
keys/             tls, checkpoint, steward,      0600 in 0700
                  and that of pseudonyms
certs/            own.pem, ca.pem
adopted/          documents that the ledger names, and the pinned consortium key
snapshots/        imported data, of which only what is in force is kept
registry.sqlite   which households were in which cohorts, by pseudonym
forgotten.json    households to leave out of imports, by pseudonym, 0600
import.lock       held while an import is at work
ledger.sqlite     every decision, and the stored answers
closed/           ledgers of earlier epochs, read only
results/          what came back of each run
sums/             the finished national sums of each run
openings/         what this node's vectors were made of, for an auditor who visits
notes/            what the steward wrote down about decisions
decisions/        a dated page of each decision, to print and file
forks/            checkpoints that contradict each other, as witnesses showed them
logs/             what `serve` did
metrics.prom      its public figures for a collector of metrics, if the settings want that
control.sock      how other verbs reach a serving node
lock              who the one writer is
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import Field, ValidationError, field_validator
from rondgang.errors import BadKey
from rondgang.keys import PublicKey, SigningKey

from node.errors import BadHome
from node.files import make_folder, write_private
from node.pausing import QuietHours
from policies.addresses import LoopbackAddress, host_of, is_this_machine
from policies.documents import BadDocument, Document, load_yaml
from policies.study.text import Language, RegionCode

VARIABLE = "RONDGANG_HOME"


class PeerAddress(Document):
    """Where somebody listens. `name` overrides the host name that the certificate there must carry."""

    address: str
    name: str | None = None

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("expected host:port, such as desk.example.org:443")
        return value

    @property
    def host(self) -> str:
        return host_of(self.address)

    @property
    def loopback(self) -> bool:
        return is_this_machine(self.host)


class CoordinatorAddress(PeerAddress):
    """Where the desk listens, which cosigns too. `name` overrides the host name that its certificate must carry."""


class WitnessAddress(PeerAddress):
    """Where an independent witness listens. `name` overrides the host name that its certificate must carry."""


class Witnessing(Document):
    """How long witnesses are waited for, and how often the node compares itself with them."""

    within_ms: int = Field(default=2_000, ge=50, le=3_000)
    compare_every_s: int = Field(default=60, ge=1, le=3_600)


class Reconnect(Document):
    """How patiently a lost connection is sought again: waits double, with jitter, from the first to the longest."""

    first_wait_ms: int = Field(default=250, ge=10, le=60_000)
    longest_wait_ms: int = Field(default=30_000, ge=10, le=3_600_000)
    rejected_wait_ms: int = Field(default=300_000, ge=10, le=86_400_000)
    welcome_within_ms: int = Field(default=20_000, ge=100, le=600_000)
    keepalive_ms: int = Field(default=30_000, ge=10_000, le=3_600_000)


class Metrics(Document):
    """Where the node's public figures are shown (node/metrics.py): nowhere, unless said here."""

    listen: LoopbackAddress | None = None
    """An address of this machine alone, such as 127.0.0.1:9464, for Prometheus."""
    file: str | None = Field(default=None, min_length=1, max_length=4_000)
    """A file for the textfile collector of Prometheus' node_exporter, such as metrics.prom; relative to the home."""

    @property
    def wanted(self) -> bool:
        return self.listen is not None or self.file is not None


class Config(Document):
    """`config.yaml`."""

    region: RegionCode
    coordinator: CoordinatorAddress
    witnesses: tuple[WitnessAddress, ...] = ()
    lang: Language = "nl"
    reconnect: Reconnect = Reconnect()
    witnessing: Witnessing = Witnessing()
    quiet_hours: QuietHours | None = None
    metrics: Metrics = Metrics()

    @property
    def watchers(self) -> tuple[PeerAddress, ...]:
        """Everyone who is asked to cosign: the desk, and the independent witnesses."""
        return (self.coordinator, *self.witnesses)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one home. Reading a key or the settings raises BadHome when it is not there or not usable."""

    root: Path

    @property
    def config_file(self) -> Path:
        return self.root / "config.yaml"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def certs(self) -> Path:
        return self.root / "certs"

    @property
    def adopted(self) -> Path:
        return self.root / "adopted"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def sums(self) -> Path:
        return self.root / "sums"

    @property
    def openings(self) -> Path:
        return self.root / "openings"

    @property
    def notes(self) -> Path:
        return self.root / "notes"

    @property
    def decisions(self) -> Path:
        return self.root / "decisions"

    @property
    def forks(self) -> Path:
        return self.root / "forks"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def ledger_file(self) -> Path:
        return self.root / "ledger.sqlite"

    @property
    def closed(self) -> Path:
        return self.root / "closed"

    @property
    def lock_file(self) -> Path:
        return self.root / "lock"

    @property
    def socket_file(self) -> Path:
        return self.root / "control.sock"

    @property
    def pinned_file(self) -> Path:
        return self.adopted / "consortium.pub"

    @property
    def request_file(self) -> Path:
        return self.root / "request.json"

    def config(self) -> Config:
        try:
            return load_yaml(Config, self.config_file)
        except BadDocument as error:
            raise BadHome(str(error)) from error

    def pinned(self) -> PublicKey:
        """The consortium's key that was pinned at `init`."""
        try:
            return PublicKey.from_hex(self._read(self.pinned_file).decode("ascii", "replace").strip())
        except BadKey as error:
            raise BadHome(f"{self.pinned_file}: {error}") from error

    def signing_key(self, purpose: str) -> SigningKey:
        """The private key for `checkpoint` or `steward`."""
        path = self.keys / f"{purpose}.pem"
        try:
            return SigningKey.from_pem(self._read(path))
        except BadKey as error:
            raise BadHome(f"{path}: {error}") from error

    def tls(self) -> tuple[bytes, bytes, bytes]:
        """Root certificate, own private key and own certificate, in PEM."""
        files = (self.certs / "ca.pem", self.keys / "tls.pem", self.certs / "own.pem")
        ca, key, own = (self._read(path) for path in files)
        return ca, key, own

    @property
    def enrolled(self) -> bool:
        return (self.certs / "own.pem").is_file() and (self.certs / "ca.pem").is_file()

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise BadHome(f"{path}: cannot be read ({type(error).__name__})") from error


def find_home(given: Path | None, environment: Mapping[str, str] = os.environ) -> Home:
    """The home that was named with --home, or else by $RONDGANG_HOME. Raises BadHome."""
    named = given or (Path(environment[VARIABLE]) if environment.get(VARIABLE) else None)
    if named is None:
        raise BadHome(f"no --home, and no {VARIABLE}", "node.home.which", variable=VARIABLE)
    home = Home(named.absolute())
    if not home.config_file.is_file():
        raise BadHome(f"{home.root} is not the home of a node", "node.home.none", home=str(home.root))
    return home


def create_home(root: Path, config: Config, pinned: PublicKey, keys: Mapping[str, bytes]) -> Home:
    """Makes a home with these settings, pinned key and private keys (PEM by name). Raises BadHome if there is one.

    The settings come last, so that a half-made home is no home.
    """
    home = Home(root.absolute())
    if home.config_file.exists() or home.ledger_file.exists() or (home.keys / "checkpoint.pem").exists():
        raise BadHome(f"{home.root} is the home of a node already", "node.home.already", home=str(home.root))
    try:
        for folder in (home.root, home.keys, home.certs, home.adopted, home.adopted / "codebooks"):
            make_folder(folder)
        for folder in (home.snapshots, home.logs):
            make_folder(folder)
        for name, pem in keys.items():
            write_private(home.keys / f"{name}.pem", pem)
        write_private(home.pinned_file, pinned.hex.encode("ascii") + b"\n")
        write_config(home, config)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise BadHome(f"{home.root}: {why}", "node.home.unmade", home=str(home.root), why=why) from error
    return home


def write_config(home: Home, config: Config) -> None:
    """Writes the settings, those that differ from the defaults only."""
    shown = yaml.safe_dump(
        config.model_dump(mode="json", exclude_defaults=True, by_alias=True), sort_keys=False, allow_unicode=True
    )
    write_private(home.config_file, shown.encode("utf-8"))


def parse_config(
    region: str, address: str, name: str | None, language: Language, witnesses: Sequence[str] = ()
) -> Config:
    """Settings from the command line. Raises BadHome with what was expected."""
    try:
        return Config(
            region=region,
            coordinator=CoordinatorAddress(address=address, name=name),
            witnesses=tuple(WitnessAddress(address=witness) for witness in witnesses),
            lang=language,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadHome(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
