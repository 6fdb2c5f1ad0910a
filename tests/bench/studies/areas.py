"""Regions' own rows and the shrunk ones beside them: do they hold, how wide are they, how far off?

Known variance: the same set of the hypothesis, given the real sampling variance of A - theta B.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from coordinator.estimates.kinds import Measured, Summed
from coordinator.estimates.ratio import NoisyBlock, Ratio
from coordinator.estimates.sets import confidence_set, constant
from coordinator.estimates.shrunk import pull
from coordinator.estimates.status import clear
from tests.bench.studies import answers
from tests.bench.studies.asking import FIGURES, Programmes
from tests.bench.studies.batches import REGIONS, Drawn, figured
from tests.bench.studies.tally import Found

OWN = ("proportion, households", "proportion, children", "mean, children")


def areas(found: Found, setting: str, drawn: Drawn, asked: Programmes, blocks: Mapping[str, NoisyBlock]) -> None:
    """Regions' direct rows, and the shrunk ones beside them."""
    exact = {name: NoisyBlock(sums.reshape(REGIONS, -1).astype(np.float64), 0.0) for name, sums in drawn.sums.items()}
    scaled = {name: NoisyBlock(block.base, blocks[name].variance) for name, block in exact.items()}
    everybody = range(REGIONS)
    known, plain = (answers.answered(asked, some, everybody) for some in (blocks, scaled))
    for name in OWN:
        figure = FIGURES[name]
        here, without = (regional_ratio(figured(figure, asked, of)) for of in (known, plain))
        truth, own = drawn.regional(figure), figured(figure, asked, known).figures(here)
        theta = (truth - here.lower) / here.step
        variance = ((without.a - theta * without.b) ** 2).mean(axis=1, keepdims=True)
        ends = confidence_set(here.a, here.b, here.noise, constant(np.broadcast_to(variance, here.a.shape)))
        readable = clear(own)
        count = float(figure.count(drawn.expected(figure).mean(axis=(0, 1)))[0])
        found.tally(f"a region's {name}", setting).add(
            truth, (own.low, own.high), own.estimate, ~readable, count, here.step * (ends[1] - ends[0])
        )
        units = np.array([asked.expected[region].of(figure.unit) for region in asked.regions], np.float64)
        pulled = pull(here, units)
        kept = pulled.usable
        if kept.any():
            low, high, estimate = (x[:, kept] for x in (pulled.low, pulled.high, pulled.estimate))
            nothing = np.zeros_like(low, np.bool_)
            found.tally(f"shrunk {name}", setting).add(truth[:, kept], (low, high), estimate, nothing, count)
            found.duel(f"shrunk {name}", setting).add(truth, pulled.estimate, own.estimate, readable & kept)


def regional_ratio(summed: Summed) -> Ratio:
    if not isinstance(summed, Measured) or not isinstance(summed.here, Ratio):
        raise TypeError("expected regions with ratios of their own")
    return summed.here
