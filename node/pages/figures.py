"""From the rows of a result to tables for people: pairs of figures, in CBS notation, with labels from the codebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, log10

from markupsafe import Markup

from node.pages.phrases import Phrases
from policies.pages.charts import Axis, Line, Mark, axis_for, interval_chart
from policies.pages.numbers import UNKNOWN, exact, interval, number, percentage, percentage_interval
from policies.pages.words import catalogue, say
from policies.rules.result import NATIONAL, Result, ResultRow
from policies.statistics.regression import INTERCEPT
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.text import Language, Text

_MOST_LINES = 60
"""A longer table has no picture: nobody would read it."""
_DIRECT = "direct"
_WHOLE = frozenset({"count", "sum"})
"""Measures that are printed without decimals."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One estimate as printed; `why` says what is the matter where there is none."""

    estimate: str
    interval: str
    why: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    keys: tuple[str, ...]
    national: Figure
    own: Figure


@dataclass(frozen=True, slots=True)
class Table:
    """`counted` says of each statistic what was counted; `chart` is an `<svg>` element or empty."""

    title: str
    caption: str
    keys: tuple[str, ...]
    rows: tuple[TableRow, ...]
    counted: tuple[tuple[str, str], ...]
    chart: Markup


@dataclass(frozen=True, slots=True)
class _Pair:
    """The national row and the region's own of one cell, and how its numbers are printed."""

    statistic: Statistic
    estimator: str
    keys: tuple[str, ...]
    national: ResultRow | None
    own: ResultRow | None
    share: bool
    places: int
    points: bool = False
    """A difference of two shares, in percentage points."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Names from the codebook, in one language; the bare code where the codebook has none or is not there."""

    codebook: Codebook | None
    lang: Language

    def variable(self, key: str) -> str:
        """`state@T0` -> its label and wave."""
        if key in ("change", "quantile", "term"):
            return say(f"page.{key}", self.lang)
        name, _, wave = key.partition("@")
        found = None if self.codebook is None else self.codebook.variables.get(name) or self.codebook.derived.get(name)
        label = self._text(None if found is None else found.labels, name)
        return f"{label} ({wave})" if wave else label

    def code(self, key: str, code: str) -> str:
        name, changed = key.partition("@")[0], f"page.change.{code}"
        if key == "change" and changed in catalogue():
            return say(changed, self.lang)
        if key == "quantile":
            return exact(Decimal(code), self.lang)
        if key == "term":
            return self._term(code)
        if ".." in code:
            return say("page.bin", self.lang, **dict(zip(("low", "high"), code.split("..", 1), strict=True)))
        if self.codebook is None:
            return code
        found = self.codebook.variables.get(name) or self.codebook.derived.get(name)
        categories = () if found is None else found.categories
        return next((self._text(one.label, code) for one in categories if one.code == code), code)

    def _term(self, code: str) -> str:
        """A number by its label; a condition stays as it is written."""
        if code == INTERCEPT:
            return say("page.intercept", self.lang)
        return code if " " in code else self.variable(code)

    def statistic(self, statistic: Statistic) -> str:
        return self._text(statistic.label, statistic.id.replace("_", " "))

    def _text(self, text: Text | None, otherwise: str) -> str:
        return otherwise if text is None else text.in_language(self.lang)


def tables(result: Result, codebook: Codebook | None, lang: Language, mark: str) -> tuple[Table, ...]:
    """Shares without cells in one table, numbers without cells in another, then one table for each broken-down figure.

    Those of each further estimator follow in the same way, so that no figure stands in for another. `mark` stands in
    every caption, so that it is on every sheet of paper.
    """
    labels, groups = Labels(codebook, lang), _groups(result)
    estimators = dict.fromkeys((_DIRECT, *(pairs[0].estimator for pairs in groups)))
    return tuple(
        table
        for estimator in estimators
        for table in _tables([pairs for pairs in groups if pairs[0].estimator == estimator], estimator, labels, mark)
    )


def _tables(groups: Sequence[Sequence[_Pair]], estimator: str, labels: Labels, mark: str) -> Iterator[Table]:
    lang = labels.lang
    key = f"page.estimator.{estimator}"
    by = "" if estimator == _DIRECT else f" ({say(key, lang) if key in catalogue() else estimator})"
    plain = [pair for pairs in groups for pair in pairs if not pair.keys]
    named: list[tuple[str, ...]]
    heads: tuple[str, ...]
    for key, share in (("page.key_shares", True), ("page.key_numbers", False)):
        pairs = [pair for pair in plain if pair.share is share]
        if pairs:
            named = [(labels.statistic(pair.statistic),) for pair in pairs]
            heads = (say("page.statistic", lang),)
            yield _table(say(key, lang) + by, heads, named, pairs, labels, mark)
    for group in groups:
        if group[0].keys:
            rows = [(row.national or row.own) for row in group]
            cells = [row.cell for row in rows if row is not None]
            heads = tuple(labels.variable(name) for name, _code in cells[0])
            named = [tuple(labels.code(name, code) for name, code in cell) for cell in cells]
            yield _table(_title(group, groups, labels) + by, heads, named, group, labels, mark)


def _groups(result: Result) -> list[list[_Pair]]:
    """Rows by estimator, statistic and measure, a pair for each cell, in the order in which they came."""
    statistics = {one.id: one for one in result.asked.statistics}
    gathered: dict[tuple[str, str, str], dict[tuple[tuple[str, str], ...], dict[str, ResultRow]]] = {}
    for row in result.rows:
        if row.statistic in statistics:
            place = row.estimator, row.statistic, row.measure
            gathered.setdefault(place, {}).setdefault(row.cell, {})[row.scope] = row
    groups = []
    for (estimator, statistic, measure), cells in gathered.items():
        share, in_points = "share" in measure, _in_points(statistics[statistic], measure)
        terms = statistics[statistic].kind == "regression"
        rows = [row for sides in cells.values() for row in sides.values()]
        groups.append(
            [
                _Pair(
                    statistics[statistic],
                    estimator,
                    tuple(code for _key, code in cell),
                    sides.get(NATIONAL),
                    sides.get(result.region),
                    share,
                    # Each coefficient has a unit of its own.
                    _places(measure, sides.values() if terms else rows, share or in_points),
                    in_points,
                )
                for cell, sides in cells.items()
            ]
        )
    return groups


def _in_points(statistic: Statistic, measure: str) -> bool:
    """Whether a measure is a difference of shares: in canonical spelling a condition is more than one name."""
    return (
        "difference" in measure and isinstance(statistic.of, str) and not statistic.of.replace("@", "_").isidentifier()
    )


def _places(measure: str, rows: Iterable[ResultRow], percent: bool) -> int:
    """Decimals that the smallest standard error can bear, from 1 to 3 (6 of a coefficient); none for counts."""
    if measure in _WHOLE:
        return 0
    errors = [float(row.std_error) for row in rows if row.std_error and float(row.std_error) > 0]
    most = 6 if measure == "coefficient" else 3
    return min(most, max(1, ceil(-log10(min(errors))))) if errors and not percent else 1


def _title(pairs: Sequence[_Pair], groups: Sequence[Sequence[_Pair]], labels: Labels) -> str:
    """A statistic with several measures is told apart by the measure."""
    statistic, row = pairs[0].statistic, pairs[0].national or pairs[0].own
    several = sum(group[0].statistic is statistic for group in groups) > 1
    title = labels.statistic(statistic)
    if not several or row is None:
        return title
    measure = f"page.measure.{row.measure}"
    return f"{title}: {say(measure, labels.lang) if measure in catalogue() else row.measure.replace('_', ' ')}"


def _table(
    title: str,
    heads: tuple[str, ...],
    named: Sequence[tuple[str, ...]],
    pairs: Sequence[_Pair],
    labels: Labels,
    mark: str,
) -> Table:
    lang = labels.lang
    rows = tuple(
        TableRow(keys, _figure(pair.national, pair, lang), _figure(pair.own, pair, lang))
        for keys, pair in zip(named, pairs, strict=True)
    )
    unit = say(f"page.in_{'percent' if pairs[0].share else 'points' if pairs[0].points else 'units'}", lang)
    several, alone = len({pair.statistic.id for pair in pairs}) > 1, pairs[0].statistic.kind == "regression"
    phrases = Phrases(labels.codebook, lang)
    counted = {
        pair.statistic.id: (labels.statistic(pair.statistic) if several else "", phrases.statistic(pair.statistic))
        for pair in pairs
    }
    caption = f"{unit}. {mark}" if mark else f"{unit}."
    chart = _chart(title, named, pairs, lang, one_unit=pairs[0].share or not (several or alone))
    return Table(title, caption, heads, rows, tuple(counted.values()), chart)


def _figure(row: ResultRow | None, pair: _Pair, lang: Language) -> Figure:
    if row is None or not row.estimate or row.status in ("withheld", "missing") or not (row.ci_low and row.ci_high):
        return Figure(UNKNOWN, "", say(f"page.why.{_why(row, pair.statistic)}", lang))
    scale = 100 if pair.points else 1
    estimate, low, high = (scale * Decimal(text) for text in (row.estimate, row.ci_low, row.ci_high))
    provisional = row.status == "provisional"
    if pair.share:
        return Figure(percentage(estimate, lang), percentage_interval(low, high, lang), provisional=provisional)
    shown = number(estimate, pair.places, lang), interval(low, high, pair.places, lang)
    return Figure(*shown, provisional=provisional)


def _why(row: ResultRow | None, statistic: Statistic) -> str:
    national = statistic.mode == "national"
    if row is None:
        return "national" if national else "absent"
    if row.status == "missing":
        return "no_sum" if national else "missing"
    if statistic.ridge is not None and row.status != "withheld":
        return "ridge"
    return "weak" if row.ci_low or statistic.kind == "regression" else "unbounded"


def _chart(
    title: str, named: Sequence[tuple[str, ...]], pairs: Sequence[_Pair], lang: Language, *, one_unit: bool
) -> Markup:
    """No picture where lines would have different units, or where there are none or too many."""
    lines = [
        Line(" → ".join(keys), *(_mark(row, pair.share or pair.points) for row in (pair.national, pair.own)))
        for keys, pair in zip(named, pairs, strict=True)
    ]
    if not one_unit or len(lines) > _MOST_LINES or not any(line.first or line.second for line in lines):
        return Markup()
    axis: Axis = axis_for(lines, least=0.0, most=100.0) if pairs[0].share else axis_for(lines)
    digits = 0 if all(float(tick).is_integer() for tick in axis.ticks) else 2
    drawn = interval_chart(
        lines,
        axis,
        say("page.chart", lang, title=title),
        lambda tick: "0" if abs(tick) < 1e-12 else number(Decimal(repr(tick)), digits, lang),
    )
    # Everything in it that is text was escaped where it was drawn.
    return Markup(drawn)


def _mark(row: ResultRow | None, percent: bool) -> Mark | None:
    if row is None or row.status in ("withheld", "missing") or not (row.estimate and row.ci_low and row.ci_high):
        return None
    unit = 100.0 if percent else 1.0
    return Mark(*(float(text) * unit for text in (row.ci_low, row.estimate, row.ci_high)))
