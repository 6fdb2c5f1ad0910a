"""consistent: counts and shares after the tables of a programme were made to add up, beside the direct ones.

Where a programme has several tables of the same units (a cross-table and a histogram of one of its variables, a count
and the denominator of a share, a regional and a national one), each has noise of its own, and their totals differ. The
rows here come from the least-squares fit to all of them (see least_squares): they add up exactly, are unbiased, and
have no more noise than the raw ones. Estimand and sampling are those of the direct row; only noise becomes less.

There are rows for every count, share, row share and mean of which a table changed; where the tables of a statistic
have no other to agree with there are none. `numerator_noisy` and `denominator_noisy` are the fitted numbers that the
estimate is made of; the raw ones stand in the direct row. Nothing is clipped or rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from coordinator.estimates.absent import AVERAGES, Split, widened
from coordinator.estimates.count import MEASURE as COUNT
from coordinator.estimates.found import Found, Place, direct_rows, refigured
from coordinator.estimates.kinds import Asked, Measured, Summed, asked
from coordinator.estimates.least_squares import Fits, Fitted, System, fit, same_units
from coordinator.estimates.ratio import Figures, Ratio, pool
from coordinator.estimates.rows import NATIONAL, Row
from coordinator.estimates.sets import Floats
from coordinator.estimates.status import clear
from coordinator.estimates.summing import weighting_of
from policies.statistics.blocks import Block
from policies.study.calendar import Expected

MOST_NUMBERS = 1000
"""Tables of the same units with more cells than this in all are left as they are: fitting them takes too long."""
_KINDS = frozenset(("count", "histogram", "cross_table", "transition", "proportion", "mean"))
_LESS = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class _Signs:
    """What a measure is made of: a numerator, and a denominator but for a number of units; cells x numbers."""

    above: Floats
    below: Floats | None

    @classmethod
    def of(cls, statistic: Asked, measure: str, ratio: Ratio, signs: dict[str, Floats]) -> _Signs:
        first, *others = (signs[name] for name in statistic.compiled.blocks)
        match statistic.kind:
            case "proportion" | "mean":
                return cls((first + float(np.max(ratio.top)) * others[0]) / 2, others[0])
            case _ if measure == COUNT:
                return cls(first, None)
            case _:
                axes = statistic.compiled.axes
                by = len(axes) - 1 if statistic.kind == "transition" else len(statistic.compiled.statistic.by)
                places = prod(axis.size for axis in axes[by:])
                whole = first.reshape(-1, places, first.shape[1]).sum(axis=1)
                return cls(first, np.repeat(whole, places, axis=0))

    def refit(self, ratio: Ratio, fitted: Fitted, effect: float) -> Ratio:
        """The ratio with fitted numbers and their noise; its sampling goes with them."""
        a, noise = fitted.cells(self.above), fitted.noise(self.above, self.below)
        if self.below is None:
            return replace(ratio, a=a, noise=noise, absent=None)
        b = fitted.cells(self.below)
        return replace(ratio, a=a, b=b, noise=noise, n=b * effect, absent=None)


def rows(found: Found) -> Iterator[Row]:
    """National and regional rows of what changed; see the top of this file."""
    blocks = {block.id: block for block in found.compilation.blocks}
    expected = found.calendar.expected_of(found.programme.programme.cohort)
    regions, direct = [expected[region] for region in found.programme.regions], direct_rows(found.rows)
    fitted = _fits(found)
    for compiled in found.compilation.statistics:
        fits = fitted.get(compiled.blocks[0])
        if compiled.statistic.kind not in _KINDS or fits is None:
            continue
        statistic = asked(compiled, blocks, found.codebook, regions)
        for measure in found.known.figured(statistic, found.programme, found.codebook, expected):
            changed = _changed(found, statistic, measure, fits, expected)
            if changed is not None:
                yield from _written(found, changed, direct, compiled.statistic.id)


@dataclass(frozen=True, slots=True)
class _Fit:
    signs: dict[str, Floats]
    fits: Fits


def _fits(found: Found) -> dict[str, _Fit]:
    """By block. Tables that stand alone are left out."""
    groups: dict[object, list[Block]] = {}
    for block in found.compilation.blocks:
        groups.setdefault(same_units(block), []).append(block)
    known, fitted = found.known, dict[str, _Fit]()
    national = {} if known.national is None else known.national.blocks
    alike = known.included("national") == known.answered
    weights = np.asarray(known.weights, np.float64) / 1000
    for group in groups.values():
        if len(group) < 2 or sum(block.cells for block in group) > MOST_NUMBERS:
            continue
        system = System.of(group, found.codebook)
        mine = {block.id: known.regional[block.id] for block in group if block.id in known.regional}
        summed = {block.id: national[block.id] for block in group if block.id in national}
        one = _Fit(dict(system.signs), fit(system, mine, summed, weights, alike))
        fitted |= {block.id: one for block in group}
    return fitted


def _changed(
    found: Found, statistic: Asked, measure: Summed, fit: _Fit, expected: dict[str, Expected]
) -> Measured | Summed | None:
    """The measure with fitted numbers; None where the fit left it as it is."""
    everywhere, mode, known = measure.everywhere, statistic.mode, found.known
    if not isinstance(everywhere, Ratio) or mode not in fit.fits.together:
        return None
    signs = _Signs.of(statistic, measure.measure.name, everywhere, fit.signs)
    between = found.calendar.planning.between
    split = Split.of(found.programme.weights, known.included(mode), expected, statistic.compiled.statistic.unit)
    effect, whole = statistic.design_effect, fit.fits.together[mode]
    if isinstance(measure, Measured) and isinstance(measure.here, Ratio) and fit.fits.here is not None:
        here = signs.refit(measure.here, fit.fits.here, effect)
        pooled = replace(pool(here, known.weights), noise=whole.noise(signs.above, signs.below))
    else:
        here = None
        weighting = weighting_of(found.programme, known.included(mode), expected, statistic.compiled.statistic.unit)
        pooled = signs.refit(everywhere, whole, effect * weighting)
    if not _less(pooled, everywhere):
        return None
    if measure.measure.name in AVERAGES:
        pooled = widened(pooled, here, split, None if between is None else float(between))
    return Summed(measure.measure, pooled, False) if here is None else Measured(measure.measure, pooled, False, here)


def _less(fitted: Ratio, raw: Ratio) -> bool:
    """Whether any number has less noise than before."""
    pairs = ((fitted.noise.va, raw.noise.va), (fitted.noise.vb, raw.noise.vb))
    return any(bool((new < _LESS * old).any()) for new, old in pairs)


def _written(found: Found, changed: Summed, direct: dict[Place, tuple[Row, ...]], statistic: str) -> Iterator[Row]:
    """In the order of the direct rows: by cell, the national one first."""
    name, answered = changed.measure.name, found.known.answered
    sides: list[tuple[str, Figures, tuple[int, ...]]] = [(NATIONAL, changed.figures(changed.everywhere), ())]
    if isinstance(changed, Measured):
        here = changed.figures(changed.here)
        sides += [(region, here, (place,)) for place, region in enumerate(answered)]
    readable = {id(figures): clear(figures) for _scope, figures, _at in sides}
    for cell in range(len(direct[statistic, name, NATIONAL])):
        for scope, figures, before in sides:
            at, row = (*before, cell), direct[statistic, name, scope][cell]
            fine = bool(readable[id(figures)][at])
            yield replace(refigured(row, figures, at, readable=fine, final=found.run.final), estimator="consistent")
