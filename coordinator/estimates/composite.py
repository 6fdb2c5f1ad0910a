"""The composite: figures of the whole country, though one cycle asks half of its regions.

    theta = W_now * theta_now + W_other * theta_other

The weights are the public expected units of the two groups. Of the group that is not asked now the figure is that of
its newest earlier cohort, carried forward. Each group's true figure is taken to move by itself, by a random walk with a
public planned deviation a cycle (`planning.drift` in the calendar); nothing is assumed about a movement they share.

Where a group has several earlier figures, and also for the group that is asked now, they are combined by the filter of
that walk (a local level model; Durbin and Koopman 2012, chapter 2): from the oldest on, the variance P grows by
drift^2 a cycle, and a figure y with variance v moves the level by g (y - level), g = P / (P + v). With the drift as
planned no other linear unbiased combination has a smaller error. With one earlier figure of the other group and none of
its own it is the plain sum above, with variance W_now^2 v_now + W_other^2 (v_other + k drift^2).

What a figure's own interval says of its two sides is kept: the composite's lower limit lies below it by the root of
sum(c^2 (y - low)^2) + z^2 drift part, c being each figure's share in the composite, and the upper one alike (Zou and
Donner 2008, MOVER). So where regions are missing their t quantiles count here too.

A drift is written for a share, whose units deviate by a half at most. For a mean it is as much of twice the planning
deviation of its units, or of the whole range where none is planned (see absent.spread).

Figures on synthetic data are never carried into a study's, nor the other way round; a published figure is carried only
where its standard error was published too. Raw rows stay as they are. What is withheld stays withheld here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from coordinator.estimates import mean, paired_change
from coordinator.estimates.absent import AVERAGES
from coordinator.estimates.found import Earlier, Found
from coordinator.estimates.kinds import grid
from coordinator.estimates.rows import NATIONAL, SYNTHETIC, Row
from coordinator.estimates.same import same_key
from coordinator.estimates.sets import Z95
from policies.statistics.blocks import Block, Unit
from policies.study.calendar import Calendar

_CYCLE_S = 730 * 86_400
"""Two years, in which leap days do not matter: cycles are whole ones, older cohorts are counted up."""


@dataclass(frozen=True, slots=True)
class Level:
    """What is known of one group's figure: an estimate, and four sums of squares that make up its error.

    `variance` and `noise` are of the figures in it, each times its share squared; `below` and `above` are the same of
    what their intervals reach down and up; `drift` is the variance of what moved since.
    """

    estimate: float
    variance: float
    noise: float
    below: float
    above: float
    drift: float = 0.0

    @classmethod
    def of(cls, estimate: float, std_error: float, noise_sd: float, low: float, high: float) -> Self:
        """One figure by itself. Without an interval of its own the normal one is taken."""
        reach = Z95 * std_error
        down = reach if math.isnan(low) else estimate - low
        up = reach if math.isnan(high) else high - estimate
        return cls(estimate, std_error**2, noise_sd**2, down**2, up**2)

    def carried(self, cycles: int, drift: float) -> Level:
        """The same, so many cycles later."""
        return replace(self, drift=self.drift + cycles * drift**2)

    def joined(self, newer: Level) -> Level:
        """Moved towards a newer figure by the part that leaves the least variance; see the top of this file."""
        mine, other = self.variance + self.drift, newer.variance + newer.drift
        gain = mine / (mine + other) if mine + other > 0 else 1.0
        return self.mixed(newer, 1 - gain, gain)

    def mixed(self, other: Level, mine: float, theirs: float) -> Level:
        """mine * this + theirs * other; their errors are independent."""
        a, b = mine**2, theirs**2
        return Level(
            mine * self.estimate + theirs * other.estimate,
            a * self.variance + b * other.variance,
            a * self.noise + b * other.noise,
            a * self.below + b * other.below,
            a * self.above + b * other.above,
            a * self.drift + b * other.drift,
        )

    @property
    def std_error(self) -> float:
        return math.sqrt(self.variance + self.drift)

    @property
    def low(self) -> float:
        return self.estimate - math.sqrt(self.below + Z95**2 * self.drift)

    @property
    def high(self) -> float:
        return self.estimate + math.sqrt(self.above + Z95**2 * self.drift)


def level(figures: Iterable[tuple[int, Level]], now: int, drift: float) -> Level:
    """One group's figure at cycle `now` from at least one (cycle, figure); `drift` is the deviation of one cycle."""
    found: Level | None = None
    last = now
    for cycle, figure in sorted(figures, key=lambda pair: pair[0]):
        found = figure if found is None else found.carried(cycle - last, drift).joined(figure)
        last = cycle
    if found is None:
        raise ValueError("a group without figures has no level")
    return found.carried(now - last, drift)


def country(now: Level, other: Level, weight: float) -> Level:
    """Both groups together; `weight` is that of the first, between 0 and 1."""
    return now.mixed(other, weight, 1 - weight)


def rows(found: Found) -> Iterator[Row]:
    """A composite row for each national average of which the other group has an earlier figure. Pure."""
    if not found.earlier:
        return
    statistics = {one.statistic.id: one for one in found.compilation.statistics}
    blocks = {block.id: block for block in found.compilation.blocks}
    keys = {name: same_key(one.statistic, found.codebook) for name, one in statistics.items()}
    rotation = _Rotation.of(found.calendar, found.programme.programme.cohort)
    for row in found.rows:
        if row.scope != NATIONAL or row.measure not in AVERAGES or row.status == "missing" or math.isnan(row.std_error):
            continue
        alike = [one for one in found.earlier if _same(one, row, keys[row.statistic])]
        block = blocks[statistics[row.statistic].blocks[0]]
        scale = _scale(row.measure, block, found)
        made = _composite(row, rotation, alike, statistics[row.statistic].statistic.unit, scale)
        if made is not None:
            yield made


def _same(one: Earlier, row: Row, key: bytes | None) -> bool:
    return (
        one.statistic == key
        and (one.measure, one.cell) == (row.measure, row.cell)
        and math.isfinite(one.estimate)
        and math.isfinite(one.std_error)
    )


@dataclass(frozen=True, slots=True)
class _Rotation:
    """The cohort asked now, in its calendar."""

    calendar: Calendar
    cohort: str

    @classmethod
    def of(cls, calendar: Calendar, cohort: str) -> Self:
        return cls(calendar, cohort)

    def before(self, cohort: str) -> int:
        """How many cycles it lies before the cohort asked now, counted up; below one where it does not."""
        now, then = self.calendar.cohorts[self.cohort].begin, self.calendar.cohorts[cohort].begin
        return max(1, math.ceil((now - then) / _CYCLE_S - 0.01)) if then < now else 0

    def own(self, cohort: str) -> bool:
        """Whether it was asked of the group that is asked now."""
        return self.calendar.cohorts[cohort].group == self.calendar.cohorts[self.cohort].group

    def weight(self, other: str, unit: Unit) -> float:
        """The part of the country that is asked now, by expected units; the rest is asked in the cohort `other`.

        A region of that cohort whose successors are asked now counts once, as asked now.
        """
        here = self.calendar.members(self.cohort)
        rotation, begin = self.calendar.rotation, self.calendar.cohorts[self.cohort].begin
        there = [one for one in self.calendar.members(other) if not set(rotation.heirs((one,), begin)) & set(here)]
        now, then = self.calendar.cohorts[self.cohort].expected, self.calendar.cohorts[other].expected
        mine, theirs = sum(now[one].of(unit) for one in here), sum(then[one].of(unit) for one in there)
        return mine / (mine + theirs)


def _composite(row: Row, rotation: _Rotation, alike: Sequence[Earlier], unit: Unit, scale: float) -> Row | None:
    """The row, or None where the other group has no earlier figure."""
    known = [one for one in alike if one.cohort in rotation.calendar.cohorts and rotation.before(one.cohort) > 0]
    others = [one for one in known if not rotation.own(one.cohort)]
    if not others:
        return None
    newest = min(others, key=lambda one: rotation.before(one.cohort))
    drift = float(rotation.calendar.planning.drift)
    own = [(-rotation.before(one.cohort), _level(one)) for one in known if rotation.own(one.cohort)]
    here = Level.of(row.estimate, row.std_error, row.noise_sd, row.ci_low, row.ci_high)
    now = level([*own, (0, here)], 0, drift * scale)
    other = level([(-rotation.before(one.cohort), _level(one)) for one in others], 0, drift * scale)
    weight = rotation.weight(newest.cohort, unit)
    whole = country(now, other, weight)
    used = [newest, *(one for one in known if one is not newest)]
    provisional = row.status == "provisional" or any(one.provisional for one in used)
    return replace(
        row,
        estimator="composite",
        estimate=whole.estimate,
        std_error=whole.std_error,
        ci_low=math.nan if math.isnan(row.ci_low) else whole.low,
        ci_high=math.nan if math.isnan(row.ci_high) else whole.high,
        noise_sd=math.sqrt(whole.noise),
        sampling_sd=math.sqrt(max(0.0, whole.variance + whole.drift - whole.noise)),
        numerator_noisy=math.nan,
        denominator_noisy=math.nan,
        households_noisy=math.nan,
        regions_included=row.regions_included + newest.included,
        regions_expected=row.regions_expected + newest.expected,
        status="withheld" if row.status == "withheld" else "provisional" if provisional else "ok",
        note=_note(row, rotation, used, weight, drift),
    )


def _level(one: Earlier) -> Level:
    return Level.of(one.estimate, one.std_error, one.noise_sd, one.low, one.high)


def _scale(measure: str, block: Block, found: Found) -> float:
    """What the drift of a share is multiplied with for this measure, in its own unit; see the top of this file."""
    if measure not in (mean.MEASURE, paired_change.CHANGE):
        return 1.0
    of = grid(block, found.codebook)
    changed = measure == paired_change.CHANGE
    if of.sd is None:
        return float(of.step) * of.top * (2 if changed else 1)
    return 2 * float(of.sd) * (math.sqrt(2) if changed else 1)


def _note(row: Row, rotation: _Rotation, used: Sequence[Earlier], weight: float, drift: float) -> str:
    """What was put together, and what is assumed. Remarks of the direct row stay: they are about a part of this."""
    newest, *more = used
    cycles = rotation.before(newest.cohort)
    ago = f"{cycles} cycle{'s' if cycles > 1 else ''}"
    parts = [
        f"the whole country: {weight:.0%} is asked now",
        f"for the rest the figure of {newest.cohort} ({newest.source}) is carried forward {ago}",
        f"with those of {', '.join(dict.fromkeys(one.cohort for one in more))}, by their errors" if more else "",
        f"a drift of {drift:g} a cycle (of a share) is assumed",
        "its earlier figure is provisional" if any(one.provisional for one in used) else "",
    ]
    first = SYNTHETIC if row.note.startswith(SYNTHETIC) else ""
    rest = row.note.removeprefix(SYNTHETIC).removeprefix("; ")
    return "; ".join(filter(None, (first, *parts, rest)))
