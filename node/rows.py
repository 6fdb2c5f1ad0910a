"""The way from a snapshot's id to noisy sums. Opens a snapshot when it is summed, and never before."""

from __future__ import annotations

from collections.abc import Sequence

from node.home import Home
from node.mechanism import noisy
from node.snapshots import open_snapshot
from node.vectors.sums import Engine
from policies.statistics.blocks import Block
from policies.statistics.programme import PlannedBlock


class SnapshotRows:
    """The microdata of one home. Making one loads the engine and the sampler, and opens no data."""

    def __init__(self, home: Home) -> None:
        self._root = home.root
        self._engine = Engine(home.root / "scratch")

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        """The exact sums of each block: for `noisy`, and for nobody else."""
        return self._engine.sums(open_snapshot(self._root, snapshot), blocks)

    def noisy(self, values: Sequence[int], planned: PlannedBlock) -> list[int]:
        """See node/mechanism.py.

        Privacy: as `node.mechanism.noisy`.
        """
        return noisy(values, planned)

    def close(self) -> None:
        self._engine.close()
