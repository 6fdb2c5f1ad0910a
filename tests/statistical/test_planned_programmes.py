"""Does a planned programme meet its targets, and is it the cheapest? 20 generated files of targets, by other hands.

Price: within 5% of a convex optimum that scipy's SLSQP finds in the logarithms of the variances, from formulas written
for these tests (tests/target_sets.py), in the modes that planning chose; and within 5% of that of any modes that differ
from them in one statistic, or in all.

Rate: figures are drawn anew with the programme's own noise and sampling, each with its true value in three places:
where its error is widest, in the middle, and anywhere. Stated: a figure is further than its target from the truth in
at most 5% of the studies. Of 4,000 studies the share of misses has a standard deviation of 0.35%, so each figure is
allowed 6.5%: a true 5% is turned down with probability below 1e-5 a figure. Over the figures of a set it is 5% at most;
most have room, since no figure is at its worst value in every region. Seeds are fixed: nothing fails by chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import NonlinearConstraint, minimize

from coordinator.planning.found import Found, cheapest_programme
from coordinator.planning.problem import Study
from policies.secure.rounds import group_of, noise_variance
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import PlannedBlock
from tests.target_sets import Asked, TargetSet, blocks_of, calendar, codebook, generated, limits, units

SETS = 20
QUICK = (1, 6, 7, 11, 14)
STUDIES = 4000
Floats = NDArray[np.float64]
EACH = pytest.mark.parametrize(
    "seed", [seed if seed in QUICK else pytest.param(seed, marks=pytest.mark.slow) for seed in range(SETS)]
)


@cache
def planned(seed: int) -> tuple[TargetSet, Found]:
    made = generated(seed)
    found = cheapest_programme(made.targets(), Study(codebook(), calendar()))
    assert isinstance(found, Found)
    return made, found


def optimum(made: TargetSet, modes: dict[str, str]) -> float:
    """The least price in these modes, in rho, by SLSQP; its noise keeps every limit at a fine grid of true values."""
    steps = made.steps()
    bounds = {
        name: one.bounds()[part] * (steps.max() if modes[one.id] == "national" else 1)
        for one in made.asked
        for part, name in blocks_of(one, modes[one.id]).items()
    }
    names = sorted(bounds, key=str)
    costs = np.array([bounds[name] ** 2 / 2 for name in names])
    fine = _Convex.of(made, modes, names)

    def price(u: NDArray[np.float64]) -> float:
        return float(np.log((costs * np.exp(-u)).sum()))

    def slope(u: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(-costs * np.exp(-u) / (costs * np.exp(-u)).sum())

    variances, rows = fine.alone() / 3, np.zeros(len(fine.most), bool)
    rows[::8] = True
    for _ in range(8):
        some = fine.only(rows)
        found = minimize(
            price,
            np.log(variances),
            jac=slope,
            constraints=[NonlinearConstraint(some.left, 0, np.inf, jac=some.slopes_left)],
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-9},
        )
        variances = np.exp(found.x)
        over = fine.used(variances) > 1 + 1e-6
        if not over.any():
            break
        rows |= over
    while (used := fine.used(variances).max()) > 1 + 1e-9:
        variances *= 1 - min(0.1, used - 1)
    return float((costs / variances).sum())


@dataclass(frozen=True, slots=True)
class _Convex:
    """The rows of `Limit` as arrays, and what is left of each at the logarithms of variances: a geometric programme."""

    matrix: Floats
    constant: Floats
    most: Floats
    its: Floats
    both: Floats
    denominators: NDArray[np.int64]

    @classmethod
    def of(cls, made: TargetSet, modes: dict[str, str], names: list[Any]) -> _Convex:
        rows = [limit for one in made.asked for limit in limits(one, modes[one.id], made.steps())]
        return cls(
            np.array([[row.slopes.get(name, 0.0) for name in names] for row in rows]),
            np.array([row.constant for row in rows]),
            np.array([row.most for row in rows]),
            np.array([row.its for row in rows]),
            np.array([row.both for row in rows]),
            np.array([names.index(row.denominator) for row in rows]),
        )

    def only(self, rows: NDArray[np.bool_]) -> _Convex:
        """Some of the rows, and all of every block that none of them limits."""
        bare = ~(self.matrix[rows] > 0).any(axis=0)
        rows = rows | (self.matrix[:, bare] > 0).any(axis=1)
        return _Convex(
            self.matrix[rows],
            self.constant[rows],
            self.most[rows],
            self.its[rows],
            self.both[rows],
            self.denominators[rows],
        )

    def used(self, variances: Floats) -> Floats:
        """The part of each limit that is used."""
        first, units_noise = self.matrix @ variances + self.constant, variances[self.denominators]
        second = 3 * (first * self.its * units_noise + 2 * (self.both * units_noise) ** 2)
        return np.asarray((first + second) / self.most)

    def left(self, u: Floats) -> Floats:
        return np.asarray(1 - self.used(np.exp(u)))

    def slopes_left(self, u: Floats) -> Floats:
        v = np.exp(u)
        units_noise = v[self.denominators]
        first = self.matrix @ v + self.constant
        slopes = self.matrix * (1 + 3 * self.its * units_noise)[:, np.newaxis]
        rows = np.arange(len(first))
        slopes[rows, self.denominators] += 3 * first * self.its + 12 * self.both**2 * units_noise
        return np.asarray(-slopes * v / self.most[:, np.newaxis])

    def alone(self) -> Floats:
        """About the largest that each variance could be by itself."""
        room = (self.most - self.constant)[:, np.newaxis]
        return np.asarray(1 / (self.matrix / room).max(axis=0))


@EACH
def test_it_costs_within_five_percent_of_the_least_there_can_be(seed: int) -> None:
    made, found = planned(seed)
    chosen = {line.statistic: str(line.mode) for line in found.lines}
    best = optimum(made, chosen)
    ratio = float(found.rho.rho) / best
    print(f"set {seed:2d}: {len(made.asked)} statistics, rho {found.rho.text()}, optimum {best:.6f}, ratio {ratio:.5f}")
    assert 0.99 <= ratio <= 1.05
    assert found.gap < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SETS))
def test_no_other_modes_would_be_cheaper(seed: int) -> None:
    """With any one statistic asked the other way, and with all of them asked regionally."""
    made, found = planned(seed)
    chosen = {line.statistic: str(line.mode) for line in found.lines}
    free = [one.id for one in made.asked if "regional" not in one.targets]
    others = [chosen | {name: "regional" if chosen[name] == "national" else "national"} for name in free]
    for modes in (chosen | dict.fromkeys(free, "regional"), *others):
        assert float(found.rho.rho) <= 1.05 * optimum(made, modes)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure over many studies: the units of the regions in it, and each block's noise variance in that scope."""

    one: Asked
    counts: Floats
    weights: Floats
    noise: dict[str, float]

    def misses(self, rng: np.random.Generator, theta: float, target: float) -> float:
        """The part of the studies whose figure is further than the target from the true one, theta on the grid."""
        one, n = self.one, self.counts * self.one.share_of_units()
        drawn = np.zeros(STUDIES)
        for each, weight in zip(n, self.weights, strict=True):
            drawn += weight * (
                theta * each + sqrt(one.effect * one.per_unit(theta) * each) * rng.standard_normal(STUDIES)
            )
        whole = float((self.weights * n).sum())
        of = {part: sqrt(v) * rng.standard_normal(STUDIES) for part, v in self.noise.items()}
        if one.kind in ("proportion", "mean"):
            top = drawn + (of["sum"] + one.top * of["units"]) / 2
            bottom = whole + of["units"]
        elif one.kind == "paired_change":
            bottom = whole + sqrt(3) * of["units"]
            top = drawn + of["sum"] + one.top / 2 * sqrt(3) * of["units"]
        else:
            others = sqrt((one.places - 1) * self.noise["units"]) * rng.standard_normal(STUDIES)
            top, bottom = drawn + of["units"], whole + of["units"] + others
        return float(np.mean(np.abs(top / bottom - theta) * one.step > target))


def _drawings(made: TargetSet, found: Found) -> Iterator[tuple[Drawing, str, float, int]]:
    """Every figure with a target: nationally, and in each region; with how many regions there are."""
    programme, codes = found.programme, sorted(calendar().cohorts["c3"].expected)
    compiled = {one.statistic.id: one for one in compile_blocks(programme.statistics, codebook()).statistics}
    planned_blocks = {block.id: block for block in programme.blocks}
    group, steps = group_of(programme), np.array([programme.steps[code] for code in codes], float)
    for one in made.asked:
        mine, counts = compiled[one.id], units(one.written["unit"])
        names = {"units": mine.blocks[-1]} | ({"sum": mine.sums[0]} if "sum" in one.bounds() else {})
        noise = {part: planned_blocks[name] for part, name in names.items()}
        for scope, target in one.targets.items():
            if scope == "national":
                national = {p: _in_sum(b, group, steps, one.id, found) for p, b in noise.items()}
                yield Drawing(one, counts, steps, national), scope, target, 1
                continue
            own = {part: _own(block) for part, block in noise.items()}
            for count in counts:
                yield Drawing(one, np.array([count]), np.ones(1), own), scope, target, len(counts)


def _own(block: PlannedBlock) -> float:
    return float(block.scale.fraction / block.multiplier) ** 2


def _in_sum(block: PlannedBlock, group: Any, steps: Floats, statistic: str, found: Found) -> float:
    if block.mode == "regional":
        return _own(block) * float((steps**2).sum())
    return noise_variance(block, group, [group.dropouts] * group.regions) / block.multiplier**2


def _truths(one: Asked, drawing: Drawing, rng: np.random.Generator) -> Iterator[float]:
    thetas = np.linspace(0, one.top, 101)
    n = float((drawing.weights * drawing.counts).sum()) * one.share_of_units()
    effect = float((drawing.weights**2 * drawing.counts).sum() / (drawing.weights * drawing.counts).sum()) * one.effect
    spread = [sum(drawing.noise[p] * k for p, k in one.noise(t).items()) + effect * n * one.per_unit(t) for t in thetas]
    yield float(thetas[int(np.argmax(spread))])
    yield one.top / 2
    yield float(rng.uniform(0, one.top))


@EACH
def test_its_figures_meet_their_targets_at_the_stated_rate(seed: int) -> None:
    made, found = planned(seed)
    rng = np.random.default_rng(1000 + seed)
    worst, every = 0.0, []
    for drawing, scope, target, regions in _drawings(made, found):
        missed = [drawing.misses(rng, theta, target) for theta in _truths(drawing.one, drawing, rng)]
        worst = max(worst, *missed)
        every.append((np.mean(missed), 1 / regions))
        assert max(missed) <= 0.065, (drawing.one.id, scope, missed)
    mean = float(np.average([miss for miss, _ in every], weights=[part for _, part in every]))
    print(f"set {seed:2d}: {len(every)} figures, worst {1 - worst:.4f}, mean {1 - mean:.4f} within the target")
    assert mean <= 0.05
