"""Shares at T1 among everybody of T0, corrected for those who left."""

from __future__ import annotations

from coordinator.estimates.attrition import Layout, corrected
from coordinator.estimates.kinds import Measured
from coordinator.estimates.known import Known
from coordinator.estimates.ratio import Ratio, pool_block
from coordinator.estimates.sets import Floats
from coordinator.estimates.status import clear
from coordinator.estimates.summing import weighting_of
from tests.bench.studies.asking import STATES_AFTER, Programmes
from tests.bench.studies.batches import Drawn, figured
from tests.bench.studies.tally import Found

TOTALS = "began"


def leavers(found: Found, setting: str, drawn: Drawn, weights: Floats, asked: Programmes, known: Known) -> None:
    """Of the country, with every region in; the direct share among those who stayed is compared with it."""
    rates = figured(STATES_AFTER, asked, known)
    statistic = asked.statistics[STATES_AFTER.statistic]
    (table,) = asked.statistics[TOTALS].compiled.blocks
    if not isinstance(rates.everywhere, Ratio):
        raise TypeError("expected a ratio")
    if isinstance(rates, Measured):
        own = known.regional[table]
        each = own.base.sum(axis=1)
        totals, weight = pool_block(own, known.weights), float((weights**2) @ each / (weights @ each))
    elif known.national is not None:
        totals = known.national.blocks[table]
        weight = weighting_of(asked.programme, known.national.regions, asked.expected, "household")
    layout = Layout((drawn.count, 3, 3), (1,), True)
    figures = corrected(rates.everywhere, totals, statistic.design_effect * weight, layout)
    shape = (drawn.count, 3)
    low, high, estimate = (x.reshape(shape) for x in (figures.low, figures.high, figures.estimate))
    truth, readable = drawn.of_everybody(STATES_AFTER, weights), clear(figures).reshape(shape)
    counts = STATES_AFTER.count(drawn.expected(STATES_AFTER).sum(axis=1).mean(axis=0))
    for place, row in enumerate(STATES_AFTER.rows):
        found.tally(f"corrected for attrition: {row}", setting).add(
            truth[:, place],
            (low[:, place], high[:, place]),
            estimate[:, place],
            ~readable[:, place],
            float(counts[place]),
        )
