"""The composite: half of the country asked now, the other half one cycle ago, and a country that moved since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.estimates.composite import Level, country
from coordinator.estimates.kinds import Summed
from coordinator.estimates.known import Known
from coordinator.estimates.ratio import Figures
from coordinator.estimates.sets import Floats
from coordinator.estimates.status import clear
from tests.bench.studies.asking import FIGURES, Programmes
from tests.bench.studies.batches import Drawn, figured
from tests.bench.studies.tally import Found

FIGURE = FIGURES["proportion, households"]
DRIFT = 0.02
"""The calendar's planned one."""
DRIFTS = (0.5, 1.0, 2.0)
LEVELS = {"halves alike": 0.0, "halves .05 apart": 0.27}
"""By how much (a logit) families of the other half stop more often: alike but for their regions, or as cities and
country may differ (ASSUMED)."""


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the country in one cycle: its studies, and what a desk knows of them."""

    drawn: Drawn
    asked: Programmes
    known: Known

    def truth(self, weights: Floats) -> Floats:
        return self.drawn.national(FIGURE, weights)[:, 0]


@dataclass(frozen=True, slots=True)
class Moved:
    """By how much the half that is not asked moved since, in planned deviations."""

    each: Floats

    @classmethod
    def drawn(cls, draws: np.random.Generator, studies: int) -> Moved:
        return cls(draws.standard_normal(studies))


def halves(found: Found, setting: str, weights: Floats, both: tuple[Half, Half], moved: Moved) -> None:
    """The half asked now, and the one of a cycle ago; both have the same sizes."""
    (now, mine), (then, theirs) = (_levels(figured(FIGURE, half.asked, half.known)) for half in both)
    whole = [country(one, other.carried(1, DRIFT), 0.5) for one, other in zip(now, then, strict=True)]
    estimate, low, high = (np.array([getattr(one, name) for one in whole]) for name in ("estimate", "low", "high"))
    readable = clear(mine) & clear(theirs)
    here, there = (half.truth(weights) for half in both)
    count = float(FIGURE.count(both[0].drawn.expected(FIGURE).sum(axis=1).mean(axis=0))[0])
    for factor in DRIFTS:
        truth = (here + there + factor * DRIFT * moved.each) / 2
        drifted = f"{setting}, drift {factor:g}x"
        found.tally("composite", drifted).add(truth, (low, high), estimate, ~readable, count)
        if factor == 1:
            found.duel("composite", drifted).add(truth, estimate, mine.estimate, readable)


def _levels(summed: Summed) -> tuple[list[Level], Figures]:
    one = summed.figures(summed.everywhere)
    columns = (one.estimate, one.std_error, one.noise_sd, one.low, one.high)
    return [Level.of(*map(float, row)) for row in zip(*columns, strict=True)], one
