"""An example of a release: invented households, summed by the engine of a real answer, with the mechanism's own noise.

The rows lie in a scratch folder of the home for as long as it takes. The home's own snapshots are not opened, so
nothing here depends on real data; the ledger is not touched, so nothing is charged.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.example.households import invented
from node.home import Home
from node.importing.write import parquet
from node.mechanism import DiscreteGaussian, noisy
from node.snapshots import Snapshot
from node.understanding import Understood
from node.vectors.sums import Engine
from policies.secure.rounds import group_of
from policies.statistics.compile import Compilation
from policies.statistics.programme import PlannedBlock, Programme
from policies.statistics.readings import Reading, read_sums
from policies.statistics.statistic import Statistic

_UNNAMED = "0" * 32
"""In the place of a snapshot's id: what this is of is no snapshot."""


@dataclass(frozen=True, slots=True)
class Vector:
    """The whole numbers of one block, as they would leave the region; of a national one before it is masked."""

    block: str
    numbers: tuple[int, ...]
    multiplier: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One statistic on invented households: what would leave, and what that reads as beside what it is without noise.

    `noisy` and `plain` have the same rows; both None where only the desk can work the figure out.
    """

    statistic: Statistic
    vectors: tuple[Vector, ...]
    noisy: tuple[Reading, ...] | None
    plain: tuple[Reading, ...] | None


@dataclass(frozen=True, slots=True)
class Example:
    """Of a whole programme, in its order, on so many invented households, adults and children."""

    households: int
    adults: int
    children: int
    statistics: tuple[Shown, ...]


def example(home: Home, asked: Understood) -> Example:
    """Makes one, with fresh noise. Leaves nothing in the home. Raises OSError and SumsFailed.

    Privacy: no row of the home is read, so there is nothing to account for; the noise is drawn as for a real answer
    (node/mechanism.py), with the sigma of the signed programme.
    """
    programme, compilation = asked.programme, asked.compilation
    expected = asked.calendar.expected_of(programme.programme.cohort)[asked.region]
    exact = _sums(home, asked)
    drawn = {block.id: _drawn(exact[block.id], block, programme, asked.region) for block in programme.blocks}
    scales = {block.id: _step(block, programme, asked.region) for block in programme.blocks}
    base = {name: [number / scales[name] for number in numbers] for name, numbers in drawn.items()}
    blocks = {block.id: block for block in compilation.blocks}
    shown = tuple(
        Shown(
            statistic=one.statistic,
            vectors=tuple(Vector(name, tuple(drawn[name]), scales[name]) for name in one.blocks),
            noisy=read_sums(one, blocks, base, asked.codebook),
            plain=read_sums(one, blocks, exact, asked.codebook),
        )
        for one in compilation.statistics
    )
    return Example(expected.household, expected.adult, expected.child, shown)


def _sums(home: Home, asked: Understood) -> dict[str, list[int]]:
    """Exact sums of the invented rows, by the engine that sums real ones."""
    compilation: Compilation = asked.compilation
    expected = asked.calendar.expected_of(asked.programme.programme.cohort)[asked.region]
    folder = Path(tempfile.mkdtemp(prefix="example-", dir=home.root))
    try:
        for table, wide in invented(asked.codebook, expected, asked.region).items():
            (folder / f"{table}.parquet").write_bytes(parquet(wide))
        engine = Engine(folder)
        try:
            rows = Snapshot(_UNNAMED, asked.programme.programme.cohort, asked.programme.codebook_hash, folder)
            return engine.sums(rows, compilation.blocks)
        finally:
            engine.close()
    finally:
        shutil.rmtree(folder)


def _step(block: PlannedBlock, programme: Programme, region: str) -> int:
    """By what a block's numbers are divided to read them; of a national one with the region's weight."""
    return block.multiplier * (programme.steps[region] if block.mode == "national" else 1)


def _drawn(values: Sequence[int], block: PlannedBlock, programme: Programme, region: str) -> list[int]:
    """A block's numbers with noise: all of it of the region's own, or its parts of a national sum's.

    Privacy: the mechanism's own draws, see `example`.
    """
    group = group_of(programme)
    if block.mode == "regional" or group is None:
        return noisy(values, block)
    found = [_step(block, programme, region) * value for value in values]
    noise = DiscreteGaussian()
    for part in group.parts(block.scale):
        found = [one + more for one, more in zip(found, noise.draw(block.cells, part), strict=True)]
    return found


def figures_of(shown: Shown) -> Mapping[tuple[tuple[str, str], ...], tuple[float | None, float | None]]:
    """By cell what it reads as with noise, and without; empty where only the desk can work it out."""
    if shown.noisy is None or shown.plain is None:
        return {}
    return {one.cell: (one.figure, other.figure) for one, other in zip(shown.noisy, shown.plain, strict=True)}
