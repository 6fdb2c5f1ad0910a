"""What a witness does with what regions bring it: the coordinator and the independent witness do exactly this.

`rondgang.witnessing` says when a checkpoint may be cosigned; here that meets the roster in force and a memory. Each
function is one transaction of that memory: nothing it returns may leave before the transaction is durable. Pure but
for the memory that is given to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rondgang.canonical import digest
from rondgang.errors import BadNote
from rondgang.keys import PublicKey, SigningKey
from rondgang.notes import Checkpoint, Note, cosign, cosigned_at, signed_by, witness_name
from rondgang.roles import Role
from rondgang.witnessing import Accepted, Conflict, Rejected, Submission, Why, consider

from policies.study.roster import Roster, checkpoint_keys, witnesses

MOST_FORKS = 1_000
"""Pieces of evidence kept of one region. The first ones tell what happened; more may not fill the disk."""
MOST_NOTES = 32
"""Checkpoints of other regions taken from a node at once, and given to it. There are 26 regions."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes of one region that contradict each other. `at` is the unix second in which the second was shown."""

    region: str
    why: str
    at: int
    held: str
    offered: str

    @property
    def digest(self) -> str:
        """Names what is contradicted, whoever cosigned it: the same fork shown again is no new evidence."""
        texts = (note.rpartition("\n\n")[0] for note in (self.held, self.offered))
        return digest("\n\n".join((self.why, *texts)).encode("utf-8"))


class Memory(Protocol):
    """What a witness remembers, within one transaction."""

    def last(self, region: str) -> Note | None:
        """The checkpoint cosigned last for a region, with this witness's cosignatures: the latest epoch and size."""

    def at(self, checkpoint: Checkpoint) -> Note | None:
        """What was cosigned at this origin and size, whatever its root."""

    def last_time(self) -> int:
        """The latest time (unix seconds) under any cosignature of this witness; 0 before the first."""

    def keep(self, note: Note, time: int) -> None:
        """Remembers a cosigned checkpoint, in place of the note at the same origin and size."""

    def seen(self, region: str) -> Note | None:
        """The newest checkpoint of a region that a node of another one showed."""

    def keep_seen(self, note: Note, time: int) -> None:
        """Remembers what was shown, in place of what was seen of that region before."""

    def forks(self, region: str) -> int:
        """How many pieces of evidence are kept of a region."""

    def keep_fork(self, fork: Fork) -> None:
        """Keeps evidence; the same fork again changes nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A region brings a checkpoint, under the roster of that moment. `given` is None where it could not be read."""

    roster: Roster
    region: str
    given: Submission | None


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The signature line, with the line feed at its end, and the time (unix seconds) under it."""

    line: str
    time: int


@dataclass(frozen=True, slots=True)
class HeldOther:
    """Another size was cosigned last: prove from there. `note` is what was cosigned; empty for size 0."""

    size: int
    note: str


@dataclass(frozen=True, slots=True)
class NotCosigned:
    """`note` is what was cosigned last, or empty; `fork` the evidence that this made."""

    why: Why
    note: str
    fork: Fork | None = None


Reply = Cosigned | HeldOther | NotCosigned

_NOTHING_SIGNED = frozenset({Why.MALFORMED, Why.OTHER_REGION, Why.UNKNOWN_KEY})
"""Reasons after which there is no checkpoint that the region's key has signed."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The caller's own last cosigned note (empty for none), the newest ones of other regions, and forks found."""

    own: str
    notes: tuple[str, ...]
    forks: tuple[Fork, ...] = ()


def add_checkpoint(memory: Memory, key: SigningKey, ask: Ask, now: int) -> Reply:
    """Cosigns what extends the log that this witness remembers, and remembers it.

    The time under a cosignature is `now` (unix seconds), but never before that of an earlier cosignature of this
    witness, whatever its clock does.
    """
    held = memory.last(ask.region)
    told = "" if held is None else held.to_text()
    if ask.given is None:
        return NotCosigned(Why.MALFORMED, told)
    keys = checkpoint_keys(ask.roster, ask.region, now)
    outcome = consider(None if held is None else held.checkpoint, ask.region, keys, ask.given)
    if isinstance(outcome, Rejected) and outcome.why in _NOTHING_SIGNED:
        return NotCosigned(outcome.why, told)
    note = _bare(ask.given.note, keys)
    known = _contradicted(memory, note, keys)
    if known is not None:
        return NotCosigned(Why.FORKED, told, _evidence(memory, Why.FORKED, known, note, now))
    match outcome:
        case Accepted(evidence=evidence):
            if evidence and held is not None:
                _evidence(memory, Why.BAD_RESET, held, note, now)
            return _cosigned(memory, key, note, now)
        case Conflict(size):
            return HeldOther(size, told if size else "")
        case Rejected(why, evidence):
            fork = _evidence(memory, why, held, note, now) if evidence and held is not None else None
            return NotCosigned(why, told, fork)


def _cosigned(memory: Memory, key: SigningKey, note: Note, now: int) -> Cosigned:
    """Keeps the first cosignature on a checkpoint and the newest: what is brought again and again takes no room."""
    time = max(now, memory.last_time())
    fresh = cosign(note, key, time)
    before = memory.at(note.checkpoint)
    mine = [one for one in before.signatures if one.name == witness_name(key.public)] if before is not None else []
    for one in (*mine[:1], fresh):
        note = note.with_signature(one)
    memory.keep(note, time)
    return Cosigned(fresh.line, time)


def exchange(memory: Memory, roster: Roster, region: str, shown: Sequence[Note], now: int) -> Exchanged:
    """Takes in what a node of `region` saw of other regions, and gives what this witness knows.

    Only what a region's live checkpoint key signed counts; cosignatures of others than live witnesses are dropped.
    """
    names = [PublicKey.from_hex(one) for one in sorted(witnesses(roster, now))]
    forks = []
    for note in shown[:MOST_NOTES]:
        fork = _take_in(memory, roster, region, note, names, now)
        if fork is not None:
            forks.append(fork)
    own = memory.last(region)
    others = sorted({str(member.region) for member in roster.members if member.role is Role.REGION} - {region})
    newest = (_newest(memory.last(one), memory.seen(one)) for one in others)
    texts = [one.to_text() for one in newest if one is not None]
    return Exchanged("" if own is None else own.to_text(), tuple(texts[:MOST_NOTES]), tuple(forks))


def _take_in(
    memory: Memory, roster: Roster, caller: str, note: Note, names: Sequence[PublicKey], now: int
) -> Fork | None:
    """Remembers a note if it is the newest of its region; the evidence where it contradicts what is known."""
    try:
        found = note.checkpoint
    except BadNote:
        return None
    if found.region == caller:
        return None
    before, cosigned = memory.seen(found.region), memory.at(found)
    if any(one is not None and one.text == note.text for one in (before, cosigned)):
        return None
    keys = checkpoint_keys(roster, found.region, now)
    bare = _bare(note, keys)
    if not bare.signatures:
        return None
    known = _contradicted(memory, note, keys)
    if known is not None:
        return _evidence(memory, Why.FORKED, known, _whole(bare, note, names), now)
    if before is None or _place(before) < _place(note) or not _bare(before, keys).signatures:
        memory.keep_seen(_whole(bare, note, names), now)
    return None


def _contradicted(memory: Memory, note: Note, keys: Sequence[PublicKey]) -> Note | None:
    """What is known at the note's origin and size and says something else: cosigned, or seen under a live key."""
    cosigned = memory.at(note.checkpoint)
    if cosigned is not None:
        return cosigned if cosigned.text != note.text else None
    seen = memory.seen(note.checkpoint.region)
    if seen is None or _place(seen) != _place(note) or seen.text == note.text:
        return None
    # Whoever had a key that was revoked since must not stand in the way of who holds the new one.
    return seen if _bare(seen, keys).signatures else None


def _bare(note: Note, keys: Iterable[PublicKey]) -> Note:
    """The note with one signature of each of these keys under its origin, and nothing else."""
    origin = note.checkpoint.origin
    signed = (
        next((one for one in note.signatures if signed_by(replace(note, signatures=(one,)), origin, key)), None)
        for key in keys
    )
    return replace(note, signatures=tuple(one for one in signed if one is not None))


def _whole(bare: Note, note: Note, names: Iterable[PublicKey]) -> Note:
    """The bare note with the valid cosignatures of these witnesses, the latest of each."""
    for key in names:
        alone = (replace(note, signatures=(one,)) for one in note.signatures if one.name == witness_name(key))
        valid = [(time, one) for one in alone if (time := cosigned_at(one, key)) is not None]
        if valid:
            bare = bare.with_signature(max(valid, key=lambda pair: pair[0])[1].signatures[0])
    return bare


def _evidence(memory: Memory, why: Why, held: Note, offered: Note, now: int) -> Fork:
    region = offered.checkpoint.region
    fork = Fork(region, why.value, now, held.to_text(), offered.to_text())
    if memory.forks(region) < MOST_FORKS:
        memory.keep_fork(fork)
    return fork


def _newest(cosigned: Note | None, seen: Note | None) -> Note | None:
    """The one further on; of two at one place the one that this witness cosigned."""
    if cosigned is None or (seen is not None and _place(cosigned) < _place(seen)):
        return seen
    return cosigned


def _place(note: Note) -> tuple[int, int]:
    found = note.checkpoint
    return found.epoch, found.size
