"""Are shrunk regional figures nearer the truth, and do their intervals hold it? 10,000 studies a case, averaged over
the thirteen regions.

Sizes and noise are those of the shipped programme, noise from the product's own sampler. A region's true share is that
of a logit with this deviation between regions; its households differ by a tenth from what was expected.

False alarm: measured over 60,000 studies a case, coverage was 94.5-99.8% and each ratio of errors at least 0.02 below
its limit. A study's mean over 13 regions deviates by at most 0.14 (coverage), so that of 10,000 by at most 0.0014, and
a ratio of errors by less than 0.004: each bound lies five deviations or more away, and any of these assertions fails by
chance with probability below 1e-6. Surveys have fixed seeds, noise is fresh.
"""

import numpy as np
import pytest

from coordinator.estimates import proportion
from coordinator.estimates.fay_herriot import shrink
from coordinator.estimates.ratio import Ints, figures
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.shrunk import pull
from coordinator.estimates.status import clear
from tests.surveys import DRAWS, HOUSEHOLDS, REGIONS, block, survey

NATIONWIDE = np.round(HOUSEHOLDS * 3000 / 819).astype(np.int64)


def _study(sizes: Ints, share: float, between: float, seed: int) -> tuple[Floats, Ints, Ints]:
    """The regions' true shares, their households, and how many of them say yes; regions x studies."""
    draw, shape = survey(seed), (REGIONS, DRAWS)
    truth = 1 / (1 + np.exp(-np.log(share / (1 - share)) - between * draw.standard_normal(shape)))
    units = np.round(sizes[:, np.newaxis] * np.exp(0.1 * draw.standard_normal(shape))).astype(np.int64)
    return truth, units, draw.binomial(units, truth)


@pytest.mark.parametrize(
    ("sizes", "sigmas", "share", "between", "least", "most", "ratio"),
    [
        pytest.param(HOUSEHOLDS, (14, 16), 0.21, 0.15, 0.98, 1.0, 0.6, id="study_size"),
        pytest.param(HOUSEHOLDS, (14, 16), 0.5, 0.15, 0.98, 1.0, 0.6, id="study_size_half", marks=pytest.mark.slow),
        pytest.param(
            HOUSEHOLDS, (9, 10), 0.21, 0.15, 0.98, 1.0, 0.6, id="study_size_twice_the_price", marks=pytest.mark.slow
        ),
        pytest.param(HOUSEHOLDS, (14, 16), 0.21, 0.8, 0.93, 0.97, 1.0, id="regions_far_apart"),
        pytest.param(HOUSEHOLDS, (5, 6), 0.21, 0.5, 0.93, 0.97, 1.0, id="little_noise"),
        pytest.param(NATIONWIDE, (14, 16), 0.21, 0.15, 0.93, 0.99, 0.65, id="3000_households"),
        pytest.param(NATIONWIDE, (14, 16), 0.21, 0.5, 0.93, 0.97, 1.0, id="3000_households_far_apart"),
    ],
)
def test_shrunk_shares_are_nearer_the_truth_and_their_intervals_hold_it(
    sizes: Ints, sigmas: tuple[int, int], share: float, between: float, least: float, most: float, ratio: float
) -> None:
    truth, units, yes = _study(sizes, share, between, seed=1)
    asked = proportion.ratio(block(2 * yes - units, sigmas[0], 1), block(units, sigmas[1], 2))
    direct, found = figures(asked), pull(asked, sizes.astype(np.float64))
    held = (found.low <= truth) & (truth <= found.high)
    assert found.usable.mean() > 0.99
    assert least <= held[:, found.usable].mean() <= most
    readable = clear(direct) & found.usable
    off, raw = (found.estimate - truth)[readable], (direct.estimate - truth)[readable]
    assert np.sqrt((off**2).mean()) <= ratio * np.sqrt((raw**2).mean())


@pytest.mark.parametrize("regions", [5, 8, 13, pytest.param(26, marks=pytest.mark.slow)])
@pytest.mark.parametrize("between", [0.0, 0.25, 1.0, 4.0])
def test_the_model_itself_holds_with_few_and_many_regions(regions: int, between: float) -> None:
    """Variances that differ by a factor of three; `between` is A over their mean."""
    draw = survey(2)
    variances = draw.uniform(0.5, 1.5, (DRAWS, regions))
    truth = np.sqrt(between) * draw.standard_normal((DRAWS, regions))
    found = shrink(truth + np.sqrt(variances) * draw.standard_normal((DRAWS, regions)), variances)
    assert (np.abs(found.estimate - truth) <= Z95 * np.sqrt(found.mse)).mean() >= 0.93
