"""A mapping: how one region's own files become the codebook's tables. Written by its steward, used by its node alone.

Columns are named by templates: `<wave>` stands for a wave's suffix, `<person>` for a person's, `<name>` for the
codebook's name of the variable. So one row per household with columns KIND1_ANGST_T0 .. KIND6_ANGST_T1 is told by one
line, `KIND<person>_ANGST<wave>`. Names match in upper or lower case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from policies.documents import Document
from policies.study.codebook import Codebook, MissingCodes, Table
from policies.study.columns import Column
from policies.study.text import Code, Name, Text, Wave

Template = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Encoding = Literal["utf-8", "latin-1", "windows-1252", "utf-16"]
Delimiter = Literal["auto", "semicolon", "comma", "tab"]
DecimalSign = Literal["either", "comma", "point"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
WAVE, PERSON, NAME = "<wave>", "<person>", "<name>"
STABLE = "stable_id"
"""Where a household's stable id is looked for, unless a mapping names another column."""

Problem = tuple[tuple[str, ...], str]
"""The key's path in the document, and what was expected there."""


def _source(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _codes(value: Any) -> Any:
    """Codes are written as numbers too."""
    return {k: str(v) if type(v) is int else v for k, v in value.items()} if isinstance(value, dict) else value


class TextFiles(Document):
    """How CSV files are written. Other formats say it themselves."""

    encoding: Encoding = "utf-8"
    delimiter: Delimiter = "auto"
    decimal: DecimalSign = "either"
    """The decimal sign: a number with the other one is then no number."""


class Source(Document):
    """Where a variable's values stand, and what their codes mean."""

    column: Template
    codes: Annotated[dict[str, Code], BeforeValidator(_codes, json_schema_input_type=dict[str, Code | int])] = Field(
        default_factory=dict
    )
    """Their code, or its value label, to a category of the codebook. Codes that are not listed are unknown codes."""
    missing: MissingCodes = ()


Columns = dict[Name, Annotated[Source, BeforeValidator(_source, json_schema_input_type=Template | Source)]]


class WaveOf(Document):
    """What tells the wave: a column, the columns' suffixes, or the file."""

    column: Template | None = None
    values: dict[str, Wave] = Field(default_factory=dict)
    """The column's values where they are not the codebook's names."""
    suffixes: Annotated[dict[Wave, str], BeforeValidator(_codes, json_schema_input_type=dict[Wave, str | int])] = Field(
        default_factory=dict
    )
    """What `<wave>` stands for in the names of columns."""
    always: Wave | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.column is not None) + bool(self.suffixes) + (self.always is not None) != 1:
            raise ValueError("expected one of {column: NAME}, {suffixes: {T0: _T0, ...}} or {always: WAVE}")
        if self.values and self.column is None:
            raise ValueError("values belong to {column: NAME}")
        if len({suffix.casefold() for suffix in self.suffixes.values()}) != len(self.suffixes):
            raise ValueError("suffixes must differ")
        return self


class Presence(Document):
    """The column that says whether the unit took part."""

    column: Template
    values: MissingCodes = ()
    """Those that say so; left out: any that is not a code for "not known"."""


class Part(Document):
    """One table in one file. A table may have several parts, a file too."""

    table: Table
    file: str | None = None
    """The file's name in the delivery; left out: household.*, adult.* or child.*."""
    sheet: str | None = None
    """Of a workbook; left out: the first."""
    household: Template
    stable: Template | None = None
    """The column with an id by which the household is known again in another cohort; left out: stable_id, if it is
    there. Needed where the region's policy sets households.most_cohorts."""
    person: Template | None = None
    """The column with the person's id; needed where a person has a row of its own."""
    persons: MissingCodes = ()
    """What `<person>` stands for in the names of columns, where a household's row holds its persons."""
    wave: WaveOf
    present: Presence | None = None
    """Left out: a unit with columns of its own for a wave took part in it if it gave an answer there."""
    columns: Columns = Field(default_factory=dict)
    others: Template | None = None
    """Where the variables that `columns` does not list are looked for; they may be absent."""
    missing: MissingCodes = ()

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if self.table == "household" and (self.person or self.persons):
            raise ValueError("a household has no person and no persons")
        if self.table != "household" and self.stable:
            raise ValueError("stable: expected it with the table household, and only there")
        if self.table != "household" and not (self.person or self.persons):
            raise ValueError("expected person: COLUMN, or persons: [1, 2, ...]")
        if len({person.casefold() for person in self.persons}) != len(self.persons):
            raise ValueError("persons must differ")
        if self.persons and self.person and PERSON not in self.person:
            raise ValueError(f"person: expected a column with {PERSON}, or no person: the persons' numbers are ids too")
        for key, template in self.templates():
            if PERSON in template and (not self.persons or key in ("household", "stable")):
                raise ValueError(f"{key}: {PERSON} needs persons: [1, 2, ...], and has no place in the household's id")
            if WAVE in template and (not self.wave.suffixes or key in ("household", "stable", "person", "wave.column")):
                raise ValueError(f"{key}: {WAVE} needs wave: {{suffixes: ...}}, and has no place in an id")
            if (NAME in template) != (key == "others"):
                raise ValueError(f"{key}: {NAME} stands in others, and only there")
        return self

    def templates(self) -> Iterator[tuple[str, str]]:
        """Every template of the part, by its key."""
        fixed = {"household": self.household, "stable": self.stable, "person": self.person, "others": self.others}
        fixed |= {"wave.column": self.wave.column, "present": self.present.column if self.present else None}
        yield from ((key, template) for key, template in fixed.items() if template is not None)
        yield from ((f"columns.{name}", source.column) for name, source in self.columns.items())

    def source(self, name: str) -> Source | None:
        """Where a variable of the part's table is looked for; None: nowhere."""
        if name in self.columns:
            return self.columns[name]
        return Source(column=self.others.replace(NAME, name)) if self.others else None

    def column(self, shape: Column, wave: str, person: str) -> str | None:
        """The name of the column with a variable's values for this wave and person; None: there is none.

        `wave` and `person` are empty where the file's rows tell them.
        """
        source = self.source(shape.name)
        if source is None or (wave and shape.waves and wave not in shape.waves):
            return None
        suffix = self.wave.suffixes.get(wave, "") if shape.waves else ""
        return source.column.replace(WAVE, suffix).replace(PERSON, person)


class MappingOf(Document):
    """Which codebook the mapping is for."""

    codebook: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}@[1-9][0-9]{0,5}$")]
    labels: Text | None = None


class Mapping(Document):
    """From a region's columns and codes to the codebook's variables and categories."""

    mapping: MappingOf
    text: TextFiles = TextFiles()
    missing: MissingCodes = ()
    """Codes that mean "not known" in every column."""
    parts: tuple[Part, ...] = Field(min_length=1)


def problems(mapping: Mapping, codebook: Codebook) -> Iterator[Problem]:
    """What does not fit the codebook."""
    if mapping.mapping.codebook != codebook.label:
        yield ("mapping", "codebook"), f"expected the codebook of this import, {codebook.label}"
    if all(part.table != "household" for part in mapping.parts):
        yield ("parts",), "expected a part with table: household"
    for place, part in enumerate(mapping.parts):
        here = ("parts", str(place))
        yield from (((*here, *path), said) for path, said in _of_waves(part, codebook))
        for name, source in part.columns.items():
            yield from (
                ((*here, "columns", name, *path), said) for path, said in _of_column(part, name, source, codebook)
            )


def _of_waves(part: Part, codebook: Codebook) -> Iterator[Problem]:
    known = ", ".join(codebook.waves)
    named = [("suffixes", wave, wave) for wave in part.wave.suffixes]
    named += [("values", value, wave) for value, wave in part.wave.values.items()]
    for kind, key, wave in named:
        if wave not in codebook.waves:
            yield ("wave", kind, key), f"expected a wave of the codebook: {known}"
    if part.wave.always is not None and part.wave.always not in codebook.waves:
        yield ("wave", "always"), f"expected a wave of the codebook: {known}"
    shapes = [shape for shape in codebook.columns.values() if shape.table == part.table and shape.waves]
    for wave in part.wave.suffixes:
        if part.present is None and not any(part.column(shape, wave, "") for shape in shapes):
            yield (
                ("wave", "suffixes", wave),
                "no column has answers of this wave; expected one, or present: {column: NAME}",
            )


def _of_column(part: Part, name: str, source: Source, codebook: Codebook) -> Iterator[Problem]:
    variable = codebook.variables.get(name)
    if variable is None:
        yield (), "expected a variable of the codebook; derived ones are computed"
        return
    if variable.table != part.table:
        yield (), f"expected a variable of the table {part.table}; this one is of the table {variable.table}"
    if part.wave.suffixes and WAVE in source.column and not variable.waves:
        yield (), f"expected a column without {WAVE}: this variable has no waves"
    if part.wave.suffixes and WAVE not in source.column and len(variable.waves) > 1:
        yield (), f"expected a column with {WAVE}: this variable is asked at {', '.join(variable.waves)}"
    codes = [category.code for category in variable.categories]
    if source.codes and not codes:
        yield ("codes",), "expected no codes: this variable is a number"
        return
    for theirs, ours in source.codes.items():
        if ours not in codes:
            yield ("codes", theirs), f"expected one of {', '.join(codes)}"
