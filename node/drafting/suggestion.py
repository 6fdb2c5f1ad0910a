"""From delivered files to a suggestion: which file holds which table, what tells household, person and wave, and which
variables there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from node.drafting.completing import Column, DraftPart, complete
from node.drafting.matching import matches
from node.drafting.roles import Why, household, left_out, person, says_present, wave
from node.drafting.seen import Seen, SeenFile, merged
from node.drafting.shapes import Question, shape
from node.drafting.variables import Draft, draft, slug, variable_name
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.mapping import WAVE, Encoding

_CHILDREN, _ADULTS = re.compile(r"kind|child"), re.compile(r"ouder|parent|adult|volw")
_FIRST = "T0"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a file: where its columns are, and what they show together."""

    question: Question
    seen: Seen


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is not suggested, and why; `no_match`: the codebook has no such variable."""

    file: str
    column: str
    why: Why | str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """All that is suggested. `variables` are those of a draft codebook; none where there is a codebook."""

    parts: tuple[DraftPart, ...]
    variables: tuple[Draft, ...]
    waves: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    encoding: Encoding | None
    absent: tuple[str, ...] = ()
    """Variables of the codebook that no column was found for."""


def suggest(files: Sequence[SeenFile], codebook: Codebook | None) -> Suggestion:
    """What the files seem to hold. A guess by names and labels: somebody must look at it."""
    read = [_File(one, codebook) for one in files]
    waves = tuple(codebook.waves) if codebook else _waves(read)
    found = [part for one in read for part in one.parts(waves)]
    left = tuple(out for one in read for out in one.left_out)
    encoding = next((one.encoding for one in files if one.encoding), None)
    if codebook is None:
        parts, variables = _drafted(found, waves)
        return Suggestion(_with_household(parts), variables, waves, left, encoding)
    parts, unmatched = _matched(found, codebook)
    absent = set(codebook.variables) - {column.name for part in parts for column in part.columns}
    return Suggestion(
        _with_household(parts), (), waves, (*left, *unmatched), encoding,
        tuple(name for name in codebook.variables if name in absent),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """A part before its variables have names."""

    part: DraftPart
    asked: tuple[Asked, ...]
    names: Mapping[int, str]
    """The codebook's name of each wave, by its number in the file."""

    def cells(self, asked: Asked) -> frozenset[tuple[int | None, str | None]]:
        """The persons and waves of a question's columns."""
        return frozenset(
            (person, None if number is None else self.names.get(number)) for person, number in asked.question.cells
        )


class _File:
    """One file: who its rows are of, and its questions."""

    def __init__(self, seen: SeenFile, codebook: Codebook | None) -> None:
        self.file, units = seen.file, codebook.units if codebook else None
        self.household = household(seen.columns, units.household if units else None)
        others = [one for one in seen.columns if one is not self.household]
        self.person = person(others, units.person if units else None)
        self.wave = wave([one for one in others if one is not self.person], units.wave if units else None)
        rest = {one.name: one for one in others if one not in (self.person, self.wave)}
        self.marks, questions = shape(list(rest), waves=self.wave is None, persons=self.person is None)
        asked = [Asked(one, merged([rest[name] for name in one.columns])) for one in questions]
        if self.person is not None:
            table = _table_of(seen.file, self.person.name)
            asked = [replace(one, question=replace(one.question, table=table)) for one in asked]
        self.left_out = tuple(self._left_out(asked))
        gone = {out.column for out in self.left_out}
        self.asked = tuple(one for one in asked if one.question.template not in gone)

    def numbers(self) -> tuple[int, ...]:
        """The numbers of the waves, however they are told."""
        if self.wave is not None:
            return tuple(int(text[-1]) for text in self.wave.texts.turns)
        return tuple(self.marks.marks)

    def parts(self, waves: tuple[str, ...]) -> Iterator[_Found]:
        """A part for each table that the file has questions of."""
        tables = [table for table in TABLES if any(one.question.table == table for one in self.asked)]
        for table in tables or TABLES[:1]:
            yield self._part(table, [one for one in self.asked if one.question.table == table], waves)

    def _part(self, table: Table, asked: Sequence[Asked], waves: tuple[str, ...]) -> _Found:
        present = next((one for one in asked if says_present(one.question.stem, one.seen.texts)), None)
        told = tuple(one for one in asked if one is not present)
        lowest = min(self.numbers(), default=0)
        names = {n: waves[n - lowest] for n in self.numbers() if n - lowest < len(waves)}
        suffixes: dict[str, str] = {}
        if self.wave is None:
            everywhere = present is not None and WAVE in present.question.template
            having = {number for one in told for number in one.question.waves}
            told_at = {n for n in names if everywhere or n in having}
            suffixes = {names[n]: mark for n, mark in self.marks.marks.items() if n in told_at}
        values: dict[str, str] = {}
        if self.wave is not None:
            values = {text: names[int(text[-1])] for text in self.wave.texts.turns if int(text[-1]) in names}
            values = {} if all(text.casefold() == ours.casefold() for text, ours in values.items()) else values
        persons = sorted({number for one in asked for number in one.question.persons})
        usable = present is not None and (bool(suffixes) or WAVE not in present.question.template)
        part = DraftPart(
            table,
            self.file,
            None if self.household is None else self.household.name,
            None if self.person is None or table == "household" else self.person.name,
            tuple(persons) if self.person is None else (),
            suffixes,
            None if self.wave is None else self.wave.name,
            values,
            present.question.template if present is not None and usable else None,
            (),
        )
        return _Found(part, told, names)

    def _left_out(self, asked: Iterable[Asked]) -> Iterator[LeftOut]:
        for one in asked:
            if says_present(one.question.stem, one.seen.texts):
                continue
            if why := left_out(replace(one.seen, name=one.question.stem)):
                yield LeftOut(self.file, one.question.template, why)


def waves_of(asked: Asked, part: DraftPart, waves: Sequence[str]) -> tuple[str, ...]:
    """At which waves a question is asked: by the names of its columns, or by every row that tells its wave."""
    if part.suffixes:
        if not asked.question.waves:
            return ()
        own = [mark.casefold() for mark in part.suffixes.values()]
        named = dict(zip(own, part.suffixes, strict=True))
        template = asked.question.template.casefold()
        has = {column.casefold() for column in asked.question.columns}
        return tuple(named[mark] for mark in own if any(_is_at(column, template, mark) for column in has))
    return tuple(waves) if part.wave_column is not None else ()


def _is_at(column: str, template: str, mark: str) -> bool:
    pattern = re.escape(template).replace(re.escape(WAVE), re.escape(mark)).replace(re.escape("<person>"), r"\d+")
    return re.fullmatch(pattern, column) is not None


def _drafted(found: Sequence[_Found], waves: tuple[str, ...]) -> tuple[list[DraftPart], tuple[Draft, ...]]:
    """Parts with the variables of a draft codebook. A question that two files ask of one table is one variable."""
    taken: set[str] = set()
    known: dict[tuple[Table, str], Draft] = {}
    parts: list[DraftPart] = []
    for one in found:
        columns = []
        for asked in one.asked:
            key = one.part.table, slug(f"{asked.question.front}_{asked.question.stem}")
            if key not in known:
                name = key[1] if key[1] not in taken else f"{one.part.table}_{key[1]}"
                known[key] = draft(
                    asked.seen, variable_name(name, taken), one.part.table, waves_of(asked, one.part, waves)
                )
            made = known[key]
            cells = one.cells(asked)
            columns.append(
                Column(made.name, asked.question.template, asked.seen.label, made.theirs, None, made.waves, cells)
            )
        parts += complete(replace(one.part, columns=tuple(columns)))
    return parts, tuple(known.values())


def _matched(found: Sequence[_Found], codebook: Codebook) -> tuple[list[DraftPart], tuple[LeftOut, ...]]:
    parts: list[DraftPart] = []
    unmatched: list[LeftOut] = []
    for one in found:
        table = _likely(one, codebook)
        part = replace(one.part, table=table)
        every = tuple(codebook.waves)
        offers = [(asked.question, asked.seen, waves_of(asked, part, every)) for asked in one.asked]
        pairs = matches(offers, table, codebook, by_row=not part.suffixes)
        columns = []
        for asked in one.asked:
            pair = pairs.get(asked.question.template)
            if pair is None:
                unmatched.append(LeftOut(part.file, asked.question.template, "no_match"))
            else:
                own = codebook.variables[pair.name].waves
                columns.append(
                    Column(pair.name, pair.template, asked.seen.label, pair.codes, pair, own, one.cells(asked))
                )
        parts += complete(_asked_waves(replace(part, columns=tuple(columns)), codebook))
    return parts, tuple(unmatched)


def _asked_waves(part: DraftPart, codebook: Codebook) -> DraftPart:
    """Without suffixes of waves at which no column has an answer."""
    if part.present is not None:
        return part
    asked = {wave for column in part.columns for wave in codebook.variables[column.name].waves}
    return replace(part, suffixes={wave: mark for wave, mark in part.suffixes.items() if wave in asked})


def _likely(found: _Found, codebook: Codebook) -> Table:
    """A persons' table by what matches best, where the file does not say whose persons they are."""
    if found.part.table == "household" or found.part.persons or _says(found.part):
        return found.part.table
    scores = {}
    for table in ("adult", "child"):
        offers = [(one.question, one.seen, tuple(codebook.waves)) for one in found.asked]
        scores[table] = len(matches(offers, "adult" if table == "adult" else "child", codebook, by_row=True))
    return "child" if scores["child"] > scores["adult"] else "adult"


def _says(part: DraftPart) -> bool:
    text = f"{part.file} {part.person}".casefold()
    return bool(_CHILDREN.search(text) or _ADULTS.search(text))


def _table_of(file: str, column: str) -> Table:
    return "child" if _CHILDREN.search(f"{Path(file).stem} {column}".casefold()) else "adult"


def _with_household(parts: Sequence[DraftPart]) -> tuple[DraftPart, ...]:
    """A mapping has a part of households: where no file is of them, the first tells which there are."""
    if any(part.table == "household" for part in parts) or not parts:
        return tuple(parts)
    first = replace(parts[0], table="household", person=None, persons=(), present=None, suffixes={}, columns=())
    return first, *parts


def _waves(files: Sequence[_File]) -> tuple[str, ...]:
    """As many waves as a file tells apart."""
    most = max((max(one.numbers()) - min(one.numbers()) + 1 for one in files if one.numbers()), default=1)
    return tuple(f"T{number}" for number in range(min(most, 10))) or (_FIRST,)
