"""What the studies of `make bench` measure are the figures that a desk writes: row by row, for one study of many."""

from __future__ import annotations

from math import isclose

import numpy as np
import pytest

from coordinator.estimate import all_rows
from coordinator.estimates.rows import NATIONAL, Row, Run
from coordinator.estimates.shrunk import pull
from tests.bench.studies import answers
from tests.bench.studies.areas import regional_ratio
from tests.bench.studies.asking import FIGURES, calendar
from tests.bench.studies.batches import REGIONS, Asking, Drawn, figured

STUDIES, CHOSEN = 3, 1


@pytest.mark.parametrize("missing", [0, 3])
def test_a_studys_figures_are_the_rows_of_a_desk(missing: int) -> None:
    draws = np.random.default_rng(11)
    asking = Asking.drawn(draws, 819, missing)
    asked = asking.regional
    drawn = Drawn.of(draws, asked, STUDIES, 819, 0.0)
    blocks = answers.regional(draws, asked, drawn.sums)
    known = answers.answered(asked, blocks, asking.some)
    multipliers = {block.id: block.multiplier for block in asked.programme.blocks}
    values = {}
    for place in asking.some:
        numbers = {name: block.base[place].reshape(STUDIES, -1)[CHOSEN] for name, block in blocks.items()}
        values[asked.regions[place]] = {
            name: np.rint(numbers[name] * multipliers[name]).astype(int).tolist() for name in numbers
        }
    rows = all_rows(Run("run-0000000000000000", 1), asked.programme, asked.codebook, calendar(819), values)
    for figure in FIGURES.values():
        summed = figured(figure, asked, known)
        found = summed.figures(summed.everywhere)
        mine = _rows(rows, "direct", figure.statistic, figure.measure, NATIONAL)
        for name, column in (("estimate", found.estimate), ("ci_low", found.low), ("ci_high", found.high)):
            for row, value in zip(mine, column.reshape(STUDIES, -1)[CHOSEN], strict=True):
                same = isclose(getattr(row, name), value, rel_tol=1e-9)
                assert same or (np.isnan(value) and row.status == "withheld")
    stopped = FIGURES["proportion, households"]
    units = np.array([asked.expected[region].household for region in known.answered], np.float64)
    pulled = pull(regional_ratio(figured(stopped, asked, known)), units)
    for place, region in enumerate(known.answered):
        (row,) = _rows(rows, "shrunk", stopped.statistic, stopped.measure, region)
        # How much regions differ is found by a search, to seven digits.
        assert isclose(row.estimate, pulled.estimate[place, CHOSEN], rel_tol=1e-6)
        assert isclose(row.ci_low, pulled.low[place, CHOSEN], rel_tol=1e-6)
    assert len(known.answered) == REGIONS - missing


def _rows(rows: tuple[Row, ...], estimator: str, statistic: str, measure: str, scope: str) -> list[Row]:
    key = (estimator, statistic, measure, scope)
    return [row for row in rows if (row.estimator, row.statistic, row.measure, row.scope) == key]
