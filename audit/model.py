"""A bundle of evidence as the auditor reads it: facts with their places, believed by nobody yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rondgang.canonical import Json
from rondgang.notes import Note
from rondgang.signed import Signature

from audit.exact import digits, whole
from audit.findings import place

Body = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One ledger entry: `data` its canonical bytes, `body` what happened (with `event`), `time` unix seconds.

    `seq` is the number that it gives itself, `index` its place in the file's epoch, from 0; they are the same unless a
    finding says otherwise. What cannot be read is 0 or empty here, and a finding says so too.
    """

    region: str
    epoch: int
    seq: int
    time: int
    previous: str
    body: Body
    data: bytes
    index: int = 0

    @property
    def event(self) -> str:
        return str(self.body.get("event", ""))

    @property
    def place(self) -> str:
        return place(self.region, self.epoch, self.seq)

    def text(self, key: str) -> str:
        """A text of the body; empty where there is none."""
        value = self.body.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """A whole number of the body; -1 where there is none."""
        value = whole(self.body.get(key))
        return -1 if value is None else value

    def money(self, key: str) -> int:
        """An amount of the body in nano-rho; 0 where there is none."""
        return digits(self.body.get(key)) or 0


@dataclass(frozen=True, slots=True)
class Paper:
    """A signed document: kind, hash, what it says, and the whole envelope (canonical bytes).

    `document` is the canonical bytes that are signed; `signatures` are claims until somebody checks them.
    """

    kind: str
    hash: str
    body: Body
    envelope: bytes
    document: bytes = b""
    signatures: tuple[Signature, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A signed answer in the coordinator's bundle; `hash` is that of the envelope's bytes, as the ledger has it."""

    region: str
    run: str
    received: int
    hash: str
    paper: Paper
    place: str = ""


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes that contradict each other, as a witness kept them."""

    region: str
    why: str
    at: int
    held: Note
    offered: Note
    place: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file of evidence. `maker` is region, coordinator or witness; `name` the region's code or the maker's name.

    `made` is the unix second that it says of itself, `consortium` the public key (hex) that its maker pinned,
    `fingerprint` the SHA-256 of the file. `entries` by epoch; `checkpoints` and `seen` are notes in the order of the
    file, and `checkpoint_places` and `seen_places` say where each stands. `papers` is by hash.
    """

    file: str
    maker: str
    name: str
    made: int
    consortium: str
    fingerprint: str
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    papers: Mapping[str, Paper] = field(default_factory=dict)
    entries: Mapping[int, tuple[LoggedEntry, ...]] = field(default_factory=dict)
    checkpoints: tuple[Note, ...] = ()
    seen: tuple[Note, ...] = ()
    answers: tuple[GivenAnswer, ...] = ()
    forks: tuple[Fork, ...] = ()
    sealed_by: str = ""
    checkpoint_places: tuple[str, ...] = ()
    seen_places: tuple[str, ...] = ()
    seal_place: str = ""
    certificate_places: Mapping[str, str] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The region's code, for a region's bundle."""
        return self.name if self.maker == "region" else ""
