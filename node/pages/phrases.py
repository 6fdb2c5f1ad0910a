"""A question in words: statistics and their conditions by the codebook's labels, not by its codes.

The grammar of conditions is closed (policies/study/expressions/nodes.py), so every condition has a sentence:

    state@T1 in {none} and not missing(profile@T0)
    ‘Situatie: geen geweld’ en ‘Gezinsprofiel bij T0: bekend’

Where there is no codebook, or it does not fit, the question stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from policies.pages.numbers import exact
from policies.pages.words import catalogue, say
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.columns import Column, Ref
from policies.study.definitions import Category
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some
from policies.study.expressions.parse import BadExpression, Scope, parse, parse_ref
from policies.study.text import Language, Text

_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)?(@[A-Za-z0-9_]+)?")
"""A variable by itself, in canonical spelling; anything else is a condition."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Words for what a programme asks, in one language; the codes themselves where `codebook` is None."""

    codebook: Codebook | None
    lang: Language

    def statistic(self, asked: Statistic) -> str:
        """What a statistic counts, of whom and when; not what it is broken down by."""
        key, lang = f"page.counted.{asked.kind}", self.lang
        unit = self._unit(asked)
        where = "" if asked.where is None else say("page.counted.where", lang, where=self._among(asked, unit))
        parts = [asked.of] if isinstance(asked.of, str) else list(asked.of or ())
        # Of a change it is the same variable at both waves.
        told = [self._asked(part, asked, "->" not in asked.wave) for part in parts]
        fields = {
            "unit": unit,
            "wave": self.when(asked),
            "of": ", ".join(told),
            "where": where,
            "within": self._within(asked),
            "kind": asked.kind.replace("_", " "),
            "compare": self._asked(asked.compare or "", asked),
            "strata": ", ".join(self._asked(key, asked) for key in asked.strata),
            "outcome": ", ".join(told[:1]),
            "terms": ", ".join(told[1:]),
        }
        return say(key if key in catalogue() else "page.counted.other", lang, **fields)

    def keys(self, asked: Statistic) -> tuple[str, ...]:
        """What it is broken down by."""
        return tuple(self._asked(key, asked) for key in asked.by)

    def when(self, asked: Statistic) -> str:
        """At which waves, with what the codebook calls them."""
        named = {} if self.codebook is None else self.codebook.waves
        told = [
            say("decide.phrase.wave", self.lang, wave=wave, name=_low(named[wave].in_language(self.lang)))
            if wave in named
            else wave
            for wave in asked.waves
        ]
        joined = {"+": "decide.phrase.waves_pooled", ">": "decide.phrase.waves_change"}
        sign = next((sign for sign in joined if sign in asked.wave), "")
        return say(joined[sign], self.lang, first=told[0], last=told[-1]) if sign else told[0]

    def variable(self, name: str) -> str:
        """The label of a variable, without its wave; the bare name where it has none."""
        return self._text(_labels(self.codebook, name), name)

    def categories(self, name: str) -> tuple[str, ...]:
        """The labels of its categories; of a number nothing."""
        column = None if self.codebook is None else self.codebook.columns.get(name)
        return () if column is None else tuple(self._code(column, place) for place in range(len(column.codes)))

    def _unit(self, asked: Statistic) -> str:
        key = f"import.units.{asked.unit}"
        return say(key, self.lang) if key in catalogue() else asked.unit.replace("_", " ")

    def _among(self, asked: Statistic, unit: str) -> str:
        condition = self._condition(asked.where or "", asked)
        return say("decide.phrase.units_with", self.lang, unit=unit, condition=condition)

    def _within(self, asked: Statistic) -> str:
        found = ""
        if asked.within is not None:
            low, high = (exact(bound, self.lang) for bound in asked.within)
            found = say("page.counted.within", self.lang, low=low, high=high)
        for name, held in asked.ranges.items():
            low, high = (exact(bound, self.lang) for bound in held)
            found += say("page.counted.ranges", self.lang, name=self._quoted(self.variable(name)), low=low, high=high)
        return found

    def _asked(self, source: str, asked: Statistic, dated: bool = True) -> str:
        """A variable or a condition; `dated`: with its wave, where that is another."""
        if self.codebook is None or not source:
            return source
        if not _NAME.fullmatch(source):
            return self._condition(source, asked)
        try:
            ref = parse_ref(source, self._scope(asked))
        except BadExpression:
            return source
        return self._quoted(self.variable(ref.name) + (self._at(ref, asked) if dated else ""))

    def _condition(self, source: str, asked: Statistic) -> str:
        if self.codebook is None:
            return source
        try:
            return self._told(parse(source, self._scope(asked)), asked, self.codebook)
        except BadExpression:
            return source

    def _scope(self, asked: Statistic) -> Scope:
        columns = {} if self.codebook is None else self.codebook.columns
        return Scope(columns, asked.unit, asked.waves[-1])

    def _told(self, expr: Expr, asked: Statistic, codebook: Codebook) -> str:
        match expr:
            case Among(ref=ref, ranges=ranges):
                said = self._values(codebook.columns[ref.name], ranges)
            case Missing(ref=ref, negated=negated):
                said = say("decide.phrase.known" if negated else "decide.phrase.missing", self.lang)
            case All(parts=parts):
                return self._all(parts, asked, codebook)
            case Some(parts=parts):
                return f" {say('decide.phrase.or', self.lang)} ".join(self._each(parts, asked, codebook))
        return self._quoted(f"{self._named(ref, asked)}: {said}")

    def _all(self, parts: Sequence[Expr], asked: Statistic, codebook: Codebook) -> str:
        """Every part; what must only be known comes last, in one list."""
        known = [part.ref for part in parts if isinstance(part, Missing) and part.negated]
        rest = [part for part in parts if len(known) < 2 or not (isinstance(part, Missing) and part.negated)]
        told = self._each(rest, asked, codebook)
        if len(known) > 1:
            names = self._listed([self._quoted(self._named(ref, asked)) for ref in known], "decide.phrase.and")
            told.append(say("decide.phrase.all_known", self.lang, names=names))
        return f" {say('decide.phrase.and', self.lang)} ".join(told)

    def _each(self, parts: Sequence[Expr], asked: Statistic, codebook: Codebook) -> list[str]:
        told = ((part, self._told(part, asked, codebook)) for part in parts)
        return [f"({said})" if isinstance(part, All | Some) else said for part, said in told]

    def _named(self, ref: Ref, asked: Statistic) -> str:
        return self.variable(ref.name) + self._at(ref, asked)

    def _values(self, column: Column, ranges: Sequence[tuple[int, int]]) -> str:
        if sum(high - low + 1 for low, high in ranges) == column.size:
            return say("decide.phrase.known", self.lang)
        if not ranges:
            return say("decide.phrase.nothing", self.lang)
        if not column.categorical:
            return self._or([self._stretch(column, low, high) for low, high in ranges])
        inside = [place for low, high in ranges for place in range(low, high + 1)]
        outside = [place for place in range(column.size) if place not in inside]
        if len(outside) < len(inside):
            return say("decide.phrase.not", self.lang, values=self._or([self._code(column, at) for at in outside]))
        return self._or([self._code(column, place) for place in inside])

    def _or(self, told: Sequence[str]) -> str:
        return self._listed(told, "decide.phrase.or")

    def _listed(self, told: Sequence[str], word: str) -> str:
        *most, last = told
        return f"{', '.join(most)} {say(word, self.lang)} {last}" if most else last

    def _stretch(self, column: Column, low: int, high: int) -> str:
        """A range of a number, in its own unit."""
        first, last = (exact(Decimal(column.value_text(place)), self.lang) for place in (low, high))
        if low == high:
            return first
        if low == 0:
            return say("decide.phrase.at_most", self.lang, value=last)
        if high == column.size - 1:
            return say("decide.phrase.at_least", self.lang, value=first)
        return say("decide.phrase.between", self.lang, low=first, high=last)

    def _code(self, column: Column, place: int) -> str:
        found = () if self.codebook is None else _categories(self.codebook, column.name)
        code = column.codes[place]
        return next((self._text(one.label, code) for one in found if one.code == code), code)

    def _at(self, ref: Ref, asked: Statistic) -> str:
        """The wave of a variable, where it is not the statistic's own."""
        other = ref.wave and (ref.wave != asked.waves[-1] or (len(asked.waves) > 1 and not asked.pooled))
        return say("decide.phrase.at", self.lang, wave=ref.wave) if other else ""

    def _text(self, text: Text | None, otherwise: str) -> str:
        return otherwise if text is None else text.in_language(self.lang)

    def _quoted(self, text: str) -> str:
        return f"‘{text}’"


def _labels(codebook: Codebook | None, name: str) -> Text | None:
    """What the codebook calls a variable; an alternative of a derived one by its own label, else the derived one's."""
    if codebook is None:
        return None
    if name in codebook.variables:
        return codebook.variables[name].labels
    own, derived = codebook.definitions.get(name), codebook.derived.get(name.partition(".")[0])
    return (own.labels if own else None) or (derived.labels if derived else None)


def _categories(codebook: Codebook, name: str) -> Sequence[Category]:
    if name in codebook.variables:
        return codebook.variables[name].categories
    own = codebook.definitions.get(name)
    return () if own is None else own.categories


def _low(text: str) -> str:
    """In the middle of a sentence; a word in capitals stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
