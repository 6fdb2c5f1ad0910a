"""The rounds of one attempt at a programme's national sums, as signed documents.

    keys      every region that attends signs two fresh public keys               SecureKeys, by the node
              the coordinator fixes who takes part                                Participants, by the coordinator
    sharing   each seals shares of its secrets for every other participant
              the coordinator fixes who did                                       Sharing
    vectors   each debits, reads, adds noise and masks, and sends its vector
              the coordinator fixes who survived                                  Survivors
    seen      each survivor signs that one list, and no other                     Seen, by the node
    unmask    shown the list with `threshold` such signatures, each gives the shares that take the masks off, and the
              parts of its noise that are not needed after all
    sum       everybody gets the finished sum                                     NationalSum

A later document names the hash of the one before, so a signature in one attempt says nothing in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, model_validator

from policies.documents import Document
from policies.secure.group import Group
from policies.statistics.answer import BlockValues
from policies.statistics.programme import PlannedBlock, Programme
from policies.study.enrolment import KeyHex
from policies.study.text import CohortId, Hash, RegionCode, RunId

MOST_AT_ONCE = 16
"""Attempts of different runs that a node keeps in memory, and the desk has under way."""
Attempt = Annotated[int, Field(ge=1, le=5)]
Regions = Annotated[tuple[RegionCode, ...], Field(min_length=1)]


class SecureKeys(Document):
    """One region's public X25519 keys for one attempt: `mask` for the masks, `box` for sealing shares."""

    region: RegionCode
    run: RunId
    programme: Hash
    attempt: Attempt
    mask: KeyHex
    box: KeyHex


class Participants(Document):
    """Who takes part in an attempt, each by the hash of its SecureKeys."""

    run: RunId
    programme: Hash
    attempt: Attempt
    keys: Annotated[dict[RegionCode, Hash], Field(min_length=1)]


class _Listed(Document):
    regions: Regions

    @model_validator(mode="after")
    def _ordered(self) -> _Listed:
        if list(self.regions) != sorted(set(self.regions)):
            raise ValueError("regions stand in order, each once")
        return self


class Sharing(_Listed):
    """The participants that sealed their shares: the ones between whom there are masks."""

    participants: Hash


class Survivors(_Listed):
    """The ones whose vectors are in the sum."""

    sharing: Hash


class Seen(Document):
    """A region has seen this list of survivors, and signs no other in this attempt."""

    region: RegionCode
    survivors: Hash


class NationalSum(Document):
    """The finished sums of one attempt, modulo nothing: each block's noisy national coordinates.

    `taken_back`: how many parts of its noise each survivor took back; the rest is in the sum.
    """

    run: RunId
    programme: Hash
    cohort: CohortId
    attempt: Attempt
    survivors: Hash
    regions: Regions
    taken_back: dict[RegionCode, int]
    blocks: tuple[BlockValues, ...]

    def fits(self, programme: Programme) -> bool:
        """Whether the blocks are the programme's national ones, and survivors and parts are possible."""
        wanted = [(block.id, block.cells) for block in programme.of_mode("national")]
        try:
            found = [(block.id, len(block.numbers())) for block in self.blocks]
        except ValueError:
            return False
        group = group_of(programme)
        return (
            found == wanted
            and group is not None
            and set(self.regions) <= set(programme.weights)
            and len(self.regions) >= group.fewest
            and set(self.taken_back) == set(self.regions)
            and all(0 <= parts <= spare(group, len(self.regions)) for parts in self.taken_back.values())
        )


def group_of(programme: Programme) -> Group | None:
    """The group behind a programme's national sums, if it has any. Raises ValueError where there can be none."""
    return None if programme.secure is None else programme.secure.group(len(programme.weights))


def spare(group: Group, survivors: int) -> int:
    """How many parts of its noise each survivor takes back: those for dropouts that did not happen.

    Privacy: with k = n - survivors dropouts each keeps parts 0..k, which is what the group needs for k. Taken back only
    for a list of survivors that `threshold` have signed, and nobody signs two, so that all keep for the same k; a
    survivor that gives nothing back only leaves more noise.
    """
    return group.dropouts - (group.regions - survivors)


def noise_variance(block: PlannedBlock, group: Group, taken_back: Iterable[int]) -> float:
    """The variance of the noise in a finished block, in its multiplied units squared, by what survivors took back."""
    parts = [float(part.fraction) ** 2 for part in group.parts(block.scale)]
    return sum(sum(parts[: len(parts) - taken]) for taken in taken_back)
