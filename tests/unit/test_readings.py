"""What sums read as at face value is what the desk estimates from the same sums where there is no noise."""

from __future__ import annotations

import numpy as np
import pytest

from coordinator.estimates.kinds import asked, measured
from coordinator.estimates.ratio import NoisyBlock
from policies.statistics.compile import compile_blocks
from policies.statistics.readings import read_sums
from policies.statistics.statistic import Statistic
from tests import national_study
from tests.kinds_asked import ASKED, BOOK

LATER = ("covariance", "correlation", "regression")


@pytest.mark.parametrize("place", range(len(ASKED)), ids=[str(one["kind"]) for one in ASKED])
def test_a_reading_is_the_desks_plain_figure(place: int) -> None:
    """Sums of units that are all different; a fixed seed."""
    compilation = compile_blocks((Statistic.model_validate({"id": "one", **ASKED[place]}),), BOOK)
    (compiled,) = compilation.statistics
    blocks = {block.id: block for block in compilation.blocks}
    rng = np.random.default_rng(7)
    units = {name: rng.integers(20, 60, block.cells) for name, block in blocks.items()}
    sums = {
        name: units[name] if block.summand.top == 1 and block.bound else units[name] * block.summand.top // 3
        for name, block in blocks.items()
    }
    plain = {name: [int(one) for one in values] for name, values in sums.items()}
    found = read_sums(compiled, blocks, plain, BOOK)
    if compiled.statistic.kind in LATER:
        assert found is None
        return
    assert found is not None
    noiseless = {name: NoisyBlock(np.array([values], np.float64), 0.0) for name, values in plain.items()}
    expected = national_study.calendar().expected_of("c1")
    statistic = asked(compiled, blocks, BOOK, [expected["AA"]])
    main = next(one for one in measured(statistic, noiseless, BOOK, np.array([1000])) if one.measure.main)
    desk = main.figures(main.here).estimate[0]
    if compiled.statistic.kind == "quantile":
        # The desk goes on a straight line within a leaf; a reading names its first value.
        assert [one.figure for one in found] == pytest.approx(desk, abs=1)
    else:
        assert [one.figure for one in found] == pytest.approx(desk)


def test_a_denominator_that_is_not_above_zero_reads_as_nothing() -> None:
    compilation = compile_blocks((Statistic.model_validate({"id": "one", **ASKED[2]}),), BOOK)
    blocks = {block.id: block for block in compilation.blocks}
    found = read_sums(compilation.statistics[0], blocks, {"one": [3, 0, -4], "n1": [9, 0, -2]}, BOOK)
    assert found is not None
    assert [one.figure for one in found] == [pytest.approx(12 / 18), None, None]
    assert found[0].cell == (("profile", "1"),)
