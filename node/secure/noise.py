"""Where the noise of a national sum comes from. The product has one source (node/mechanism.py), tests their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from policies.secure.group import Group
from policies.secure.lanes import pack
from policies.statistics.programme import PlannedBlock
from policies.units.noise import Sigma


class Noise(Protocol):
    """Fresh noise for so many coordinates. Given to a constructor: no setting or switch chooses another."""

    def draw(self, cells: int, sigma: Sigma) -> Sequence[int]: ...


def draw_parts(noise: Noise, group: Group, blocks: Sequence[PlannedBlock]) -> tuple[bytes, ...]:
    """The d + 1 parts of this node's noise, each one vector over all these blocks (policies/secure/lanes.py).

    Raises ArithmeticError where the source draws another number of coordinates.

    Privacy: every coordinate of every part is a draw of its own, of the scale that `Group.parts` gives, rounded up
    there; what is claimed of them together, and against whom, stands there too.
    """
    scales = [group.parts(block.scale) for block in blocks]
    return tuple(_part(noise, place, scales, blocks) for place in range(group.dropouts + 1))


def _part(noise: Noise, place: int, scales: Sequence[Sequence[Sigma]], blocks: Sequence[PlannedBlock]) -> bytes:
    values: list[int] = []
    for block, parts in zip(blocks, scales, strict=True):
        drawn = noise.draw(block.cells, parts[place])
        if len(drawn) != block.cells:
            raise ArithmeticError("the noise does not have the shape of its block")
        values.extend(drawn)
    return pack(values)
