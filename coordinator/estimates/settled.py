"""Kinds that are worked out from their noisy blocks as a whole, and not as one ratio: their figures, with names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np

from coordinator.estimates import adjusted_difference, quantile
from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import Figures, Ints, NoisyBlock
from policies.statistics.adjusted_difference import left
from policies.statistics.blocks import Axis, Block
from policies.statistics.compile import Compiled
from policies.statistics.statistic import Kind
from policies.study.codebook import Codebook

SETTLED: tuple[Kind, ...] = ("adjusted_difference", "quantile")


def settled(
    compiled: Compiled,
    main: Block,
    blocks: Sequence[NoisyBlock],
    scale: Grid,
    codebook: Codebook,
    effect: float,
    weights: Ints | None = None,
) -> tuple[Figures, ...]:
    """The statistic's measures, in order: each region's own, or with `weights` those of all regions together.

    `main` is its first block and `scale` the grid of its number. Without `weights` and with blocks of one row of cells
    (a national sum) they are those of the sum.
    """
    if compiled.statistic.kind == "adjusted_difference":
        *strata, groups = [axis for axis in main.axes[len(compiled.statistic.by) :] if isinstance(axis, Axis)]
        kept = [left(main.selection.where, axis) for axis in (*strata, groups)]
        names = [
            [f"{axis.ref.text}={codebook.columns[axis.ref.name].codes[place]}" for place in places]
            for axis, places in zip((*strata, groups), kept, strict=True)
        ]
        sizes = [axis.size for axis in strata]
        found = adjusted_difference.cells(blocks[0], blocks[1], prod(sizes), groups.size, effect, weights)
        rows = [int(np.ravel_multi_index(places, sizes)) for places in product(*kept[:-1])]
        told = [", ".join(codes) for codes in product(*names[:-1])]
        return adjusted_difference.figures(found.only(rows, kept[-1]), scale, told, names[-1])
    parts = [float(at) for at in compiled.statistic.at]
    leaves = quantile.leaves(blocks, effect, weights)
    edges = [low * (scale.top + 1) // leaves.counts.shape[-1] for low in range(leaves.counts.shape[-1] + 1)]
    return (quantile.figures(leaves, edges, parts, scale),)
