"""Which versions of the contract this build speaks, and how two builds agree on one."""

from collections.abc import Iterable
from dataclasses import dataclass

SPOKEN: tuple[int, ...] = (1,)
"""Versions that this build speaks, ascending. A version is dropped only with a new release of every party."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """The highest version that both sides speak."""

    version: int


@dataclass(frozen=True, slots=True)
class NoCommonVersion:
    """The two sides share no version. `behind` names the side to upgrade, "ours" or "theirs"."""

    ours: tuple[int, ...]
    theirs: tuple[int, ...]

    @property
    def behind(self) -> str:
        return "ours" if max(self.ours, default=0) < max(self.theirs, default=0) else "theirs"


def negotiate(ours: Iterable[int], theirs: Iterable[int]) -> Agreed | NoCommonVersion:
    """The highest common version. Symmetric in its two arguments; order and repeats do not matter."""
    mine, other = frozenset(ours), frozenset(theirs)
    shared = mine & other
    if shared:
        return Agreed(max(shared))
    return NoCommonVersion(tuple(sorted(mine)), tuple(sorted(other)))
