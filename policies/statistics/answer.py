"""A region's answer to a programme: noisy integers per block, as signed and stored. Never redrawn, never rounded."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

from policies.documents import Document
from policies.statistics.programme import Programme
from policies.study.text import CohortId, Hash, Name, RegionCode, SnapshotId


class BlockValues(Document):
    """One block's coordinates, row-major over its axes: base64 of big-endian signed 64-bit integers."""

    id: Name
    values: str

    def numbers(self) -> tuple[int, ...]:
        """The coordinates. Raises ValueError when the text is not whole 64-bit integers."""
        data = base64.b64decode(self.values, validate=True)
        if len(data) % 8 or base64.b64encode(data).decode("ascii") != self.values:
            raise ValueError("block values are whole 64-bit integers, in base64's one spelling")
        return struct.unpack(f">{len(data) // 8}q", data)


class Answer(Document):
    """What leaves a region. `snapshot` is random; nothing here is computed from rows without noise."""

    region: RegionCode
    programme: Hash
    cohort: CohortId
    snapshot: SnapshotId
    blocks: tuple[BlockValues, ...]

    def fits(self, programme: Programme) -> bool:
        """Whether the blocks are exactly those the programme asks regionally, with the right number of coordinates."""
        wanted = [(block.id, block.cells) for block in programme.of_mode("regional")]
        try:
            return [(block.id, len(block.numbers())) for block in self.blocks] == wanted
        except ValueError:
            return False


def block_values(block: str, numbers: Sequence[int]) -> BlockValues:
    """The stored form of one block's noisy coordinates (each within signed 64 bits)."""
    data = struct.pack(f">{len(numbers)}q", *numbers)
    return BlockValues(id=block, values=base64.b64encode(data).decode("ascii"))
