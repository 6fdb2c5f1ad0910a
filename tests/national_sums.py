"""A finished national sum as honest regions give it: weighted exact sums, and the noise that they kept in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from node.secure.noise import Noise, draw_parts
from policies.secure.lanes import pack, total, unpack
from policies.secure.rounds import NationalSum, group_of, spare
from policies.statistics.answer import block_values
from policies.statistics.programme import Programme
from tests.node_world import RUN
from tests.secure_world import NoNoise

Sums = Mapping[str, Mapping[str, Sequence[int]]]
"""Exact sums in base units: by region, then by block id."""


def finished(
    programme: Programme, sums: Sums, kept_all: Sequence[str] = (), noise: Noise | None = None, run: str = RUN
) -> NationalSum:
    """The sum over the regions of `sums`, the survivors. Those of `kept_all` died before they took any noise back."""
    group = group_of(programme)
    assert group is not None
    blocks = programme.of_mode("national")
    most = spare(group, len(sums))
    taken = {region: 0 if region in kept_all else most for region in sorted(sums)}
    vectors = []
    for region, back in taken.items():
        step = programme.steps[region]
        vectors.append(pack([step * b.multiplier * value for b in blocks for value in sums[region][b.id]]))
        parts = draw_parts(noise or NoNoise(), group, blocks)
        vectors += parts[: len(parts) - back]
    numbers = unpack(total(sum(block.cells for block in blocks), vectors))
    values, start = [], 0
    for block in blocks:
        values.append(block_values(block.id, numbers[start : start + block.cells]))
        start += block.cells
    return NationalSum(
        run=run,
        programme="0" * 64,
        cohort=programme.programme.cohort,
        attempt=1,
        survivors="1" * 64,
        regions=tuple(taken),
        taken_back=taken,
        blocks=tuple(values),
    )
