"""What a node and a witness say to each other, as values: nothing of it is believed before it is verified."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from rondgang.notes import Note, NoteSignature
from rondgang.witnessing import Submission, Why


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The witness cosigned, it says."""

    signature: NoteSignature


@dataclass(frozen=True, slots=True)
class SawOther:
    """The witness says that it saw another size last, and shows the note it cosigned then; None for size 0."""

    size: int
    note: Note | None


@dataclass(frozen=True, slots=True)
class NotCosigned:
    """The witness says no, and shows what it cosigned last, if anything."""

    why: Why
    note: Note | None


@dataclass(frozen=True, slots=True)
class Away:
    """Nothing usable came in time; the reason is a status of the transport or what was wrong with the bytes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What a witness last cosigned for us (None for nothing), and what it saw of other regions."""

    own: Note | None
    notes: tuple[Note, ...]


Told = Cosigned | SawOther | NotCosigned | Away


class Line(Protocol):
    """The way to one witness. Both calls return at once; their futures are done within `within_s`, and never raise."""

    @property
    def address(self) -> str: ...

    def add_checkpoint(self, given: Submission, within_s: float) -> Future[Told]: ...

    def exchange(self, notes: Sequence[Note], within_s: float) -> Future[Exchanged | Away]: ...

    def close(self) -> None: ...
