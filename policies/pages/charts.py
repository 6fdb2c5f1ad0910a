"""A small picture of estimates with their intervals, as inline SVG: no script, no outside asset, readable in print.

Two series are told apart by shape as well as by colour. The table beside it holds the same numbers; the picture says so
to screen readers by its title alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10
from textwrap import wrap
from typing import Literal

Series = Literal["first", "second"]

_WIDTH, _LABELS, _RIGHT = 760.0, 280.0, 24.0
_ROW, _TOP, _BOTTOM = 34.0, 8.0, 26.0
_OFFSET = {"first": -6.0, "second": 6.0}
_TICKS = 5
_LEAST_STEP = 1e-300
_LINE_CHARACTERS = 42
"""What fits in the room for a label, on each of its two lines."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One estimate with its interval, in the axis's unit."""

    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture: a label, and a mark for each series or None where there is none to show."""

    label: str
    first: Mark | None
    second: Mark | None


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with its ticks; what lies beyond is cut off at an arrow."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def x(self, value: float) -> float:
        """The place of a value, held within the picture."""
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return _LABELS + share * (_WIDTH - _LABELS - _RIGHT)


def axis_for(lines: Sequence[Line], *, least: float | None = None, most: float | None = None) -> Axis:
    """An axis with round ticks that holds every estimate, and every interval unless `least` and `most` are given."""
    marks = [mark for line in lines for mark in (line.first, line.second) if mark is not None]
    low = least if least is not None else min((mark.low for mark in marks), default=0.0)
    high = most if most is not None else max((mark.high for mark in marks), default=1.0)
    if not (isfinite(low) and isfinite(high) and high > low):
        low, high = (low, low + 1.0) if isfinite(low) else (0.0, 1.0)
    ticks = round_ticks(low, high, _TICKS)
    return Axis(ticks[0], ticks[-1], ticks)


def round_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round numbers, equally far apart, from at or below `low` to at or above `high` (> low); about `most` of them."""
    step = _round_step((high - low) / (most - 1))
    first, last = floor(low / step), ceil(high / step)
    return tuple(place * step for place in range(first, last + 1))


def interval_chart(lines: Sequence[Line], axis: Axis, title: str, tick_text: Callable[[float], str]) -> str:
    """The picture as an `<svg>` element; every text in it is escaped. One line or more."""
    height = _TOP + _ROW * len(lines) + _BOTTOM
    parts = [
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH:g} {height:g}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(title)}</title>",
    ]
    bottom = _TOP + _ROW * len(lines)
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP:g}" y2="{bottom:g}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18:g}">{escape(tick_text(tick))}</text>')
    for place, line in enumerate(lines):
        middle = _TOP + _ROW * (place + 0.5)
        parts += _label(line.label, middle)
        for series, mark in (("first", line.first), ("second", line.second)):
            if mark is not None:
                parts += _drawn(mark, axis, middle + _OFFSET[series], series)
    return "".join((*parts, "</svg>"))


def _drawn(mark: Mark, axis: Axis, y: float, series: str) -> list[str]:
    left, right, x = axis.x(mark.low), axis.x(mark.high), axis.x(mark.estimate)
    drawn = [f'<line class="{series}" x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>']
    if mark.low < axis.low:
        drawn.append(_arrow(left, y, -1, series))
    if mark.high > axis.high:
        drawn.append(_arrow(right, y, 1, series))
    if axis.low <= mark.estimate <= axis.high:
        drawn.append(_point(x, y, series))
    return drawn


def _point(x: float, y: float, series: str) -> str:
    if series == "first":
        return f'<circle class="{series}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    return f'<rect class="{series}" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"/>'


def _arrow(x: float, y: float, way: int, series: str) -> str:
    back = x - 7 * way
    return f'<path class="{series}" d="M{x:.1f} {y:.1f} L{back:.1f} {y - 4:.1f} L{back:.1f} {y + 4:.1f} Z"/>'


def _label(label: str, middle: float) -> list[str]:
    """The label before its line, on two lines of text where one is too short; what is longer still ends in dots."""
    found = wrap(label, _LINE_CHARACTERS, max_lines=2, placeholder="…")
    top = middle + 4 - 7 * (len(found) - 1)
    return [
        f'<text class="label" x="{_LABELS - 12:g}" y="{top + 14 * place:.1f}">{escape(text)}</text>'
        for place, text in enumerate(found)
    ]


def _round_step(rough: float) -> float:
    """The nearest of 1, 2, 2.5, 5 or 10 times a power of ten at or above `rough`."""
    # The smallest numbers that there are have no tenth part.
    rough = max(rough, _LEAST_STEP)
    power: float = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
