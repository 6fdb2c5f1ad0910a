"""A region's log for tests of witnesses: entries without meaning, real trees, proofs, keys and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rondgang import canonical
from rondgang.keys import PublicKey, SigningKey
from rondgang.leaves import leaf_hash
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, Note, cosigned_at, origin, sign_checkpoint
from rondgang.roles import Role
from rondgang.witnessing import Submission

from policies.study.enrolment import PURPOSES
from policies.study.roster import Member, Roster
from tests.applicants import signing_key

NOW = 1_800_000_000
DAY_S = 86_400


@dataclass
class Log:
    """One log of a region; `story` makes another log of the same sizes."""

    region: str
    key: SigningKey
    epoch: int = 1
    story: str = ""
    entries: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)

    @classmethod
    def of(cls, region: str, story: str = "", epoch: int = 1) -> Log:
        """A log of the region whose checkpoint key the roster of these tests names."""
        return cls(region, signing_key(f"{region} checkpoint"), epoch, story)

    def grown(self, size: int) -> Log:
        """The same log with `size` entries at least."""
        while self.tree.size < size:
            self.add({"seq": self.tree.size, "story": self.story})
        return self

    def branched(self, at: int, story: str) -> Log:
        """Another log that has the first `at` entries of this one."""
        other = Log(self.region, self.key, self.epoch, story)
        for entry in self.entries[:at]:
            other._append(entry)
        return other

    def reset(self, size: int, story: str = "") -> Log:
        """The next epoch, whose first entry commits to this log at `size`."""
        later = Log(self.region, self.key, self.epoch + 1, story)
        root = self.tree.root(size).hex()
        body: canonical.Json = {"event": "reset", "epoch": later.epoch, "old_size": size, "old_root": root}
        later.add({"seq": 0, "body": body})
        return later

    def add(self, entry: dict[str, canonical.Json]) -> None:
        self._append(canonical.encode(entry))

    def _append(self, data: bytes) -> None:
        self.entries.append(data)
        self.tree.append(bytes.fromhex(leaf_hash(data)))

    def note(self, size: int) -> Note:
        """Its checkpoint at a size, signed."""
        self.grown(size)
        return sign_checkpoint(Checkpoint(origin(self.region, self.epoch), size, self.tree.root(size)), self.key)

    def brings(self, size: int, old: int = 0) -> Submission:
        """What a node brings to a witness that saw `old` last."""
        return Submission(self.note(size), old, self.tree.consistency(old, size))

    def opens(self, size: int) -> Submission:
        """What a node brings first of a log that was reset."""
        note = self.note(size)
        return Submission(note, 0, (), self.entries[0], self.tree.inclusion(0, size))


def roster(regions: Sequence[str] = ("AA", "BB", "CC"), *witnesses: PublicKey, revoked: Sequence[str] = ()) -> Roster:
    """These regions, and witnesses with these keys."""
    members = [_member(Role.REGION, region, region in revoked) for region in regions]
    members += [_member(Role.WITNESS, f"witness {i}", False, key) for i, key in enumerate(witnesses)]
    return Roster(serial=1, issued=NOW, members=tuple(members))


def cosigned(note: Note, line: str, key: PublicKey) -> int | None:
    """The time of a cosignature that came as a line, if it is this key's on this note."""
    return cosigned_at(Note.parse(note.to_text() + line), key)


def _member(role: Role, name: str, revoked: bool, signing: PublicKey | None = None) -> Member:
    keys = {purpose: (signing or signing_key(f"{name} {purpose}").public).hex for purpose in PURPOSES[role]}
    region = name if role is Role.REGION else None
    tls = signing_key(f"{name} tls").public.hex
    days = {"valid_from": NOW - 365 * DAY_S, "valid_to": NOW + 365 * DAY_S}
    return Member(role=role, region=region, name=name, tls=tls, keys=keys, revoked=revoked, **days)
