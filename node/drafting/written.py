"""Suggestions as YAML to complete by hand: every doubt is a remark behind its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from node.drafting.completing import Column, DraftPart
from node.drafting.suggestion import Suggestion
from node.drafting.variables import Draft
from policies.pages.words import say
from policies.study.codebook import TABLES, Codebook
from policies.study.text import Language

_ADULTS, _CHILDREN = 2, 4
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""What some reader of YAML takes for something else than a word."""


def mapping_text(found: Suggestion, codebook: str, lang: Language) -> str:
    """mapping.yaml: which loads as it is, unless no column could tell the household."""
    told = partial(say, lang=lang)
    lines = [f"# {line}" for line in told("data.draft.mapping").splitlines()]
    lines.append(f"mapping: {{codebook: {codebook}}}")
    if found.encoding:
        lines.append(f"text: {{encoding: {found.encoding}}}{_remark(told('data.draft.encoding'))}")
    lines.append("parts:")
    for part in found.parts:
        lines += ["", *_part(part, lang)]
    if found.left_out:
        lines += ["", f"# {told('data.draft.left_out')}"]
        lines += [
            f"#   {out.file}: {_plain(out.column)}: {told(f'data.draft.why.{out.why}')}" for out in found.left_out
        ]
    if found.absent:
        lines += ["", f"# {told('data.draft.absent')}", *_wrapped(found.absent)]
    return "\n".join(lines) + "\n"


def codebook_text(
    name: str, variables: Sequence[Draft], units: tuple[str, str, str], waves: Mapping[str, str], lang: Language,
    children: int = _CHILDREN, title: str = "",
) -> str:  # fmt: skip
    """codebook.yaml: it is refused, with the line of each, until the bounds that nobody told are filled in."""
    told = partial(say, lang=lang)
    household, person, wave = map(_text, units)
    lines = [f"# {line}" for line in told("data.draft.codebook").splitlines()]
    labels = f", labels: {_labels({'nl': title, 'en': title})}" if title else ""
    lines += [f"codebook: {{id: {name}, version: 1{labels}}}"]
    lines += [f"units: {{household: {household}, person: {person}, wave: {wave}}}"]
    lines += [f"caps: {{adults: {_ADULTS}, children: {children}}}{_remark(told('data.draft.caps'))}", "waves:"]
    lines += [f"  {one}: {_labels({'nl': label, 'en': label})}" for one, label in waves.items()]
    lines += ["tables: {" + ", ".join(f"{table}: {{}}" for table in TABLES) + "}"]
    lines += ["variables:" if variables else "variables: {}"]
    for one in variables:
        lines += list(_variable(one, lang))
    return "\n".join(lines) + "\n"


def units_of(found: Suggestion, codebook: Codebook | None) -> tuple[str, str, str]:
    """The names of the columns that identify rows: the files' own, or the usual ones."""
    if codebook is not None:
        return codebook.units.household, codebook.units.person, codebook.units.wave
    household = next((part.household for part in found.parts if part.household), "hh_id")
    person = next((part.person for part in found.parts if part.person), "person_id")
    return household, person, next((part.wave_column for part in found.parts if part.wave_column), "wave")


def _variable(one: Draft, lang: Language) -> Iterator[str]:
    told = partial(say, lang=lang)
    yield f"  {_text(one.name)}:{_remark(_plain(one.source))}"
    yield f"    table: {one.table}"
    yield f"    type: {one.type}"
    if one.type != "category":
        low, high = one.bounds or (told("data.draft.low"), told("data.draft.high"))
        key = "bounds_of_labels" if "bounds_of_labels" in one.open else "bounds" if one.bounds is None else ""
        yield f"    bounds: [{low}, {high}]{_remark(told(f'data.draft.open.{key}')) if key else ''}"
        if one.grid != "1":
            yield f"    grid: {one.grid}{_remark(told('data.draft.open.grid')) if 'grid' in one.open else ''}"
    if one.missing:
        guess = _remark(told("data.draft.open.missing_guess")) if "missing_guess" in one.open else ""
        yield f"    missing: [{', '.join(map(_text, one.missing))}]{guess}"
    if one.waves:
        yield f"    waves: [{', '.join(one.waves)}]"
    if one.type == "category":
        doubt = next((key for key in ("codes_seen", "codes_unlabelled", "codes_told") if key in one.open), "")
        yield f"    categories:{_remark(told(f'data.draft.open.{doubt}')) if doubt else ''}"
        yield from (f"      {_text(code)}: {_labels(labels)}" for code, labels in one.categories.items())
    if one.labels:
        yield f"    labels: {_labels(one.labels)}"


def _part(part: DraftPart, lang: Language) -> Iterator[str]:
    told = partial(say, lang=lang)
    missing = "" if part.household else _remark(told("data.draft.no_household"))
    yield f"  - table: {part.table}"
    yield f"    file: {_text(part.file)}"
    yield f"    household: {_text(part.household or told('data.draft.column'))}{missing}"
    if part.person is not None:
        yield f"    person: {_text(part.person)}"
    if part.persons:
        yield f"    persons: [{', '.join(map(str, part.persons))}]"
    yield f"    wave: {_wave(part)}"
    if part.present is not None:
        yield f"    present: {{column: {_text(part.present)}, values: [1, ja, yes]}}{_remark(told('data.draft.check'))}"
    if part.columns:
        yield "    columns:"
        yield from (_column(column, lang) for column in part.columns)


def _wave(part: DraftPart) -> str:
    if part.wave_column is not None:
        values = ", ".join(f"{_text(text)}: {wave}" for text, wave in part.wave_values.items())
        return f"{{column: {_text(part.wave_column)}{f', values: {{{values}}}' if values else ''}}}"
    if part.suffixes:
        return "{suffixes: {" + ", ".join(f"{wave}: {_text(mark)}" for wave, mark in part.suffixes.items()) + "}}"
    return "{always: T0}"


def _column(column: Column, lang: Language) -> str:
    written = _text(column.template)
    if column.codes:
        codes = ", ".join(f"{_text(theirs)}: {_text(ours)}" for theirs, ours in column.codes.items())
        written = f"{{column: {written}, codes: {{{codes}}}}}"
    remarks = [_plain(column.label)] if column.label else []
    if column.match is not None and column.match.unsure:
        remarks.append(say("data.draft.unsure", lang))
    if column.match is not None and column.match.codes_left:
        remarks.append(say("data.draft.codes_left", lang, codes=", ".join(map(_plain, column.match.codes_left))))
    return f"      {_text(column.name)}: {written}{_remark('; '.join(remarks))}"


def _labels(labels: Mapping[Language, str]) -> str:
    return "{" + ", ".join(f"{lang}: {_quoted(text)}" for lang, text in labels.items()) + "}"


def _text(text: str) -> str:
    """A text that YAML takes for nothing else: in quotes, unless it is a plain name."""
    plain = text.isascii() and text.replace("_", "a").isalnum() and not text[0].isdigit()
    return text if plain and text.casefold() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(_plain(text), ensure_ascii=False)


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _remark(text: str) -> str:
    return f"  # {text}" if text else ""


def _wrapped(names: Iterable[str]) -> list[str]:
    return [f"#   {name}" for name in names]
