"""What a target asks of the noise: squares of margins, as they come from the noise variances of a statistic's blocks.

A target holds where each of these does, in its scope (the country with the programme's weights and every region there,
or the region with the fewest units):

- the margin as `price` shows it (p = .5, the middle of a number's bounds) is at most the target;
- so is that of any other value the figure may turn out to have, or of those between the bounds that the researcher
  gave: a share near 0 or 1 moves with its denominator's noise, which at one half it does not feel. What a noisy
  denominator adds to the second order counts here too;
- the denominator stands clear of its own noise, so that the row is not withheld (see status);
- of a kind whose figures are no plain ratio, no block that the expected figure hardly feels has more noise than the
  units themselves spread it: the real figure may feel it.

The squares are sums of the noise variances times public numbers, but for a few kinds in which they are nearly so. All
come from the formulas of the estimates themselves (see margins): there is no second one here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from coordinator.estimates.kinds import Summed
from coordinator.estimates.margins import Expectation, at_half
from coordinator.estimates.ratio import Figures, Ratio
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import OWN, clear
from policies.statistics.statistic import Kind

Scope = Literal["national", "regional"]
ANY_VALUE: frozenset[Kind] = frozenset(
    ("proportion", "mean", "transition", "histogram", "cross_table", "paired_change")
)
"""Kinds whose margin is asked of every value that the figure may have."""
PLAIN = ANY_VALUE | {"count", "sum"}
"""Kinds whose expected margin feels the noise of every block."""


_STEPS = 16
"""Into how many parts the values that a figure may have are split."""


@dataclass(frozen=True, slots=True)
class Between:
    """Where a figure is expected to lie, in its own unit; its whole range where nothing is said."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """Squares that must stay below the target's square, and parts that must stay below one; in a fixed order.

    `margin` is the one that `price` shows, and the root of the first square. `readable`: the row would not be withheld.
    Values are NaN where a kind has no figure at such noise.
    """

    margin: float
    squares: Floats
    parts: Floats
    readable: bool

    @property
    def widest(self) -> float:
        """The margin whatever the figure turns out to be."""
        return float(np.sqrt(self.squares.max()))


def needs(expectation: Expectation, scope: Scope, between: Between, unfelt: frozenset[str] = frozenset()) -> Needs:
    """What the statistic has of each at the programme's own noise. `unfelt`: blocks held to the units' own spread."""
    main, ratio, place = _main(expectation, scope)
    shown = main.figures(at_half(ratio))
    margin = float(Z95 * shown.std_error[place])
    others: list[float] = []
    if expectation.statistic.kind in ANY_VALUE and isinstance(ratio, Ratio):
        others = [Z95**2 * _square(ratio, theta, place) for theta in _values(ratio, between)]
    parts = [*_drowned(shown, place), *spread(expectation, scope, unfelt)]
    return Needs(margin, np.array([margin**2, *others]), np.array(parts), bool(clear(shown)[place]))


def span(expectation: Expectation) -> tuple[float, float] | None:
    """The figure's lowest and highest value, in its own unit; None where it has no such ends."""
    _, ratio, _ = _main(expectation, "national")
    if expectation.statistic.kind not in ANY_VALUE or not isinstance(ratio, Ratio):
        return None
    return ratio.lower, ratio.lower + float(ratio.step * np.max(ratio.top))


def _main(expectation: Expectation, scope: Scope) -> tuple[Summed, Ratio | Figures, tuple[int, ...]]:
    """The main measure, of the country or of each region; and the place of its first cell, in the smallest region."""
    if scope == "national":
        together = expectation.together()
        return together, together.everywhere, (together.measure.shown,)
    each = expectation.each()
    return each, each.here, (int(np.argmin(list(expectation.units.values()))), each.measure.shown)


def _values(ratio: Ratio, between: Between) -> list[float]:
    """Values on the grid that stand for all: steps over the range, and where a planning deviation stops being possible.

    A share of unit values p has variance p (top - p) at most, so at both ends there is no sampling, only noise.
    """
    top = float(np.max(ratio.top))
    low = 0.0 if between.low is None else max(0.0, (between.low - ratio.lower) / ratio.step)
    high = top if between.high is None else min(top, (between.high - ratio.lower) / ratio.step)
    found = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    if ratio.law == "constant" and top**2 >= 4 * ratio.per_unit:
        root = float(np.sqrt(top**2 / 4 - ratio.per_unit))
        found += [each for each in (top / 2 - root, top / 2 + root) if low <= each <= high]
    return found


def _square(ratio: Ratio, theta: float, place: tuple[int, ...]) -> float:
    """The mean square error of the figure if its value on the grid is theta, in its own unit.

    To the second order in the noise of the denominator B: with w = A - theta B of variance V, b the noise in B and C
    their covariance, w / (B + b) has mean square [V + 3 (V var(b) + 2 C^2) / B^2] / B^2. The first order alone, as in
    the intervals of a margin, promises too much where a region is small.
    """
    va, vb, cab = (float(each[place]) for each in (ratio.noise.va, ratio.noise.vb, ratio.noise.cab))
    largest = theta * (float(np.max(ratio.top)) - theta)
    unit = min(ratio.per_unit, largest) if ratio.law == "constant" else largest
    whole, covariance = float(ratio.b[place]), cab - theta * vb
    first = max(0.0, va - 2 * theta * cab + theta**2 * vb) + max(0.0, float(ratio.n[place])) * unit
    second = 3 * (first * vb + 2 * covariance**2) / whole**2
    return (first + second) * (ratio.step / whole) ** 2


def _drowned(shown: Figures, place: tuple[int, ...]) -> list[float]:
    """The square of the noise in the denominator over the most at which a row is readable."""
    if shown.readable is not None or np.isnan(shown.denominator[place]):
        return []
    return [float((OWN * shown.denominator_sd[place] / shown.denominator[place]) ** 2)]


def spread(expectation: Expectation, scope: Scope, blocks: Collection[str]) -> list[float]:
    """Of each of these blocks: its noise variance over the most that the units spread its sum by themselves."""
    statistic, steps = expectation.statistic, expectation.programme.steps
    units = sum(expectation.units.values()) if scope == "national" else min(expectation.units.values())
    regions = len(steps) if scope == "national" and statistic.mode == "regional" else 1
    heaviest = max(steps.values()) if statistic.mode == "national" else 1
    found = []
    for planned in expectation.planned():
        if planned.id in blocks:
            block = expectation.blocks[planned.id]
            most = units * len(block.terms) * block.summand.top**2 / block.cells
            found.append(regions * float(planned.scale.fraction / (planned.multiplier * heaviest)) ** 2 / most)
    return found
