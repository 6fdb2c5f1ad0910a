"""Checkpoints of other regions, passed on between witnesses and nodes, so that nobody is shown a history of their own.

Pure: what was seen is given, what is new and what contradicts it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rondgang.notes import BadNote, Checkpoint, Note, signed_by

from node.witnessing.rule import cosigner
from policies.study.roster import Roster, checkpoint_keys


@dataclass(frozen=True, slots=True)
class Two:
    """Two notes of one origin and size with different roots, both signed by that region: proof of two histories."""

    one: Note
    other: Note

    @property
    def checkpoint(self) -> Checkpoint:
        return self.one.checkpoint


@dataclass(slots=True)
class Heard:
    """What was told: the notes worth keeping, and the contradictions among them and with what was kept."""

    news: list[Note] = field(default_factory=list)
    two: list[Two] = field(default_factory=list)


def hear(told: Iterable[Note], seen: Iterable[Note], region: str, roster: Roster, now: int) -> Heard:
    """Sorts what a witness told of other regions than `region` at `now` (unix seconds).

    Only a note that a live key of its region signed and a live witness cosigned counts.
    """
    heard = Heard()
    known = {(note.checkpoint.origin, note.checkpoint.size): note for note in seen}
    newest = _newest(known.values())
    for note in told:
        found = _credible(note, region, roster, now)
        if found is None:
            continue
        held = known.get((found.origin, found.size))
        if held is not None and held.checkpoint.root != found.root:
            heard.two.append(Two(held, note))
        if held is None and (found.epoch, found.size) > newest.get(found.region, (0, -1)):
            newest[found.region] = found.epoch, found.size
            known[found.origin, found.size] = note
            heard.news.append(note)
    return heard


def _credible(note: Note, region: str, roster: Roster, now: int) -> Checkpoint | None:
    try:
        found = note.checkpoint
    except BadNote:
        return None
    if found.region == region or cosigner(note, roster, now) is None:
        return None
    keys = checkpoint_keys(roster, found.region, now)
    return found if any(signed_by(note, found.origin, key) for key in keys) else None


def _newest(notes: Iterable[Note]) -> dict[str, tuple[int, int]]:
    newest: dict[str, tuple[int, int]] = {}
    for note in notes:
        found = note.checkpoint
        newest[found.region] = max(newest.get(found.region, (0, -1)), (found.epoch, found.size))
    return newest
