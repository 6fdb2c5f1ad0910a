"""A picture of what was spent over time against a cap, as inline SVG: two stairs, their units on either side.

The table beside it holds the same numbers. Drawn small, so that its words stay readable on a telephone; the two lines
differ in stroke as well as in colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from policies.pages.charts import round_ticks
from policies.pages.dates import clock, date, month, short_date, when
from policies.study.text import Language

_WIDTH, _HEIGHT = 400.0, 230.0
_OPEN = f'<svg class="chart steps" role="img" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" xmlns="http://www.w3.org/2000/svg">'
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 352.0, 46.0, 200.0
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS_S = (
    1, 2, 5, 10, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR,
    6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 5 * _DAY, 10 * _DAY, 20 * _DAY, 30 * _DAY,
)  # fmt: skip
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 12_000)
_SPANS = 3
"""At most so many steps between the first and the last tick of the time axis."""
_MONTH_S = 28 * _DAY


@dataclass(frozen=True, slots=True)
class Step:
    """A level, in rho, that holds from an instant (unix seconds) on."""

    at: int
    level: float


@dataclass(frozen=True, slots=True)
class Stairs:
    """`spent` and `cap` in order of time, from `begin` to `end`. Before its first step a line is not drawn."""

    begin: int
    end: int
    spent: Sequence[Step]
    cap: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Said:
    """Every word in the picture. `left` names the axis of the levels, `right` the other unit of the same levels."""

    title: str
    description: str
    spent: str
    cap: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where an instant and a level are in the picture."""

    begin: int
    end: int
    top: float

    def x(self, at: int) -> float:
        share = (min(max(at, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return _LEFT + share * (_RIGHT - _LEFT)

    def y(self, level: float) -> float:
        return _BOTTOM - min(max(level, 0.0), self.top) / self.top * (_BOTTOM - _TOP)


def step_chart(
    stairs: Stairs, said: Said, lang: Language, left_text: Callable[[float], str], right_text: Callable[[float], str]
) -> str:
    """The picture as an `<svg>` element; every text in it is escaped. Levels are finite and not below zero."""
    highest = max((step.level for step in (*stairs.spent, *stairs.cap)), default=0.0)
    levels = round_ticks(0.0, highest or 1.0, 4)
    begin, end = stairs.begin, max(stairs.end, stairs.begin + 1)
    plane = _Plane(begin, end, levels[-1])
    parts = [
        _OPEN,
        f"<title>{escape(said.title)}</title><desc>{escape(said.description)}</desc>",
        *_legend(said),
    ]
    for level in levels:
        y = plane.y(level)
        parts.append(f'<line class="grid" x1="{_LEFT:g}" x2="{_RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="level" x="{_LEFT - 6:g}" y="{y + 4:.1f}">{escape(left_text(level))}</text>')
        parts.append(f'<text class="other" x="{_RIGHT + 6:g}" y="{y + 4:.1f}">{escape(right_text(level))}</text>')
    for at, text in time_ticks(begin, end, lang):
        x = plane.x(at)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_BOTTOM:g}" y2="{_BOTTOM + 5:g}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{_BOTTOM + 19:g}">{escape(text)}</text>')
    parts.append(_stair(stairs.cap, plane, "cap"))
    parts.append(_stair(stairs.spent, plane, "spent"))
    rises = [after for before, after in pairwise((Step(begin, 0.0), *stairs.spent)) if after.level > before.level]
    parts += [f'<circle class="spent" cx="{plane.x(s.at):.1f}" cy="{plane.y(s.level):.1f}" r="3.5"/>' for s in rises]
    return "".join((*parts, "</svg>"))


def time_ticks(begin: int, end: int, lang: Language) -> list[tuple[int, str]]:
    """Round instants from `begin` to `end` with what is written at them; days or years that go without saying are not.

    At most five of them, and at least one.
    """
    span = end - begin
    if span >= _SPANS * _MONTH_S:
        return _month_ticks(begin, end, lang)
    step = next((step for step in _STEPS_S if span / step <= _SPANS), _STEPS_S[-1])
    found = list(range(-(-begin // step) * step, end + 1, step)) or [begin]
    days = [short_date(at, lang).rpartition(" ")[0] for at in found]
    if step >= _DAY:
        return list(zip(found, days, strict=True))
    clocks = [clock(at, seconds=step < _MINUTE) for at in found]
    if len(set(days)) > 1:
        clocks = [f"{day} {text}" for day, text in zip(days, clocks, strict=True)]
    return list(zip(found, clocks, strict=True))


def span_text(begin: int, end: int, lang: Language) -> str:
    """The days that a time axis runs over; the axis itself is too small to say all of it."""
    first, last = date(begin, lang), date(end, lang)
    return first if first == last else f"{first} – {last}"


def _month_ticks(begin: int, end: int, lang: Language) -> list[tuple[int, str]]:
    first, last = when(begin), when(end)
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    step = next((step for step in _STEPS_MONTHS if len(months) / step <= _SPANS + 1), _STEPS_MONTHS[-1])
    found = []
    for number in months:
        at = int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp())
        if number % step == 0 and begin <= at <= end:
            found.append((at, str(number // 12) if step >= 12 else month(at, lang)))
    return found or [(begin, month(begin, lang))]


def _stair(steps: Sequence[Step], plane: _Plane, name: str) -> str:
    if not steps:
        return ""
    drawn = [f"M{plane.x(steps[0].at):.1f} {plane.y(steps[0].level):.1f}"]
    drawn += [f"H{plane.x(step.at):.1f} V{plane.y(step.level):.1f}" for step in steps[1:]]
    drawn.append(f"H{_RIGHT:g}")
    return f'<path class="{name}" d="{" ".join(drawn)}"/>'


def _legend(said: Said) -> list[str]:
    middle = (_LEFT + _RIGHT) / 2
    return [
        f'<line class="spent" x1="{_LEFT:g}" x2="{_LEFT + 22:g}" y1="12" y2="12"/>',
        f'<text class="key" x="{_LEFT + 28:g}" y="16">{escape(said.spent)}</text>',
        f'<line class="cap" x1="{middle:g}" x2="{middle + 22:g}" y1="12" y2="12"/>',
        f'<text class="key" x="{middle + 28:g}" y="16">{escape(said.cap)}</text>',
        f'<text class="level" x="{_LEFT - 6:g}" y="34">{escape(said.left)}</text>',
        f'<text class="other" x="{_RIGHT + 6:g}" y="34">{escape(said.right)}</text>',
    ]
