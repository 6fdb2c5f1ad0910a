"""One batch of studies: what is asked of them, their exact sums, and what is true of them.

Truths: the superpopulation's value, given how the regions of a study differ. Of a national figure that is the value
among those who answer at T1, in every region that was asked, by weight times size; of a region's row that region's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.estimates.kinds import Summed
from coordinator.estimates.known import Known
from coordinator.estimates.sets import Floats
from tests.bench.studies.answers import Sums
from tests.bench.studies.asking import BETWEEN, Figure, Programmes, planned, sizes
from tests.bench.studies.drawing import Homes, draw
from tests.bench.studies.population import HOUSEHOLDS, RETAINED, Regions
from tests.bench.studies.summing import exact_sums

REGIONS = len(HOUSEHOLDS)
WEIGHT_SD = 0.4
"""Of the logarithms of the design weights."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Some studies: exact sums by block, and shares (studies x regions x ...) that are true of those who answer at T1.

    `everybody`: the same of all who were asked at T0. `homes` and `children`: how many these are, by region.
    """

    sums: Sums
    shares: Floats
    everybody: Floats
    homes: Floats
    children: Floats
    count: int

    @classmethod
    def of(cls, draws: np.random.Generator, asked: Programmes, studies: int, households: int, level: float) -> Drawn:
        each = np.array([round(n / RETAINED) for n in sizes(households).values()])
        homes, regions = Homes.drawn(draws, each), Regions.drawn(draws, studies, REGIONS, level)
        drawn = draw(draws, homes, regions)
        sums = {block.id: exact_sums(drawn, block, REGIONS) for block in asked.blocks}
        children = np.bincount(homes.region[homes.child], minlength=REGIONS)
        return cls(
            sums,
            regions.answering(),
            regions.everybody(),
            each.astype(np.float64),
            children.astype(np.float64),
            studies,
        )

    def expected(self, figure: Figure, place: slice | int = slice(None)) -> Floats:
        """Units by region and shares: studies x regions x ..."""
        units = self.homes if figure.unit == "household" else self.children
        return np.asarray((self.shares * units[:, None, None, None, None])[:, place])

    def national(self, figure: Figure, weights: Floats) -> Floats:
        """What is true of all regions asked, by weight: studies x rows."""
        units = self.expected(figure) * weights[:, None, None, None, None]
        return figure.true(units.sum(axis=1))

    def of_everybody(self, figure: Figure, weights: Floats) -> Floats:
        """The same of all families of T0, whether or not they answered at T1."""
        units = self.everybody * (self.homes * weights)[:, None, None, None, None]
        return figure.true(units.sum(axis=1))

    def regional(self, figure: Figure) -> Floats:
        """Regions x studies, of a figure with one row."""
        return np.asarray(figure.true(self.shares)[..., 0].T)


@dataclass(frozen=True, slots=True)
class Asking:
    """One batch: the programmes of both modes with the same weights, and which regions are missing in a second look."""

    regional: Programmes
    national: Programmes
    weights: Floats
    some: tuple[int, ...]
    fewer: tuple[int, ...]

    @classmethod
    def drawn(cls, draws: np.random.Generator, households: int, missing: int) -> Asking:
        weights = np.maximum(np.round(np.exp(draws.normal(0, WEIGHT_SD, REGIONS)), 1), 0.3)
        order = draws.permutation(REGIONS)
        return cls(
            planned("regional", households, weights),
            planned("national", households, weights),
            weights,
            tuple(sorted(order[missing:])),
            tuple(sorted(order[min(missing, 2) :])),
        )


def figured(figure: Figure, asked: Programmes, known: Known) -> Summed:
    """The product's own figures of this measure."""
    statistic = asked.statistics[figure.statistic]
    measures = known.figured(statistic, asked.programme, asked.codebook, asked.expected, float(BETWEEN))
    return next(one for one in measures if one.measure.name == figure.measure)
