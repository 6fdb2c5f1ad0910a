"""A question as a steward reads it: each figure in words, its variables, and how sharp it is expected to be."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import floor, log10

from node.approving import Proposal
from node.pages.phrases import Phrases
from node.understanding import Understood
from policies.pages.numbers import at_most
from policies.pages.words import one_or_many, say
from policies.statistics.gains import Gain
from policies.study.text import Language

_PLACES = 4


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable by name: its label (empty without one) and the labels of its categories."""

    name: str
    label: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One statistic. `here` and `together` are its expected margins in words; empty where nothing explains them."""

    id: str
    label: str
    counted: str
    by: tuple[str, ...]
    national: bool
    variables: tuple[Variable, ...]
    here: str
    together: str


def explain(one: Proposal, understood: Understood | None, lang: Language) -> tuple[Explained, ...]:
    """Every statistic of a question, in its order."""
    codebook = None if understood is None else understood.codebook
    phrases = Phrases(codebook, lang)
    gains = {} if understood is None else {gain.statistic: gain for gain in understood.gains()}
    found = []
    for question in one.questions:
        asked = question.statistic
        gain = gains.get(asked.id)
        labels = {name: "" if text is None else text.in_language(lang) for name, text in question.variables.items()}
        found.append(
            Explained(
                id=asked.id,
                label=asked.id.replace("_", " ") if asked.label is None else asked.label.in_language(lang),
                counted=phrases.statistic(asked),
                by=phrases.keys(asked),
                national=asked.mode == "national",
                variables=tuple(Variable(name, label, phrases.categories(name)) for name, label in labels.items()),
                here="" if gain is None else margin_here(gain, lang),
                together="" if gain is None else margin_together(gain, lang),
            )
        )
    return tuple(found)


def margin_here(gain: Gain, lang: Language) -> str:
    """The region's own expected margin, or why there is none."""
    if gain.national_only:
        return say("decide.gain.no_own", lang)
    return _margin(gain.region, gain.region_readable, gain.points, lang)


def margin_together(gain: Gain, lang: Language) -> str:
    """The national expected margin, or why there is none."""
    return _margin(gain.national, gain.national_readable, gain.points, lang)


def _margin(half: float | None, readable: bool, points: bool, lang: Language) -> str:
    if not readable:
        return say("decide.gain.drowned", lang)
    if half is None:
        return say("decide.gain.unknown", lang)
    if points:
        return say("decide.gain.points", lang, margin=at_most(Decimal(repr(100 * half)), 1, lang))
    # Two digits that count, rounded up: a margin is never promised smaller than it is.
    places = min(_PLACES, max(0, 1 - floor(log10(half)))) if half > 0 else 0
    return say("decide.gain.number", lang, margin=at_most(Decimal(repr(half)), places, lang))


def cohort_words(one: Proposal, lang: Language) -> str:
    """The cohort that is asked about, and in how many regions."""
    return say(one_or_many("node.pending.of_regions", one.regions), lang, cohort=one.cohort, count=one.regions)
