"""What an attempt is about, and what is said in its rounds, as values. Nothing here has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from rondgang.signed import Signed

from policies.documents import from_canonical
from policies.rules.refusals import Refused
from policies.secure.group import Group
from policies.secure.lanes import WORD_BYTES
from policies.secure.rounds import group_of
from policies.statistics.programme import PlannedBlock, Programme


@dataclass(frozen=True, slots=True)
class Asked:
    """One attempt (from 1) at the national sums of a programme, in a run. Made by `of`."""

    run: str
    attempt: int
    signed: Signed
    programme: Programme
    group: Group

    @classmethod
    def of(cls, run: str, attempt: int, signed_programme: Signed) -> Self:
        """Raises BadDocument for what is no programme, ValueError for one without national sums."""
        programme = from_canonical(Programme, signed_programme.document)
        group = group_of(programme)
        if group is None or not programme.of_mode("national"):
            raise ValueError("this programme asks for no national sums")
        return cls(run, attempt, signed_programme, programme, group)

    @property
    def blocks(self) -> tuple[PlannedBlock, ...]:
        """The national blocks, in the order in which their coordinates stand in every vector."""
        return self.programme.of_mode("national")

    @property
    def vector_bytes(self) -> int:
        """The length of every vector of this attempt."""
        return WORD_BYTES * sum(block.cells for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Begin:
    """Draw keys. Both documents are signed canonical bytes, as all of them are here."""

    signed_order: bytes
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class Share:
    """Who takes part, with everybody's keys: seal shares for each of them."""

    signed_participants: bytes
    signed_keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Who sealed, and what they sealed for this region, by sender: charge, read, mask and send."""

    signed_sharing: bytes
    boxes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ShowList:
    """Whose vectors came: sign this list and no other."""

    signed_survivors: bytes


@dataclass(frozen=True, slots=True)
class Unmask:
    """The signatures under that list: give what takes the masks off, and the noise that is not needed."""

    signed_seen: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """The attempt is over, for all or for this region only."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Done:
    """The finished sum."""

    signed_sum: bytes


Round = Begin | Share | Send | ShowList | Unmask | Over | Done
"""What the desk says."""


@dataclass(frozen=True, slots=True)
class KeysSaid:
    signed_keys: bytes


@dataclass(frozen=True, slots=True)
class BoxesSaid:
    """By receiver."""

    boxes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class VectorSaid:
    masked: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeenSaid:
    signed_seen: bytes


@dataclass(frozen=True, slots=True)
class SharesSaid:
    """Of each survivor a share of its own seed, of each lost region one of its mask key; parts of its own noise."""

    own: Mapping[str, bytes] = field(repr=False)
    lost: Mapping[str, bytes] = field(repr=False)
    taken_back: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SumKept:
    """The hash (hex) of the finished sum's document: the region has stored it."""

    sum_hash: str


Reply = KeysSaid | BoxesSaid | VectorSaid | SeenSaid | SharesSaid | Refused
"""What a region says in a round of an attempt. `SumKept` comes after one."""
