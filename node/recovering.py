"""Starting anew after a log was lost: what witnesses say was last, and the reset that charges all that was left."""

from __future__ import annotations

from dataclasses import dataclass

from rondgang.notes import Checkpoint


@dataclass(frozen=True, slots=True)
class Last:
    """The newest checkpoint that any witness saw of this region, and the names of those who answered.

    None where no witness ever saw one.
    """

    checkpoint: Checkpoint | None
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooFew:
    """Too few witnesses answered, or the coordinator alone; the sentence says which, and what to do."""

    sentence: str
