"""From noisy sums to ratios: each kind's algebra against the sums it stands for, and its noise against simulation."""

from fractions import Fraction

import numpy as np
import pytest

from coordinator.estimates import count, mean, proportion, transition
from coordinator.estimates.mean import NO_SD, Grid
from coordinator.estimates.ratio import NoisyBlock, Ratio, figures, pool


def _exact(values: list[list[int]], multiplier: int = 1) -> NoisyBlock:
    return NoisyBlock.answered(np.array(values) * multiplier, Fraction(8), multiplier)


def _noise_at(ratio: Ratio, theta: float) -> float:
    return float(ratio.noise.at(np.full_like(ratio.a, theta)).flat[0])


def test_the_multiplier_divides_values_and_noise() -> None:
    block = NoisyBlock.answered(np.array([[-7, 40]]), Fraction(25, 2), 5)
    assert block.base.tolist() == [[-1.4, 8.0]]
    assert block.variance == 6.25


def test_a_proportion_is_yes_over_units_with_independent_noise_in_both_blocks() -> None:
    ratio = proportion.ratio(NoisyBlock(np.array([[10.0]]), 9.0), NoisyBlock(np.array([[40.0]]), 16.0))
    found = figures(ratio)
    assert (found.numerator.item(), found.denominator.item(), found.estimate.item()) == (25.0, 40.0, 0.625)
    for p in (0.0, 0.3, 1.0):
        assert _noise_at(ratio, p) == pytest.approx((9 + (2 * p - 1) ** 2 * 16) / 4)


@pytest.mark.parametrize("centred", [-50, 0, 90])
def test_raw_numbers_are_never_clamped(centred: int) -> None:
    found = figures(proportion.ratio(_exact([[centred]]), _exact([[40]])))
    assert found.estimate.item() == (centred / 40 + 1) / 2
    assert found.low.item() < found.estimate.item() < found.high.item()


def test_a_mean_is_on_the_variables_own_scale() -> None:
    grid = Grid(Fraction(1), Fraction(1, 10), 90, Fraction(9, 5))
    indices = np.array([12, 90, 33, 0])
    ratio = mean.ratio(_exact([[int((2 * indices - 90).sum())]]), _exact([[4]]), grid)
    found = figures(ratio)
    assert found.estimate.item() == pytest.approx(1 + indices.mean() / 10)
    assert found.numerator.item() / found.denominator.item() == pytest.approx(found.estimate.item())
    assert found.sampling_sd.item() == pytest.approx(1.8 / 2)
    assert found.noise_sd.item() == pytest.approx(np.sqrt(_noise_at(ratio, indices.mean())) / 4 / 10)
    assert _noise_at(ratio, 45.0) == pytest.approx(64 / 4)


def test_a_mean_without_a_planning_sd_takes_the_largest_and_says_so() -> None:
    ratio = mean.ratio(_exact([[0]]), _exact([[25]]), Grid(Fraction(0), Fraction(1), 10, None))
    assert figures(ratio).sampling_sd.item() == pytest.approx(5 / 5)
    assert ratio.note == NO_SD


def test_a_row_share_has_its_own_cell_in_its_denominator() -> None:
    ratio = transition.ratio(_exact([[1, 2, 3, 4, 10, 20, 30, 40]]), 2)
    assert ratio.b.tolist() == [[3, 3, 7, 7, 30, 30, 70, 70]]
    assert figures(ratio).estimate[0].reshape(-1, 2).sum(axis=1).tolist() == pytest.approx([1, 1, 1, 1])
    three = transition.ratio(_exact([[1, 2, 3, 4, 5, 6, 7, 8, 9]]), 3)
    for p in (0.0, 0.2, 1.0):
        assert _noise_at(three, p) == pytest.approx(64 * ((1 - p) ** 2 + 2 * p**2))


@pytest.mark.parametrize("kind", ["proportion", "mean", "transition"])
def test_noise_variance_is_what_independent_noise_gives(kind: str) -> None:
    """200,000 draws: a variance is right to 0.32% (one deviation); false alarm at 2% below 1e-9."""
    rng = np.random.default_rng(11)
    one, two, three = (rng.normal(0, sd, (1, 200_000)) for sd in (30.0, 20.0, 30.0))
    theta = 0.3
    match kind:
        case "proportion":
            ratio = proportion.ratio(NoisyBlock(one, 900.0), NoisyBlock(two, 400.0))
        case "mean":
            theta = 2.5
            grid = Grid(Fraction(0), Fraction(1), 7, None)
            ratio = mean.ratio(NoisyBlock(one, 900.0), NoisyBlock(two, 400.0), grid)
        case _:
            ratio = transition.ratio(NoisyBlock(np.stack([one, three], axis=-1).reshape(1, -1), 900.0), 2)
    assert _noise_at(ratio, theta) == pytest.approx(float(np.var(ratio.a - theta * ratio.b)), rel=0.02)


def test_pooling_weights_sums_by_w_and_variances_by_its_square() -> None:
    ratio = proportion.ratio(_exact([[10], [-4]]), _exact([[40], [60]]))
    national = pool(ratio, np.array([500, 2000]))
    assert national.a.item() == 0.5 * 25 + 2 * 28
    assert national.b.item() == 0.5 * 40 + 2 * 60
    assert national.n.item() == 0.25 * 40 + 4 * 60
    assert national.noise.vb.item() == 4.25 * 64
    assert national.noise.cab.item() == 4.25 * 32


def test_pooled_counts_add_up_and_keep_their_poisson_slope_between_the_weights() -> None:
    even = pool(count.ratio(_exact([[30], [50]])), np.array([1000, 1000]))
    assert (even.a.item(), even.b.item(), even.n.item()) == (80.0, 1.0, 1.0)
    uneven = pool(count.ratio(_exact([[30], [50]]), 2.0), np.array([1000, 3000]))
    assert uneven.n.item() == pytest.approx(2 * (30 + 9 * 50) / (30 + 3 * 50))
    for counts in ([[-90], [40]], [[1], [-50]], [[0], [0]]):
        assert 1 <= pool(count.ratio(_exact(counts)), np.array([1000, 3000])).n.item() <= 3
