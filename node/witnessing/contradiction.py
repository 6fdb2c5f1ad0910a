"""When what a witness shows means that this node's ledger is not all there is. Pure.

A witness alone may lie, so its word for a size or a fork is not believed. What is believed is a checkpoint under this
region's own signature: nobody else can have made it, whoever shows it and however many others cosign our log. It is
proof that the key has signed a history that this ledger does not hold: a newer copy exists, or another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rondgang.keys import PublicKey
from rondgang.merkle import Tree
from rondgang.notes import BadNote, Checkpoint, Note, signed_by

Kind = Literal["behind", "reset", "forked"]

_SENTENCES: dict[Kind, str] = {
    "behind": "The region's record has {own} entries, and {by} saw {seen}: a newer copy of it exists.",
    "reset": "The region's record is of epoch {epoch}, and {by} saw epoch {seen_epoch}: it was reset after this copy.",
    "forked": "The region's record has {own} entries, and {by} saw another history of {seen}: two copies ran.",
}
_TO_DO: dict[Kind, str] = {
    "behind": "Its steward puts back the newer copy, or runs `rondgang node recover`.",
    "reset": "Its steward puts back the newer copy.",
    "forked": "Its steward stops the other copy, and runs `rondgang node recover`.",
}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A checkpoint of ours that `by` (a name or an address) showed, and that the ledger at `own` does not hold."""

    kind: Kind
    own: Checkpoint
    seen: Checkpoint
    by: str

    @property
    def sentence(self) -> str:
        """Both sizes, and what to do."""
        told = _SENTENCES[self.kind].format(
            own=self.own.size, epoch=self.own.epoch, seen=self.seen.size, seen_epoch=self.seen.epoch, by=self.by
        )
        return f"{told} {_TO_DO[self.kind]}"


def own_checkpoint(note: Note, region: str, keys: Iterable[PublicKey]) -> Checkpoint | None:
    """What the note says, if one of the region's own keys signed it."""
    try:
        found = note.checkpoint
    except BadNote:
        return None
    signed = found.region == region and any(signed_by(note, found.origin, key) for key in keys)
    return found if signed else None


def contradicted(own: Checkpoint, tree: Tree, seen: Checkpoint) -> Kind | None:
    """How a checkpoint that our key signed contradicts the ledger (`tree` at `own`); None where it belongs to it.

    An earlier epoch contradicts nothing: its log is closed, and what was seen of it is charged.
    """
    if seen.epoch != own.epoch:
        return "reset" if seen.epoch > own.epoch else None
    if seen.size > own.size:
        return "behind"
    return None if tree.root(seen.size) == seen.root else "forked"
