"""The expected error of kinds that are one ratio A/B (or a total): noise and sampling of A - theta*B, over B.

The formulas are those by which the desk estimates (one file a kind there), with what is expected put in: centred sums
are zero, so that theta lies in the middle, where a share's sampling variance is largest.
"""

from __future__ import annotations

from math import prod

from policies.statistics.blocks import Axis
from policies.statistics.expected.setting import Setting, Width, root


def count(of: Setting) -> Width:
    """Noise, and the Poisson variance of a count with that mean."""
    return Width(root(of.variances[0] + of.effect * of.each(0)), True)


def proportion(of: Setting) -> Width:
    """At one half: a quarter of the noise of the centred sum, and p(1 - p) n."""
    units = of.each(1)
    return _over(of, of.variances[0] / 4 + of.effect * units / 4, units, of.variances[1])


def mean(of: Setting) -> Width:
    """In the middle of the bounds; with the planning deviation, else the largest that the bounds allow."""
    units, scale = of.each(1), of.scale()
    one = _stated(of) or (scale.top**2 / 4 if scale.sd is None else scale.sd**2)
    return _over(of, of.variances[0] / 4 + of.effect * units * one, units, of.variances[1], scale.step)


def _stated(of: Setting) -> float:
    """The square of the deviation that the programme itself plans with, in steps of the grid; 0 where it has none."""
    sd = of.compiled.statistic.sd
    return 0.0 if sd is None else (float(sd) / of.scale().step) ** 2


def total(of: Setting) -> Width:
    """A sum: units that come by themselves, in the middle of the bounds."""
    units, scale = of.each(1), of.scale()
    upper = scale.lower + scale.step * scale.top
    middle = scale.lower + scale.step * scale.top / 2
    noise = scale.step**2 * of.variances[0] / 4 + middle**2 * of.variances[1]
    one = upper * middle if scale.lower >= 0 else max(scale.lower**2, upper**2)
    return Width(root(noise + of.total_effect * units * one), True)


def rows(of: Setting) -> Width:
    """A transition: a cell over its row, itself included, at one half."""
    return _table(of, of.blocks[0].axes[-1].size)


def classes(of: Setting) -> Width:
    """A histogram: a cell over all of them, at one half."""
    return rows(of)


def combinations(of: Setting) -> Width:
    """A cross-table: a cell over the whole table, at one half."""
    return _table(of, prod(axis.size for axis in of.blocks[0].axes[len(of.compiled.statistic.by) :]))


def change(of: Setting) -> Width:
    """A paired change: the mean difference, no change, over the units known at both waves."""
    scale, places = of.scale(), of.blocks[1].axes[-1].size
    units = places * of.each(1)
    one = _stated(of) or (scale.top**2 if scale.sd is None else 2 * scale.sd**2)
    return _over(of, of.variances[0] + of.effect * units * one, units, places * of.variances[1], scale.step)


def variance(of: Setting) -> Width:
    """Of a number around its middle; its squared distances vary as much as their bounds allow."""
    units, scale = of.each(2), of.scale()
    bias = of.variances[1] / units**2
    theta, factor = scale.squared + bias, scale.top**2 / 2 + bias
    sampling = of.effect * units * theta * max(scale.top**2 - theta, 0.0)
    noise = of.variances[0] / 4 + (factor - theta) ** 2 * of.variances[2]
    return _over(of, noise + sampling, units, of.variances[2], scale.step**2 / 4)


def standard_deviation(of: Setting) -> Width:
    """That of the variance, by the slope of the root."""
    found, units, scale = variance(of), of.each(2), of.scale()
    spread = scale.step**2 / 4 * (scale.squared + of.variances[1] / units**2)
    return Width(None if found.error is None else found.error * 0.5 / root(spread), found.readable)


def _table(of: Setting, places: int) -> Width:
    """Cells with `places` in each row: A is a cell and B its row."""
    whole, noise = places * of.each(0), of.variances[0]
    return _over(of, places * noise / 4 + of.effect * whole / 4, whole, places * noise)


def _over(of: Setting, variance: float, units: float, noise: float, step: float = 1.0) -> Width:
    """The error of a ratio whose top has this variance; `noise` is that of its denominator."""
    return Width(step * root(variance) / units, of.clear(units, root(noise)))


def keys(of: Setting) -> tuple[Axis, ...]:
    """The axes of the first block that are categories, without `by`."""
    return tuple(axis for axis in of.blocks[0].axes[len(of.compiled.statistic.by) :] if isinstance(axis, Axis))
