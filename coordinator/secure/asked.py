"""What an attempt at national sums is about, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from rondgang.signed import Signed

from policies.documents import from_canonical
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
