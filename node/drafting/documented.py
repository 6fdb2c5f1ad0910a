"""From a study's documentation to a draft codebook: bounds are those that the documentation states, or none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from node.drafting.ddi import Category, Documented, Study, Texts
from node.drafting.roles import household, left_out, person, wave
from node.drafting.seen import Seen
from node.drafting.seen import Texts as Shown
from node.drafting.shapes import Question, shape
from node.drafting.suggestion import LeftOut
from node.drafting.variables import Draft, Open, both, slug, unique, variable_name
from policies.study.codebook import Table
from policies.study.text import Language

_CHILD = re.compile(r"kind|child|jeugd|youth|minderjarig")
_ADULT = re.compile(r"ouder|volwass|parent|adult|moeder|vader|mother|father|respondent|partner")
_NUMBER = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,12})?")
_CODE = re.compile(r"[A-Za-z0-9_]{1,40}")
_MOST_CODES = 20
"""A longer range of codes for "not known" is not written out."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What the documentation does not say of a variable: `range`, a valid range; `decimals`; `name`."""

    file: str
    line: int
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class FromStudy:
    """A draft codebook: its variables and waves, what lacks, and what was left out."""

    variables: tuple[Draft, ...]
    waves: tuple[str, ...]
    units: tuple[str, str, str]
    children: int
    lacking: tuple[Lacking, ...]
    left_out: tuple[LeftOut, ...]


def from_study(study: Study, path: Path) -> FromStudy:
    """A codebook's variables from a study's; columns that repeat one question over waves and persons are one."""
    file = path.name
    named = {one.name: one for one in study.variables if one.name}
    lacking = [Lacking(file, one.line, "?", "name") for one in study.variables if not one.name]
    seen = [_seen(one) for one in named.values()]
    ids = household(seen, None), person(seen, None), _wave(named)
    rest = [name for name in named if name not in {one.name for one in ids if one is not None}]
    marks, questions = shape(rest, waves=ids[2] is None)
    lowest = min(marks.marks, default=0)
    waves = tuple(f"T{n - lowest}" for n in range(lowest, max(marks.marks, default=0) + 1))
    taken: set[str] = set()
    drafts, out = [], []
    for question in questions:
        one = named[question.columns[0]]
        if why := left_out(_seen(one, question.stem)):
            out.append(LeftOut(file, question.template, why))
            continue
        name = variable_name(f"{question.front}_{question.stem}", taken)
        made = _draft(one, name, question, tuple(f"T{n - lowest}" for n in question.waves))
        drafts.append(made)
        lacking += [Lacking(file, one.line, one.name, _WHAT[key]) for key in made.open if key in _WHAT]
    children = max((len(one.persons) for one in questions if one.table == "child"), default=0)
    units = tuple(
        one.name if one is not None else usual for one, usual in zip(ids, ("hh_id", "person_id", "wave"), strict=True)
    )
    return FromStudy(tuple(drafts), waves, (units[0], units[1], units[2]), children, tuple(lacking), tuple(out))


_WHAT = {"bounds": "range", "grid": "decimals", "labels": "label"}


def title_of(study: Study, lang: Language) -> str:
    return _in(study.title, lang)


def _wave(named: dict[str, Documented]) -> Seen | None:
    """The variable that tells the wave, by its name; what it holds is not known here."""
    return wave([Seen(one.name, texts=Shown(turns=("0",))) for one in named.values()], None)


def _draft(one: Documented, name: str, question: Question, waves: tuple[str, ...]) -> Draft:
    label = _in(one.labels, "nl") or _in(one.question, "nl")
    labels: dict[Language, str] = {}
    if label:
        labels = {"nl": label, "en": _in(one.labels, "en") or _in(one.question, "en")}
    missing = tuple(dict.fromkeys((*_missing(one), *(c.code for c in one.categories if c.missing and c.code))))
    kinds = [category for category in one.categories if category.code and category.code not in missing]
    todo: tuple[Open, ...] = () if labels else ("labels",)
    base = Draft(
        name, _table(one, question), "category", labels, missing=missing, waves=waves, open=todo,
        source=f"{one.name}, {one.line}",
    )  # fmt: skip
    ranged = bool(_number(one.low) and _number(one.high))
    if len(kinds) >= 2 and not one.continuous and not (ranged and len(kinds) < _steps(one)):
        return _of_categories(base, kinds)
    return _of_range(base, one)


def _of_categories(base: Draft, kinds: Sequence[Category]) -> Draft:
    taken: set[str] = set()
    plain = all(_CODE.fullmatch(kind.code) for kind in kinds)
    categories, theirs = {}, {}
    for kind in kinds:
        label = _in(kind.labels, "nl") or kind.code
        code = unique(kind.code if plain else slug(label)[:36] or "code", taken)
        categories[code] = {**both(label), "en": _in(kind.labels, "en") or label}
        theirs[kind.code] = code
    return replace(base, categories=categories, theirs={} if plain else theirs)


def _of_range(base: Draft, one: Documented) -> Draft:
    low, high = _number(one.low), _number(one.high)
    bounds = (low, high) if low and high and Decimal(low) < Decimal(high) else None
    written = max((-int(Decimal(text).as_tuple().exponent) for text in bounds or ()), default=0)
    decimals = max(one.decimals or 0, written)
    open_bounds: tuple[Open, ...] = () if bounds else ("bounds",)
    if decimals == 0 and not (one.continuous and one.decimals is None):
        return replace(base, type="integer", bounds=bounds, open=(*base.open, *open_bounds))
    unsure: tuple[Open, ...] = () if one.decimals is not None else ("grid",)
    grid = "0." + "0" * (max(decimals, 1) - 1) + "1"
    return replace(base, type="decimal", bounds=bounds, grid=grid, open=(*base.open, *open_bounds, *unsure))


def _steps(one: Documented) -> int:
    """How many whole values a range has: more than there are categories where labels are those of a scale's ends."""
    low, high = Decimal(_number(one.low)), Decimal(_number(one.high))
    return int(high - low) + 1 if low < high else 0


def _missing(one: Documented) -> list[str]:
    found = [code for code in one.missing if code]
    for low, high in one.missing_ranges:
        first, last = _number(low), _number(high or low)
        if first and last and "." not in first + last and 0 <= int(last) - int(first) < _MOST_CODES:
            found += [str(code) for code in range(int(first), int(last) + 1)]
    return found


def _table(one: Documented, question: Question) -> Table:
    if question.front:
        return question.table
    about = " ".join(one.universe.values()).casefold()
    return "child" if _CHILD.search(about) else "adult" if _ADULT.search(about) else "household"


def _seen(one: Documented, stem: str | None = None) -> Seen:
    """As if it stood in a file, as far as its name and kind go."""
    numbers = one.format != "character" or len(one.categories) >= 2
    labels = {category.code: "" for category in one.categories}
    texts = Shown(filled=9, distinct=9, numbers=numbers, others=True)
    return Seen(stem or one.name, _in(one.labels, "nl"), labels, texts=texts)


def _number(text: str) -> str:
    """A number as the codebook writes it; empty for anything else."""
    return text.replace(",", ".") if _NUMBER.fullmatch(text) else ""


def _in(texts: Texts, lang: str) -> str:
    """The text in a language, else one without language, else the first."""
    return texts.get(lang) or texts.get("") or next(iter(texts.values()), "")
