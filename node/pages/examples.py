"""An example of a release in words: the numbers that would leave, and what they read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from node.example.release import Example, Shown, Vector, figures_of
from node.pages.figures import Labels
from node.pages.phrases import Phrases
from policies.pages.numbers import NIL, UNKNOWN, number, percentage
from policies.pages.words import say
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.text import Language

MOST = 12
"""Numbers of a block and rows of a statistic that are shown; the rest is counted."""
_SHARES = ("proportion", "transition", "histogram", "cross_table")


@dataclass(frozen=True, slots=True)
class Row:
    """One cell: what it reads as with noise, and what it is without."""

    cell: str
    noisy: str
    plain: str


@dataclass(frozen=True, slots=True)
class Line:
    """One statistic. `leaves` has a line for each block; `more` rows are not shown."""

    id: str
    counted: str
    national: bool
    leaves: tuple[str, ...]
    rows: tuple[Row, ...]
    more: int
    later: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A whole example; `banner` says that all of it is invented."""

    banner: str
    noisy: str
    lines: tuple[Line, ...]


def tell(made: Example, codebook: Codebook, lang: Language) -> Told:
    """The example for a reader."""
    counts = {"households": made.households, "adults": made.adults, "children": made.children}
    banner = say("decide.example.invented", lang, **counts)
    lines = tuple(_line(shown, codebook, lang) for shown in made.statistics)
    return Told(banner, say("decide.example.noise", lang), lines)


def _line(shown: Shown, codebook: Codebook, lang: Language) -> Line:
    asked, labels = shown.statistic, Labels(codebook, lang)
    figures = list(figures_of(shown).items())
    rows = tuple(
        Row(_cell(cell, labels, lang), *(_figure(figure, asked, lang) for figure in pair))
        for cell, pair in figures[:MOST]
    )
    return Line(
        id=asked.id,
        counted=Phrases(codebook, lang).statistic(asked),
        national=asked.mode == "national",
        leaves=tuple(_vector(one, lang) for one in shown.vectors),
        rows=rows,
        more=max(0, len(figures) - MOST),
        later=not figures,
    )


def _vector(one: Vector, lang: Language) -> str:
    shown = " ".join(str(value) for value in one.numbers[:MOST])
    rest = len(one.numbers) - MOST
    told = f"{one.block}: {shown}" + (f" {say('decide.example.more', lang, count=rest)}" if rest > 0 else "")
    if one.multiplier > 1:
        told += f" ({say('decide.example.multiplied', lang, multiplier=one.multiplier)})"
    return told


def _cell(cell: Sequence[tuple[str, str]], labels: Labels, lang: Language) -> str:
    told = [f"{labels.variable(key)}: {labels.code(key, code)}" for key, code in cell]
    return "; ".join(told) or say("decide.example.whole", lang)


def _figure(figure: float | None, asked: Statistic, lang: Language) -> str:
    if figure is None:
        return UNKNOWN
    value = Decimal(repr(figure))
    if asked.kind in _SHARES:
        told = percentage(value, lang)
        return told if told == NIL else f"{told}%"
    return number(value, 0 if asked.kind == "count" else 2, lang)
