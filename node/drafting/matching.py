"""Which column of a file is which variable of a codebook: by name in any capitals, and by how alike labels are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from node.drafting.seen import Seen
from node.drafting.shapes import Question
from node.drafting.variables import slug
from policies.study.codebook import Codebook, Table, Variable
from policies.study.mapping import WAVE

_SURE, _ALIKE, _CODE_ALIKE = 1.0, 0.78, 0.8


@dataclass(frozen=True, slots=True)
class Match:
    """A column's variable. `codes` say what theirs mean, where the codebook's own codes and labels do not; `unsure`
    that it is by likeness alone, and `codes_left` are their codes that no category was found for."""

    name: str
    template: str
    codes: Mapping[str, str]
    unsure: bool
    codes_left: tuple[str, ...] = ()


Offer = tuple[Question, Seen, tuple[str, ...]]
"""A question, what its columns show, and the waves at which they have it."""


def matches(offers: Sequence[Offer], table: Table, codebook: Codebook, *, by_row: bool) -> dict[str, Match]:
    """The best match for each question, by its template; a variable is given out once. `by_row`: rows tell the wave."""
    scored = []
    for place, (question, seen, waves) in enumerate(offers):
        for name, variable in codebook.variables.items():
            score = _score(question, seen, name, variable) if variable.table == table else 0.0
            if score >= _ALIKE and _template(question, variable, waves, by_row) is not None:
                scored.append((-score, place, name))
    found: dict[str, Match] = {}
    used: set[str] = set()
    for score, place, name in sorted(scored):
        question, seen, waves = offers[place]
        if question.template in found or name in used:
            continue
        variable = codebook.variables[name]
        codes, left = _codes(seen, variable)
        template = _template(question, variable, waves, by_row) or question.template
        found[question.template] = Match(name, template, codes, -score < _SURE, left)
        used.add(name)
    return found


def _template(question: Question, variable: Variable, waves: Sequence[str], by_row: bool) -> str | None:
    """The column as the mapping names it; None where its waves do not fit those of the variable."""
    if by_row:
        return question.template if WAVE not in question.template else None
    if WAVE in question.template:
        if set(variable.waves) & set(waves):
            return question.template
        # A trait that was written down once.
        return None if variable.waves or len(question.waves) > 1 else question.columns[0]
    return None if len(variable.waves) > 1 else question.template


def _score(question: Question, seen: Seen, name: str, variable: Variable) -> float:
    """How alike a question and a variable are, from 0 to 1."""
    stem, whole = slug(question.stem), slug(f"{question.front}_{question.stem}")
    plain = name.replace("_", "")
    if plain in (stem.replace("_", ""), whole.replace("_", "")):
        return _SURE
    if plain == f"{variable.table}{stem}".replace("_", ""):
        return _SURE
    own = [] if variable.labels is None else [variable.labels.nl, variable.labels.en]
    by_label = max((_alike(seen.label, label) for label in own), default=0.0)
    return max(by_label, 0.95 * _alike(stem, name)) * 0.999


def _codes(seen: Seen, variable: Variable) -> tuple[dict[str, str], tuple[str, ...]]:
    """What their codes mean; nothing where the codebook's own codes or labels tell it."""
    theirs = {code: label for code, label in seen.labels.items() if code not in (*seen.missing, *variable.missing)}
    theirs = theirs or {text: text for text in seen.texts.often}
    if variable.type != "category" or not theirs:
        return {}, ()
    own = {category.code: (category.code, category.label.nl, category.label.en) for category in variable.categories}
    exact = {_key(text) for texts in own.values() for text in texts}
    if all(code in own or _key(label) in exact for code, label in theirs.items()):
        return {}, ()
    found, left = {}, []
    for code, label in theirs.items():
        best = max(own, key=lambda ours: max(_alike(label, text) for text in own[ours]))
        if code in own and not label:
            found[code] = code
        elif max(_alike(label, text) for text in own[best]) >= _CODE_ALIKE:
            found[code] = best
        else:
            left.append(code)
    return found, tuple(left)


def _alike(one: str, other: str) -> float:
    one, other = _key(one), _key(other)
    return SequenceMatcher(None, one, other, autojunk=False).ratio() if one and other else 0.0


def _key(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()
