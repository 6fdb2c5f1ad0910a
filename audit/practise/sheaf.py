"""A bundle of evidence before it is sealed: everything in it can still be changed, and sealed with any key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rondgang import canonical
from rondgang.bundles import frame, seal
from rondgang.keys import SigningKey
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, Note, origin, sign_checkpoint
from rondgang.signed import Signed

from audit.practise.log import Log, Reply, link, tree_of
from audit.practise.papers import Values
from audit.practise.people import People, Person
from policies.rules import evidence


@dataclass(slots=True)
class Sheaf:
    """`entries` by epoch; `replies` by region. `key` seals it."""

    key: SigningKey
    header: Values
    certificates: tuple[bytes, bytes]
    papers: list[Signed] = field(default_factory=list)
    entries: dict[int, list[Values]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    seen: list[Note] = field(default_factory=list)
    replies: list[tuple[str, Reply]] = field(default_factory=list)
    forks: list[Values] = field(default_factory=list)

    def records(self) -> Iterator[Values]:
        """Every record in the order of a bundle."""
        own, root = self.certificates
        yield self.header
        yield evidence.certificate("own", own)
        yield evidence.certificate("root", root)
        for paper in self.papers:
            yield evidence.document(paper)
        for epoch, entries in sorted(self.entries.items()):
            for one in entries:
                yield evidence.entry(epoch, canonical.encode(one))
        for note in self.notes:
            yield evidence.checkpoint(note.to_text())
        for note in self.seen:
            yield evidence.seen(note.to_text())
        for region, reply in self.replies:
            yield evidence.answer(region, reply.run, reply.received, reply.signed.to_bytes())
        yield from self.forks

    def sealed(self, key: SigningKey | None = None) -> bytes:
        """The file's bytes, sealed with the maker's key or another."""
        return b"".join(seal(map(frame, self.records()), key or self.key))

    def rewrite(self, epoch: int, entries: Sequence[Values]) -> None:
        """Puts other entries in place of an epoch's, linked to one chain again; checkpoints stay as they are."""
        self.entries[epoch] = link(entries)

    def resign(self, who: Person, epoch: int, keep: Callable[[Note], Note] = lambda note: note) -> None:
        """The node's own signature on checkpoints of the entries as they are now; a cosignature cannot be made.

        Notes that still fit keep theirs. Notes of a size that the log no longer has are left out. `keep` has the last
        word on each new note.
        """
        tree, found = tree_of(self.entries[epoch]), []
        for note in self.notes:
            old = note.checkpoint
            if old.epoch != epoch or (old.size <= tree.size and tree.root(old.size) == old.root):
                found.append(note)
            elif old.size <= tree.size:
                found.append(keep(_signed(who, tree, epoch, old.size)))
        self.notes = found


def _signed(who: Person, tree: Tree, epoch: int, size: int) -> Note:
    region = str(who.party.region)
    return sign_checkpoint(Checkpoint(origin(region, epoch), size, tree.root(size)), who.signing)


def of_region(people: People, log: Log, others: Sequence[Log]) -> Sheaf:
    """What a node exports. Of other regions it was shown the newest checkpoint."""
    return Sheaf(
        log.who.signing,
        evidence.header("region", log.region, log.now, people.consortium.public.hex),
        (log.who.certificate, people.root),
        papers=list(log.papers),
        entries={epoch: list(entries) for epoch, entries in log.entries.items()},
        notes=list(log.notes),
        seen=[other.notes[-1] for other in others],
    )


def of_coordinator(people: People, logs: Sequence[Log]) -> Sheaf:
    """What the desk exports: what it was given to cosign, and every answer."""
    sheaf = _of_witness(people.desk, "coordinator", people, logs)
    study = logs[0].study
    sheaf.papers += [study.calendar, study.codebook]
    for log in logs:
        sheaf.papers += [one for one in log.sent if one not in sheaf.papers]
        sheaf.replies += [(log.region, reply) for reply in log.replies]
    return sheaf


def of_witness(people: People, logs: Sequence[Log]) -> Sheaf:
    return _of_witness(people.auditor, "witness", people, logs)


def _of_witness(who: Person, maker: evidence.Maker, people: People, logs: Sequence[Log]) -> Sheaf:
    return Sheaf(
        who.signing,
        evidence.header(maker, who.name, max(log.now for log in logs), people.consortium.public.hex),
        (who.certificate, people.root),
        papers=list(logs[0].study.rosters),
        notes=[note for log in logs for note in log.cosigned.get(who.name, [])],
    )
