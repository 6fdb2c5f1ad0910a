"""What a node's vector was made of, and the commitment to it in the node's log.

The opening never leaves the node's home. An auditor who visits can have it compared with the data and with the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rondgang.canonical import digest

from policies.documents import Document, to_canonical
from policies.secure.lanes import WORD_BYTES, unpack
from policies.secure.rounds import Attempt
from policies.statistics.answer import BlockValues, block_values
from policies.statistics.programme import PlannedBlock
from policies.study.text import Hash, RegionCode, RunId, SnapshotId


class Opening(Document):
    """The exact sums of one attempt, weighted and multiplied, and every part of the noise that went with them.

    `salt` is 256 random bits in hexadecimal, `participants` the hash of their list; `parts` are those of
    `Group.parts`, each over all national blocks.
    """

    region: RegionCode
    run: RunId
    programme: Hash
    attempt: Attempt
    snapshot: SnapshotId
    participants: Hash
    salt: Hash
    sums: tuple[BlockValues, ...]
    parts: tuple[tuple[BlockValues, ...], ...]

    @property
    def commitment(self) -> str:
        """SHA-256 of the canonical bytes, hexadecimal.

        Privacy: hides sums and noise from whoever lacks the salt (SHA-256 with 256 random bits, as a commitment in the
        random-oracle model); computational. It binds: another opening for it would be a collision.
        """
        return digest(to_canonical(self))


def sums_of(sums: Mapping[str, Sequence[int]], blocks: Sequence[PlannedBlock]) -> tuple[BlockValues, ...]:
    """Sums by block, as they stand in an opening."""
    return tuple(block_values(block.id, sums[block.id]) for block in blocks)


def part_of(vector: bytes, blocks: Sequence[PlannedBlock]) -> tuple[BlockValues, ...]:
    """A vector over all these blocks, as it stands in an opening."""
    found, place = [], 0
    for block in blocks:
        end = place + WORD_BYTES * block.cells
        found.append(block_values(block.id, unpack(vector[place:end])))
        place = end
    return tuple(found)
