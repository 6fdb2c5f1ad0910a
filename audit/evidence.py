"""All bundles together: whose key the consortium's is, what documents there are, and who was shown which checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rondgang.keys import PublicKey
from rondgang.notes import Checkpoint, Note

from audit.findings import Where
from audit.heads import Examined, Examiner, Heads, Sighting, gather
from audit.library import Library
from audit.model import Bundle
from policies.study.roster import Roster


@dataclass(frozen=True, slots=True)
class HeldNote:
    """One note of one bundle, examined. `gossip`: another region's, passed on by a witness."""

    bundle: Bundle
    where: Where
    note: Note
    checkpoint: Checkpoint
    examined: Examined
    gossip: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """`consortium` is the key (hex) by which everything is judged; `rosters` are those it signed, by serial."""

    bundles: tuple[Bundle, ...]
    consortium: str
    library: Library
    rosters: tuple[Roster, ...]
    notes: tuple[HeldNote, ...]
    heads: Heads
    examiner: Examiner

    @property
    def newest(self) -> Roster | None:
        return self.rosters[-1] if self.rosters else None

    def of(self, maker: str) -> tuple[Bundle, ...]:
        return tuple(bundle for bundle in self.bundles if bundle.maker == maker)

    def cosigner(self, key: str) -> str:
        """What the roster calls the holder of a cosigning key (hex)."""
        return next((one.name for one in self.examiner.known.values() if one.key.hex == key), key[:16])

    def is_coordinator(self, key: str) -> bool:
        return any(one.coordinator for one in self.examiner.known.values() if one.key.hex == key)


def lay_out(bundles: Sequence[Bundle], pinned: PublicKey | None) -> Evidence:
    """Puts the bundles beside each other. Without a pinned key the one that most of them name is taken."""
    named = Counter(bundle.consortium for bundle in bundles)
    consortium = pinned.hex if pinned is not None else max(named, key=lambda key: (named[key], key), default="")
    library = Library.of(bundles, consortium)
    rosters = library.rosters()
    examiner = Examiner(rosters)
    notes = tuple(note for bundle in bundles for note in _notes(bundle, examiner))
    heads = gather(
        (one.checkpoint, one.examined, Sighting(one.where.bundle, one.bundle.name, one.where.entry, one.gossip))
        for one in notes
    )
    return Evidence(tuple(bundles), consortium, library, rosters, notes, heads, examiner)


def _notes(bundle: Bundle, examiner: Examiner) -> Iterator[HeldNote]:
    places = zip((*bundle.checkpoints, *bundle.seen), (*bundle.checkpoint_places, *bundle.seen_places), strict=True)
    for number, (note, place) in enumerate(places):
        checkpoint = note.checkpoint
        where = Where(bundle.file, checkpoint.region, place)
        gossip = number >= len(bundle.checkpoints)
        yield HeldNote(bundle, where, note, checkpoint, examiner.examine(note, checkpoint), gossip)
    for fork in bundle.forks:
        for note in (fork.held, fork.offered):
            checkpoint = note.checkpoint
            where = Where(bundle.file, checkpoint.region, fork.place)
            yield HeldNote(bundle, where, note, checkpoint, examiner.examine(note, checkpoint), gossip=True)
