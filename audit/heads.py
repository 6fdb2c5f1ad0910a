"""Every checkpoint that anybody holds, of every log, with the signatures on it that hold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rondgang.keys import PublicKey
from rondgang.notes import Checkpoint, Note, cosigned_at, signed_by

from audit.people import Cosigner, checkpoint_keys, cosigners
from policies.study.roster import Roster


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a checkpoint stands: the file, its maker's name, and the place in it. `gossip`: it was passed on."""

    file: str
    maker: str
    place: str
    gossip: bool


@dataclass(slots=True)
class Head:
    """One checkpoint (origin, size, root), from all files together.

    `signed`: by a key of the region; nothing else counts against it. `times` by the cosigner's key (hex).
    """

    checkpoint: Checkpoint
    signed: bool = False
    times: dict[str, set[int]] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root


@dataclass(frozen=True, slots=True)
class Examined:
    """What is true of one note: whether the region signed it, and by whom and when it was cosigned.

    `false` names lines that claim to be a known witness's and do not hold.
    """

    signed: bool
    times: tuple[tuple[str, int], ...]
    false: tuple[str, ...]


@dataclass(slots=True)
class Heads:
    """`by_origin` holds the heads of a log, sizes ascending."""

    by_origin: dict[str, list[Head]]
    sizes: dict[str, list[int]]

    def of(self, origin: str) -> Sequence[Head]:
        return self.by_origin.get(origin, ())

    def between(self, origin: str, low: int, high: int) -> Sequence[Head]:
        """The heads of sizes above `low` up to `high`."""
        sizes = self.sizes.get(origin, [])
        return self.of(origin)[bisect_right(sizes, low) : bisect_right(sizes, high)]

    def after(self, origin: str, size: int) -> Sequence[Head]:
        """The heads of sizes above `size`."""
        return self.of(origin)[bisect_right(self.sizes.get(origin, []), size) :]


@dataclass(slots=True)
class Examiner:
    """Checks notes against every key that the rosters ever named; the same note is checked once."""

    rosters: tuple[Roster, ...]
    known: Mapping[str, Cosigner] = field(init=False)
    _keys: dict[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    _signed: dict[tuple[str, tuple[bytes, ...]], bool] = field(default_factory=dict)
    _times: dict[tuple[str, str, bytes], int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = cosigners(self.rosters)

    def examine(self, note: Note, checkpoint: Checkpoint) -> Examined:
        times, false = [], []
        for line in note.signatures:
            cosigner = self.known.get(line.name)
            if cosigner is None:
                continue
            place = (note.text, line.name, line.key_id + line.value)
            if place not in self._times:
                self._times[place] = cosigned_at(Note(note.text, (line,)), cosigner.key)
            when = self._times[place]
            if when is None:
                false.append(cosigner.name)
            else:
                times.append((cosigner.key.hex, when))
        return Examined(self._by_region(note, checkpoint), tuple(times), tuple(false))

    def _by_region(self, note: Note, checkpoint: Checkpoint) -> bool:
        lines = tuple(line.key_id + line.value for line in note.signatures if line.name == checkpoint.origin)
        if (note.text, lines) not in self._signed:
            region = checkpoint.region
            if region not in self._keys:
                self._keys[region] = checkpoint_keys(self.rosters, region)
            held = any(signed_by(note, checkpoint.origin, key) for key in self._keys[region])
            self._signed[note.text, lines] = held
        return self._signed[note.text, lines]


def gather(found: Iterable[tuple[Checkpoint, Examined, Sighting]]) -> Heads:
    """All sightings of the same checkpoint as one head."""
    heads: dict[tuple[str, int, bytes], Head] = {}
    for checkpoint, examined, sighting in found:
        head = heads.setdefault((checkpoint.origin, checkpoint.size, checkpoint.root), Head(checkpoint))
        head.signed = head.signed or examined.signed
        head.sightings.append(sighting)
        for key, when in examined.times:
            head.times.setdefault(key, set()).add(when)
    by_origin: dict[str, list[Head]] = {}
    for _, head in sorted(heads.items()):
        by_origin.setdefault(head.checkpoint.origin, []).append(head)
    return Heads(by_origin, {origin: [head.size for head in listed] for origin, listed in by_origin.items()})
