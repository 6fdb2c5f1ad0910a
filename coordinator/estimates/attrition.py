"""share_all_t0: shares at the second wave among all who took part in the first, corrected for those who left.

Families in more trouble leave a study more often, so the share at T1 among those who stayed is not that of all. Where a
programme knows how many were in each T0 state, among all of T0, and what became of those in each state who stayed,

    q = sum_i pi_i r_i        pi_i = H_i / sum(H): state i among all of T0;  r_i: the T1 share among stayers of state i

is the T1 share among all of T0 if, within a T0 state, those who left changed as those who stayed (missing at random
given that state; weighting classes, Little & Rubin 2019, section 3.3). Nothing is asked for it: both tables are noisy
answers already, and this is arithmetic on them.

It is made for a transition with a table of the same variable at its first wave, and for a proportion at T1 that is
asked by a T0 state, with a table of that state: same unit, mode and filter, and the same further `by` keys. The table
is a histogram, a count or a cross-table. The rows have the estimator `direct` (a ratio of sums as they came in) and a
measure of their own; estimand: all units of T0, whether or not they were seen at T1.

Variance by the delta method. Noise: r_i has that of its ratio, and H_i an independent one of variance s^2 each,

    noise = sum pi_i^2 noise(r_i) + s^2 sum((r_i - q)^2) / H^2

Sampling, each household once: given who was in which state, what became of the stayers; and how the states came out,

    sampling = sum pi_i^2 sampling(r_i) + sum(pi_i (r_i - q)^2) / n,    n: effective units of T0

A row is withheld where any T0 state has too few stayers for its own share to be read (see status), and has no interval
where that share has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.found import Found, direct_rows, refigured
from coordinator.estimates.kinds import Asked, Measured, Summed, asked
from coordinator.estimates.ratio import Figures, NoisyBlock, Ratio, figures, pool_block
from coordinator.estimates.rows import NATIONAL, Row
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import OWN, clear
from coordinator.estimates.summing import weighting_of
from policies.statistics.blocks import AnyAxis, Axis, Block, Ones, Selection
from policies.statistics.cells import axis_codes, axis_key
from policies.study.expressions.nodes import refs

MEASURE = "share_all_t0"
ASSUMED = "of all of {wave}: those who left are taken to have changed as those in the same state at {wave} who stayed"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rates' cells lie: `shape` of their axes, those summed over (`over`), and whether the last is the outcome.

    Shares of an outcome have a cell each; T0 totals have none of them.
    """

    shape: tuple[int, ...]
    over: tuple[int, ...]
    outcome: bool

    @property
    def totals(self) -> tuple[int, ...]:
        """The shape of the T0 totals beside the rates."""
        return (*self.shape[:-1], 1) if self.outcome else self.shape

    @property
    def states(self) -> int:
        """Into how many T0 states a total is split."""
        return prod(self.shape[axis] for axis in self.over)

    def rates(self, values: Floats) -> Floats:
        return values.reshape(*values.shape[:-1], *self.shape)

    def summed(self, values: Floats) -> Floats:
        """Over the T0 states; what is left keeps its place."""
        return np.asarray(values.sum(axis=tuple(axis - len(self.shape) for axis in self.over), keepdims=True))

    def flat(self, values: NDArray[Any]) -> NDArray[Any]:
        lead = values.shape[: values.ndim - len(self.shape)]
        return values.reshape(*lead, -1)


def corrected(rates: Ratio, totals: NoisyBlock, units: float, layout: Layout) -> Figures:
    """The shares among all of T0, from what became of the stayers and T0 totals of `layout.totals` cells.

    Regions x cells, or cells. `units` is what one T0 unit counts for in the sampling variance: its design effect, times
    the mean weight where regions are pooled.
    """
    b = layout.rates(rates.b)
    theta = np.divide(layout.rates(rates.a), b, out=np.full_like(b, np.nan), where=b != 0)
    at = layout.flat(theta)
    squared = np.divide(1.0, b * b, out=np.zeros_like(b), where=b != 0)
    noise, sampling = layout.rates(rates.noise.at(at)) * squared, layout.rates(rates.sampling.at(at)) * squared
    totals_at = totals.base.reshape(*totals.base.shape[:-1], *layout.totals)
    whole = layout.summed(totals_at)
    share = np.divide(totals_at, whole, out=np.full_like(totals_at, np.nan), where=whole != 0)
    q = layout.summed(share * theta)
    off = (theta - q) ** 2
    noisy = layout.summed(share**2 * noise) + totals.variance * layout.summed(off / whole**2)
    composed = np.maximum(layout.summed(share * off), 0.0) * units / np.abs(whole)
    chance = layout.summed(share**2 * sampling) + composed
    reach: float = Z95
    if rates.absent is not None:
        # The same regions are missing from every state: what they add goes together.
        chance = chance + layout.summed(np.abs(share) * np.sqrt(layout.rates(rates.absent.variance) * squared)) ** 2
        reach = float(np.max(rates.absent.quantile))
    error, sd = np.sqrt(noisy + chance), float(np.sqrt(totals.variance * layout.states))
    own = figures(rates)
    weak, unbounded = (np.asarray(mark, np.float64) for mark in (~clear(own), np.isnan(own.low)))
    readable, bounded = (layout.summed(layout.rates(mark)) == 0 for mark in (weak, unbounded))
    reached = np.where(bounded, reach * error, np.nan)
    flat = layout.flat
    return Figures(
        estimate=flat(q),
        low=flat(q - reached),
        high=flat(q + reached),
        noise_sd=flat(np.sqrt(noisy)),
        sampling_sd=flat(np.sqrt(chance)),
        std_error=flat(error),
        numerator=flat(q * whole),
        denominator=flat(np.broadcast_to(whole, q.shape)),
        denominator_sd=flat(np.full_like(q, sd)),
        readable=flat(readable & (whole >= OWN * sd)),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """The rates of a statistic, and the block of T0 totals beside them; `kept` are the axes of its rows."""

    layout: Layout
    totals: Block
    order: tuple[int, ...]
    kept: tuple[AnyAxis, ...]
    wave: str


def rows(found: Found) -> Iterator[Row]:
    """National and regional rows of every statistic that has T0 totals beside it; see the top of this file."""
    blocks = {block.id: block for block in found.compilation.blocks}
    expected = found.calendar.expected_of(found.programme.programme.cohort)
    between, direct = found.calendar.planning.between, direct_rows(found.rows)
    for compiled in found.compilation.statistics:
        if compiled.statistic.kind not in ("transition", "proportion"):
            continue
        statistic = asked(compiled, blocks, found.codebook, [expected[region] for region in found.programme.regions])
        pair = _pair(statistic, found.compilation.blocks)
        measures = found.known.figured(
            statistic, found.programme, found.codebook, expected, None if between is None else float(between)
        )
        if pair is None or not measures:
            continue
        cells = _cells(pair, found)
        for scope, made, before in _sides(found, statistic, measures[0], pair):
            template = direct[compiled.statistic.id, measures[0].measure.name, scope][0]
            for place, cell in enumerate(cells):
                at = (*before, place)
                fine = bool(clear(made)[at])
                row = refigured(template, made, at, readable=fine, final=found.run.final)
                note = "; ".join(filter(None, (row.note, ASSUMED.format(wave=pair.wave))))
                yield replace(row, measure=MEASURE, cell=cell, note=note)


def _cells(pair: _Pair, found: Found) -> tuple[tuple[tuple[str, str], ...], ...]:
    columns = found.codebook.columns
    return tuple(product(*([(axis_key(a, False), code) for code in axis_codes(a, columns)] for a in pair.kept)))


def _sides(
    found: Found, statistic: Asked, measure: Summed, pair: _Pair
) -> Iterator[tuple[str, Figures, tuple[int, ...]]]:
    """The figures of each scope, and where a scope's own begin in them."""
    known, effect = found.known, statistic.design_effect
    if isinstance(measure.everywhere, Figures):
        return
    if statistic.mode == "national" and known.national is not None:
        expected = found.calendar.expected_of(found.programme.programme.cohort)
        unit = statistic.compiled.statistic.unit
        weighting = weighting_of(found.programme, known.national.regions, expected, unit)
        totals = _totals(known.national.blocks[pair.totals.id], pair)
        yield NATIONAL, corrected(measure.everywhere, totals, effect * weighting, pair.layout), ()
        return
    if not isinstance(measure, Measured) or isinstance(measure.here, Figures):
        return
    own = _totals(known.regional[pair.totals.id], pair)
    pooled, w = pool_block(own, known.weights), np.asarray(known.weights, np.float64) / 1000
    each = own.base.sum(axis=-1)
    mean = float(np.clip((w * w) @ each / (w @ each), w.min(), w.max())) if w @ each > 0 else float(w.max())
    yield NATIONAL, corrected(measure.everywhere, pooled, effect * mean, pair.layout), ()
    here = corrected(measure.here, own, effect, pair.layout)
    for place, region in enumerate(known.answered):
        yield region, here, (place,)


def _totals(block: NoisyBlock, pair: _Pair) -> NoisyBlock:
    """The block's cells in the order of the rates' axes; what the rates are not split by is summed."""
    sizes = [axis.size for axis in pair.totals.axes]
    values = block.base.reshape(*block.base.shape[:-1], *sizes)
    lead = values.ndim - len(sizes)
    rest = [axis for axis in range(len(sizes)) if axis not in pair.order]
    moved = np.moveaxis(values, [lead + axis for axis in (*pair.order, *rest)], range(lead, values.ndim))
    wanted = prod(sizes[axis] for axis in pair.order)
    summed = moved.reshape(*block.base.shape[:-1], wanted, -1)
    return NoisyBlock(summed.sum(axis=-1), block.variance * summed.shape[-1])


def _pair(statistic: Asked, blocks: tuple[Block, ...]) -> _Pair | None:
    """The statistic's T0 axes, and the least noisy table of all of T0 over them; None where there is none."""
    block, waves = statistic.block, statistic.compiled.statistic.waves
    if block.again:
        return None
    outcome = statistic.kind == "transition"
    axes, last = block.axes, waves[-1]
    split = axes[:-1] if outcome else axes
    over = tuple(
        place for place, axis in enumerate(split) if isinstance(axis, Axis) and axis.ref.wave not in ("", last)
    )
    firsts = {axis.ref.wave for axis in split if isinstance(axis, Axis)} - {"", last}
    where = block.selection.where
    if len(firsts) != 1 or (where is not None and any(ref.wave == last for ref in refs(where))):
        return None
    first = firsts.pop()
    required = tuple(ref for ref in block.selection.required if ref.wave != last)
    selection = Selection(block.selection.unit, (first,), where, required)
    fits = [one for one in blocks if _counts(one, statistic, selection, split)]
    if not fits:
        return None
    totals = min(fits, key=lambda one: one.cells * one.bound)
    shape = tuple(axis.size for axis in axes)
    kept = tuple(axis for place, axis in enumerate(axes) if place not in over)
    order = tuple(totals.axes.index(axis) for axis in split)
    return _Pair(Layout(shape, over, outcome), totals, order, kept, first)


def _counts(block: Block, statistic: Asked, selection: Selection, split: tuple[AnyAxis, ...]) -> bool:
    """Whether a block counts all of T0 by these axes, in the same mode."""
    plain = block.summand == Ones() and not block.again and block.mode == statistic.mode
    return plain and block.selection == selection and set(split) <= set(block.axes)
