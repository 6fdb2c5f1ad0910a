"""A bundle of evidence as the auditor reads it: facts with their places, believed by nobody yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rondgang.canonical import Json
from rondgang.notes import Note

from audit.findings import place

Body = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One ledger entry: `data` its canonical bytes, `body` what happened (with `event`), `time` unix seconds."""

    region: str
    epoch: int
    seq: int
    time: int
    previous: str
    body: Body
    data: bytes

    @property
    def event(self) -> str:
        return str(self.body["event"])

    @property
    def place(self) -> str:
        return place(self.region, self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class Paper:
    """A signed document: kind, hash, what it says, and the whole envelope (canonical bytes)."""

    kind: str
    hash: str
    body: Body
    envelope: bytes


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A signed answer in the coordinator's bundle; `hash` is that of the envelope's bytes, as the ledger has it."""

    region: str
    run: str
    received: int
    hash: str
    paper: Paper


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes that contradict each other, as a witness kept them."""

    region: str
    why: str
    at: int
    held: Note
    offered: Note


@dataclass(frozen=True, slots=True)
class Bundle:
    """One file of evidence. `maker` is region, coordinator or witness; `name` the region's code or the maker's name.

    `entries` by epoch; `checkpoints` and `seen` are notes in the order of the file.
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
