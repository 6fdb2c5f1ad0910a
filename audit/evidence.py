"""All bundles together: whose key the consortium's is, what documents there are, and who was shown which checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rondgang.notes import Checkpoint, Note

from audit.findings import Where
from audit.findings import place as entry_place
from audit.heads import Examined, Examiner, Heads, Sighting, gather
from audit.library import Library
from audit.model import Bundle
from policies.study.roster import Roster


@dataclass(frozen=True, slots=True)
class HeldNote:
    """One note of one bundle, examined; `record` is where it stands. `gossip`: another region's, passed on."""

    bundle: Bundle
    record: str
    note: Note
    checkpoint: Checkpoint
    examined: Examined
    gossip: bool

    @property
    def where(self) -> Where:
        """The newest entry that the checkpoint is about."""
        of = self.checkpoint
        return Where(self.bundle.file, of.region, entry_place(of.region, of.epoch, max(0, of.size - 1)))


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


def most_named(bundles: Sequence[Bundle]) -> str:
    """The consortium's key (hex) that most of the files name, for want of one that was compared by hand."""
    named = Counter(bundle.consortium for bundle in bundles)
    return max(named, key=lambda key: (named[key], key), default="")


def lay_out(bundles: Sequence[Bundle], consortium: str) -> Evidence:
    """Puts the bundles beside each other, to be judged by the consortium's key (hex)."""
    library = Library.of(bundles, consortium)
    rosters = library.rosters()
    examiner = Examiner(rosters)
    notes = tuple(note for bundle in bundles for note in _notes(bundle, examiner))
    heads = gather(
        (one.checkpoint, one.examined, Sighting(one.bundle.file, one.bundle.name, one.record, one.gossip))
        for one in notes
    )
    return Evidence(tuple(bundles), consortium, library, rosters, notes, heads, examiner)


def _notes(bundle: Bundle, examiner: Examiner) -> Iterator[HeldNote]:
    places = zip((*bundle.checkpoints, *bundle.seen), (*bundle.checkpoint_places, *bundle.seen_places), strict=True)
    for number, (note, place) in enumerate(places):
        checkpoint, gossip = note.checkpoint, number >= len(bundle.checkpoints)
        yield HeldNote(bundle, place, note, checkpoint, examiner.examine(note, checkpoint), gossip)
    for fork in bundle.forks:
        for note in (fork.held, fork.offered):
            checkpoint = note.checkpoint
            yield HeldNote(bundle, fork.place, note, checkpoint, examiner.examine(note, checkpoint), gossip=True)
