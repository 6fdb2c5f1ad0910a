"""Adjusted differences: worked out by hand, on the demo's families, and withheld where a stratum is too weak."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.truth import STATES, frame, wide
from coordinator.estimates import apart
from coordinator.estimates.absent import Split, remark
from coordinator.estimates.adjusted_difference import YES_OR_NO, Cells, cells, figures
from coordinator.estimates.mean import Grid
from coordinator.estimates.ratio import Figures, NoisyBlock
from coordinator.estimates.sets import Z95, Floats

UNITS = np.array([[[40.0, 60.0], [100.0, 200.0]]])
YES = np.array([[[8.0, 18.0], [50.0, 120.0]]])
"""One by-cell, two strata, two groups: .2 and .3 in the first stratum, .5 and .6 in the second."""
NAMES = ["low", "high"], ["without", "with"]


def exact(yes: Floats, units: Floats, variance: float = 0.0) -> Cells:
    return Cells(2 * yes - units, units, units, variance, variance)


def test_differences_are_averaged_by_the_strata_of_all_together() -> None:
    adjusted, naive = figures(exact(YES, UNITS), YES_OR_NO, *NAMES)
    assert adjusted.estimate == pytest.approx([0.1])
    assert naive.estimate == pytest.approx([138 / 260 - 58 / 140])
    assert adjusted.denominator.tolist() == [400.0]
    assert np.isnan(adjusted.numerator).all()
    assert adjusted.note == "against without"


def test_strata_weigh_by_their_units_in_every_group() -> None:
    """A third group changes the weights of the strata, and so the difference between the first two."""
    units = np.concatenate([UNITS, [[[300.0], [0.0]]]], axis=-1)
    yes = np.concatenate([YES, [[[0.0], [0.0]]]], axis=-1)
    yes[..., 1, 1] = 200 * 0.9
    found, _ = figures(exact(yes, units), YES_OR_NO, NAMES[0], ["a", "b", "c"])
    assert found.estimate[0] == pytest.approx((400 * 0.1 + 300 * 0.4) / 700)
    assert found.readable is not None
    assert found.readable.tolist() == [True, False]
    assert found.remarks == {(1,): "too few units of high in one of the two groups"}


def test_the_deviation_is_that_of_many_draws() -> None:
    """Delta method against draws of noise and of people: 100,000 of them, within 3%; a 1e-9 event is 1.4%."""
    draws, sd = np.random.default_rng(3), 6.0
    share = UNITS / UNITS.sum()
    units = draws.multinomial(400, share.ravel(), 100_000).reshape(-1, 2, 2).astype(float)
    yes = draws.binomial(units.astype(int), (YES / UNITS)[0]).astype(float)
    noise = draws.normal(0, sd, (2, *units.shape))
    noisy = Cells(2 * yes - units + noise[0], units + noise[1], units, sd**2, sd**2)
    expected = [found.std_error[0] for found in figures(exact(YES, UNITS, sd**2), YES_OR_NO, *NAMES)]
    drawn = [found.estimate.std() for found in figures(noisy, YES_OR_NO, *NAMES)]
    assert drawn == pytest.approx(expected, rel=0.03)


def test_a_mean_is_compared_on_its_own_grid() -> None:
    grid = Grid(Fraction(-1), Fraction(1, 2), 4, Fraction(1))
    steps = YES / UNITS * 4
    sums = Cells((2 * steps - 4) * UNITS, UNITS, UNITS, 0.0, 0.0)
    adjusted, _ = figures(sums, grid, *NAMES)
    assert adjusted.estimate == pytest.approx([0.2])
    weights = np.array([100, 300]) / 400
    assert adjusted.sampling_sd[0] ** 2 == pytest.approx(float((weights**2 * (1 / UNITS[0]).sum(axis=1)).sum()))


def test_regions_are_pooled_before_anything_is_compared() -> None:
    units = np.stack([UNITS.ravel(), UNITS.ravel()[::-1]])
    centred, weights = NoisyBlock(units * 0.5, 4.0), np.array([1000, 3000])
    own, together = (cells(centred, NoisyBlock(units, 9.0), 2, 2, 1.5, given) for given in (None, weights))
    assert own.units.shape == (2, 1, 2, 2)
    assert np.allclose(together.units.ravel(), units[0] + 3 * units[1])
    assert np.allclose(together.spread.ravel(), 1.5 * (units[0] + 9 * units[1]))
    assert (together.sums_variance, together.units_variance) == (40.0, 90.0)
    assert figures(own, YES_OR_NO, *NAMES)[0].estimate.shape == (2, 1)


@pytest.mark.parametrize(
    ("least", "sd", "readable", "bounded"),
    [(40.0, 5.0, True, True), (13.0, 5.0, False, True), (8.0, 5.0, False, False), (4.0, 0.5, False, True)],
    ids=["clear", "noisy", "unbounded", "fewer-than-five"],
)
def test_a_stratum_that_is_too_weak_withholds_the_row_and_is_named(
    least: float, sd: float, readable: bool, bounded: bool
) -> None:
    units = UNITS.copy()
    units[0, 0, 1] = least
    adjusted, naive = figures(exact(YES, units, sd**2), YES_OR_NO, *NAMES)
    assert adjusted.readable is not None
    assert naive.readable is not None
    assert (adjusted.readable.tolist(), naive.readable.tolist()) == ([readable], [True])
    assert bool(np.isfinite(adjusted.low).all()) is bounded
    named = {} if readable else {(0,): "too few units of low in one of the two groups"}
    assert dict(adjusted.remarks) == named


def test_a_regions_row_is_withheld_where_the_regions_are_weak_on_average() -> None:
    units = np.stack([UNITS, UNITS / 10])
    adjusted, _ = figures(exact(np.stack([YES, YES / 10]), units, 10.0**2), YES_OR_NO, *NAMES)
    assert adjusted.readable is not None
    assert adjusted.readable.tolist() == [[False], [False]]


def split(missing: int) -> Split:
    one = np.ones(13)
    return Split(one[missing:], 60 * one[missing:], one[:missing], 60 * one[:missing])


def regions_of(differences: Floats, units: float) -> tuple[Figures, Figures]:
    """Each region's own difference and that of all, with that many units in every cell."""
    there = np.full((len(differences), 1, 2, 2), units)
    yes = there * np.stack([0.3 + 0 * differences, 0.3 + differences], axis=-1)[:, np.newaxis, np.newaxis]
    own, together = exact(yes, there, 1.0), exact(yes.sum(axis=0), there.sum(axis=0), float(len(differences)))
    return figures(own, YES_OR_NO, *NAMES)[0], figures(together, YES_OR_NO, *NAMES)[0]


def test_missing_regions_widen_a_difference_by_what_regions_may_differ() -> None:
    own, together = regions_of(np.linspace(-0.2, 0.4, 10), 400.0)
    assert apart.widened(together, own, split(0), 0.1) is together
    estimated, planned, none = (
        apart.widened(together, here, split(3), sd) for here, sd in ((own, 0.1), (None, 0.1), (None, None))
    )
    told = [one.absent for one in (estimated, planned, none)]
    assert [one and one.source for one in told] == ["estimated", "planned", "none"]
    assert told[0] is not None
    # Regions of 1,600 units tell by how much they differ nearly without error; those that differ most weigh a bit more.
    assert told[0].deviation == pytest.approx([np.linspace(-0.2, 0.4, 10).std(ddof=1)], rel=0.05)
    assert told[0].quantile == pytest.approx([2.262], rel=0.05)
    share = (3 / 13) ** 2 * (1 / 10 + 1 / 3)
    assert planned.std_error**2 == pytest.approx(together.std_error**2 + share * 0.01)
    assert planned.high == pytest.approx(together.estimate + Z95 * planned.std_error)
    assert none.high == pytest.approx(together.high)
    assert remark(("AA",), planned, 0).endswith("a deviation between regions of 0.1 (planned)")
    assert "nothing for how they may differ" in remark(("AA",), none, 0)


def test_regions_that_are_alike_add_little_and_weak_ones_are_not_asked() -> None:
    alike = apart.widened(*regions_of(np.full(10, 0.1), 400.0)[::-1], split(3), None)
    assert alike.absent is not None
    assert (alike.absent.source, alike.absent.deviation.tolist()) == ("estimated", [0.0])
    weak = apart.widened(*regions_of(np.full(10, 0.1), 2.0)[::-1], split(3), 0.1)
    assert weak.absent is not None
    assert weak.absent.source == "planned"


def families() -> pd.DataFrame:
    """Thirty times the demo's families, so that chance plays little part; those with some help, known at both waves."""
    known = load_calibration()
    data = generate(7, known.sizes(known.households_t1, 30), known)
    homes = wide(pd.concat([frame(tables.household) for tables in data.values()], ignore_index=True), "hh_id")
    for wave in ("T0", "T1"):
        many = (homes[f"incidents__{wave}"] >= 22) | (homes[f"severe_act__{wave}"] == "yes")
        state = np.where(homes[f"incidents__{wave}"] == 0, "none", np.where(many, "frequent_or_severe", "some"))
        homes[f"state__{wave}"] = state
    wanted = ["incidents__T0", "severe_act__T0", "incidents__T1", "severe_act__T1", "help__T1"]
    return homes.dropna(subset=wanted).query("help__T1 != 'none'")


def test_on_the_demos_families_the_naive_difference_misleads_and_the_adjusted_one_finds_what_was_built_in() -> None:
    """Specialised help raises the odds that violence stops by 1.4, and families in more trouble get it more often.

    The built-in difference is that of those odds at each state's own chance; profile and region move it by little.
    """
    homes = families()
    cell = 2 * homes["state__T0"].map(STATES.index) + (homes["help__T1"] == "specialised")
    units, yes = (
        np.bincount(chosen, minlength=6).reshape(1, 3, 2).astype(float)
        for chosen in (cell, cell[homes["state__T1"] == "none"])
    )
    adjusted, naive = figures(exact(yes, units, 17.0**2), YES_OR_NO, STATES, ["general", "specialised"])
    odds, rate = load_calibration().number("stop_odds_specialised"), (yes / units)[0, :, 0]
    built_in = (units[0].sum(axis=1) / units.sum()) @ (odds * rate / (1 - rate + odds * rate) - rate)
    assert 0.03 < built_in < 0.07
    assert abs(adjusted.estimate[0] - built_in) < Z95 * adjusted.std_error[0]
    assert adjusted.low[0] > 0
    assert naive.high[0] < built_in
    assert naive.estimate[0] < 0.6 * adjusted.estimate[0]
