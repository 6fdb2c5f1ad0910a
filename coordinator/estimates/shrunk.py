"""shrunk: regional figures pulled towards the mean of the regions (small-area estimation), beside the direct ones.

A region of study size has a direct figure within ten or twenty points. Where regions differ less than that, most of
what its figure shows is noise and chance, and a weighted mean with the other regions' figures is nearer the truth. How
much a region keeps of its own figure follows from the known variance of its noise and sampling, and from how much the
regions differ beyond that: see fay_herriot. Estimand: the region's own value, as that of its direct row.

Nobody divides by one region's noisy denominator here. With the pooled ratio t = sum(A)/sum(B), a region's figure is

    y_r = t + (A_r - t B_r) / n_r        D_r = (noise(t) + sampling(t, n_r)) / n_r^2

with the sampling variance at the pooled figure, not at the region's noisy one, and with n_r its units: its part of the
noisy total by public expected numbers, moved towards its own noisy denominator by as much as regions differ from those
numbers beyond noise. With little noise n_r is B_r, and y_r the direct figure.

There are no such rows for counts, sums and spreads, for regions that did not answer, for fewer than five regions (how
much they differ would be a guess), and where the regions' mean denominator is below 3 deviations of its noise (their
direct rows are then all withheld, and shrinking what is only noise gives the pooled figure under another name). The
categories of one variable are shrunk one by one, so that their shares need not add up to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.absent import AVERAGES
from coordinator.estimates.fay_herriot import LEAST_REGIONS, shrink
from coordinator.estimates.found import Found, direct_rows, remarks_kept
from coordinator.estimates.kinds import Measured, asked
from coordinator.estimates.ratio import Ratio
from coordinator.estimates.rows import Row
from coordinator.estimates.sets import Z95, Floats
from coordinator.estimates.status import MEAN


@dataclass(frozen=True, slots=True)
class Pulled:
    """Regional figures after shrinking, in the units people know; arrays are regions x cells.

    `std_error` is the root of the mean squared error; `noise_sd` and `sampling_sd` are the parts of it that the noise
    and the sampling of all regions' figures leave. `own` is how much of a region's own figure is kept. `usable` says
    of which cells there are rows.
    """

    estimate: Floats
    std_error: Floats
    noise_sd: Floats
    sampling_sd: Floats
    own: Floats
    usable: NDArray[np.bool_]

    @property
    def low(self) -> Floats:
        return self.estimate - Z95 * self.std_error

    @property
    def high(self) -> Floats:
        return self.estimate + Z95 * self.std_error


def rows(found: Found) -> Iterator[Row]:
    """The regions' rows of every average that is asked regionally; see the top of this file."""
    known = found.known
    if len(known.answered) < LEAST_REGIONS:
        return
    expected = found.calendar.expected_of(found.programme.programme.cohort)
    blocks = {block.id: block for block in found.compilation.blocks}
    direct = direct_rows(found.rows)
    for compiled in found.compilation.statistics:
        statistic = asked(compiled, blocks, found.codebook, [expected[region] for region in found.programme.regions])
        if statistic.mode != "regional":
            continue
        units = np.array([expected[region].of(compiled.statistic.unit) for region in known.answered], np.float64)
        for measure in known.figured(statistic, found.programme, found.codebook, expected):
            if isinstance(measure, Measured) and isinstance(measure.here, Ratio) and measure.measure.name in AVERAGES:
                own = {region: direct[compiled.statistic.id, measure.measure.name, region] for region in known.answered}
                yield from _rows(pull(measure.here, units), own)


def _rows(pulled: Pulled, direct: Mapping[str, tuple[Row, ...]]) -> Iterator[Row]:
    """In the order of the direct rows: by cell, then by region."""
    for cell in np.flatnonzero(pulled.usable):
        for region, own in enumerate(direct.values()):
            at, row = (region, int(cell)), own[int(cell)]
            kept = f"{pulled.own[at]:.0%} the region's own figure, the rest the mean of the regions"
            yield replace(
                row,
                estimator="shrunk",
                estimate=float(pulled.estimate[at]),
                std_error=float(pulled.std_error[at]),
                ci_low=float(pulled.low[at]),
                ci_high=float(pulled.high[at]),
                noise_sd=float(pulled.noise_sd[at]),
                sampling_sd=float(pulled.sampling_sd[at]),
                status="ok",
                note="; ".join(filter(None, (*remarks_kept(row), kept))),
            )


def pull(ratio: Ratio, expected: Floats) -> Pulled:
    """Shrinks each cell's regional figures; `ratio` is regions x cells, `expected` the regions' public units."""
    total = ratio.b.sum(axis=0)
    usable = total / len(ratio.b) >= MEAN * ratio.denominator_sd[0]
    whole = np.where(usable, total, 1.0)
    theta = ratio.a.sum(axis=0) / whole
    units = np.where(usable, denominators(ratio.b, ratio.noise.vb, expected), 1.0)
    sampled = replace(ratio, n=units * ratio.n.sum(axis=0) / whole)
    noise = ratio.noise.at(theta) / units**2
    sampling = sampled.sampling.at(np.clip(theta, sampled.sampling.low, sampled.sampling.high)) / units**2
    figures = theta + (ratio.a - theta * ratio.b) / units
    found = shrink(figures.T, (noise + sampling).T)
    step = abs(ratio.step)
    return Pulled(
        estimate=ratio.lower + ratio.step * found.estimate.T,
        std_error=step * np.sqrt(found.mse.T),
        noise_sd=step * np.sqrt(found.variance(noise.T).T),
        sampling_sd=step * np.sqrt(found.variance(sampling.T).T),
        own=found.own.T,
        usable=usable,
    )


def denominators(noisy: Floats, variance: Floats, expected: Floats) -> Floats:
    """The regions' units: the expected pattern, moved towards each noisy number by its part that is no noise.

    With c = sum(noisy)/sum(expected), regions deviate from c * expected by a fraction whose square k^2 is estimated by
    moments, never below zero: n = c E + (B - c E) k^2 (c E)^2 / (k^2 (c E)^2 + variance), and no less than a deviation
    of the noise: it only divides. Regions x cells.
    """
    pattern = expected[:, np.newaxis] * noisy.sum(axis=0) / expected.sum()
    regions, squares = len(noisy), (pattern**2).sum(axis=0)
    off = ((noisy - pattern) ** 2).sum(axis=0) * regions / (regions - 1) - variance.sum(axis=0)
    own = np.maximum(np.divide(off, squares, out=np.zeros_like(off), where=squares > 0), 0.0) * pattern**2
    moved: Floats = (noisy - pattern) * own / (own + variance)
    return np.asarray(np.maximum(pattern + moved, np.sqrt(variance)))
