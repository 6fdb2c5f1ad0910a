"""A planning deviation that the programme states: it widens or narrows intervals, and changes nothing else."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from rondgang.canonical import decode

from audit.reprice.asked import read_asked
from coordinator.estimates import mean, paired_change
from coordinator.estimates.mean import PLANNED, Grid
from coordinator.estimates.ratio import NoisyBlock, figures
from coordinator.estimates.same import same_key
from policies.documents import to_canonical
from policies.statistics.compile import BadStatistic, compile_blocks
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from tests.small_study import codebook, planned

GRID = Grid(Fraction(0), Fraction(1), 4, Fraction(2))
EXACT = NoisyBlock(np.array([[30.0]]), 0.0)
UNITS = NoisyBlock(np.array([[100.0]]), 0.0)
MEAN = {"id": "m", "kind": "mean", "of": "incidents", "unit": "household", "wave": "T1"}
CHANGE = {"id": "c", "kind": "paired_change", "of": "incidents", "unit": "household", "wave": "T0->T1"}


def book() -> Codebook:
    """The small codebook, in which fewer incidents are better."""
    known = codebook()
    better = known.variables["incidents"].model_copy(update={"better": "lower"})
    return Codebook.model_validate(
        known.model_copy(update={"variables": {**known.variables, "incidents": better}}).model_dump(by_alias=True)
    )


def statistic(asked: dict[str, Any], **more: Any) -> Statistic:
    return Statistic.model_validate(asked | more)


def test_a_means_sampling_error_is_that_of_the_stated_deviation() -> None:
    usual = figures(mean.ratio(EXACT, UNITS, GRID))
    stated = figures(mean.ratio(EXACT, UNITS, Grid(Fraction(0), Fraction(1), 4, Fraction(1), stated=True)))
    assert usual.std_error[0, 0] == pytest.approx(2 / 10)
    assert stated.std_error[0, 0] == pytest.approx(1 / 10)
    assert stated.estimate == usual.estimate


def test_a_changes_deviation_is_that_of_the_change_itself() -> None:
    directions = NoisyBlock(np.array([[30.0, 40.0, 30.0]]), 0.0)
    usual = figures(paired_change.change(EXACT, directions, GRID))
    stated = paired_change.change(EXACT, directions, GRID, sd=Fraction(3))
    assert usual.std_error[0, 0] == pytest.approx(2 * 2**0.5 / 10)
    assert figures(stated).std_error[0, 0] == pytest.approx(3 / 10)
    assert stated.note == PLANNED


@pytest.mark.parametrize("asked", [MEAN, CHANGE])
def test_it_changes_no_block_and_asks_the_same_question(asked: dict[str, Any]) -> None:
    plain, stated = statistic(asked), statistic(asked, sd="1")
    assert compile_blocks((plain,), book()).blocks == compile_blocks((stated,), book()).blocks
    assert same_key(plain, book()) == same_key(stated, book())


@pytest.mark.parametrize(("asked", "sd"), [(MEAN, "0"), (MEAN, "-1"), (MEAN, "2.5"), (CHANGE, "0"), (CHANGE, "4.5")])
def test_one_that_cannot_be_is_refused(asked: dict[str, Any], sd: str) -> None:
    with pytest.raises(BadStatistic, match="planning deviation above 0"):
        compile_blocks((statistic(asked, sd=sd),), book())


def test_other_kinds_have_none() -> None:
    share = {"id": "p", "kind": "proportion", "of": "help == yes", "unit": "household", "wave": "T1", "sd": "1"}
    with pytest.raises(BadStatistic, match="belongs to a mean or a paired change"):
        compile_blocks((statistic(share),), book())


def test_the_auditor_reads_and_prices_a_programme_that_states_one() -> None:
    made = planned()
    means = [one.id for one in made.statistics if one.kind == "mean"]
    stated = tuple(one.model_copy(update={"sd": Decimal("0.2")}) if one.id in means else one for one in made.statistics)
    data = to_canonical(made.model_copy(update={"statistics": stated}))
    assert means
    body = decode(data)
    assert isinstance(body, dict)
    asked = read_asked(body)
    assert [one.id for one in asked.statistics] == [one.id for one in made.statistics]
