"""What an import found: counts of problems per rule and where the first of them stand, never a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from policies.pages.words import say
from policies.study.codebook import Table
from policies.study.text import Language

RULES = (
    "ignored_file", "unknown_column", "absent_variable",
    "ragged_row", "no_answers", "no_household_id", "unknown_wave", "no_person_id", "household_without_row",
    "forgotten", "no_stable_id", "over_cohorts", "over_cap", "duplicate_row",
    "unreadable", "unknown_code", "not_asked", "conflict", "clamped", "snapped", "missing",
)  # fmt: skip
"""In the order in which a steward should look at them."""


MOST_ROWS = 20
"""Of how many rows a finding tells the place: enough to see what is the matter."""


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of a file as its reader counts them: the lines of a sheet, with the names in the first, or cases from 1."""

    file: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` times the rule applied: to a table, or to one variable or column of it. Files have no count.

    `places` are those of the first rows where it did; none where it is not about rows.
    """

    rule: str
    table: Table | None
    name: str = ""
    count: int = 1
    places: tuple[Place, ...] = ()

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> Finding:
        """What `plain` gave, also by an earlier version. Raises TypeError or KeyError for something else."""
        places = tuple(Place(one["file"], tuple(map(int, one["rows"]))) for one in told.get("places", ()))
        return cls(**{**told, "places": places})

    @property
    def about(self) -> str:
        """The table and variable, or the file."""
        return ".".join(part for part in (self.table, self.name) if part)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        told = asdict(self)
        return told if self.places else {key: value for key, value in told.items() if key != "places"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """One table: its files (None: there are none), their rows, and how many units the snapshot keeps."""

    table: Table
    file: str | None
    rows: int
    kept: int


@dataclass(frozen=True, slots=True)
class Report:
    """Exact counts, for the steward of the region alone: they are in no log and leave the node by no message."""

    snapshot: str
    cohort: str
    codebook: str
    tables: tuple[Delivered, ...]
    findings: tuple[Finding, ...]
    mapping: str | None = None
    """The mapping's file."""
    added_to: tuple[str, ...] = ()
    """The waves that were in force, and to which these files were added."""

    @classmethod
    def from_json(cls, data: bytes) -> Report:
        """What `to_json` wrote, also by an earlier version. Raises ValueError, TypeError or KeyError for other text."""
        told = json.loads(data)
        tables = tuple(Delivered(**one) for one in told.pop("tables"))
        told["added_to"] = tuple(told.get("added_to", ()))
        return cls(tables=tables, findings=tuple(map(Finding.from_plain, told.pop("findings"))), **told)

    def to_json(self) -> str:
        """The report as JSON text, the same in every language."""
        told = asdict(self) | {"findings": [one.plain() for one in self.findings]}
        return json.dumps(told, ensure_ascii=False, indent=2)

    def lines(self, lang: Language) -> tuple[str, ...]:
        """The report as a steward reads it."""
        found = [say("import.mapping", lang, file=self.mapping)] if self.mapping else []
        if self.added_to:
            found.append(say("import.joined", lang, waves=", ".join(self.added_to)))
        found.append(say("import.files", lang))
        found += [_delivered(one, lang) for one in self.tables]
        found.append(say("import.findings" if self.findings else "import.no_findings", lang))
        for rule, group in groupby(self.findings, key=lambda one: one.rule):
            found.append(f"  {say(f'import.rule.{rule}', lang)}:")
            for one in group:
                found.append(f"    {one.count:>9}  {one.about}")
                found += [f"               {told}" for told in where(one, lang)]
            found.append(f"    -> {say(f'data.todo.{rule}', lang)}")
        return tuple(found)


def where(finding: Finding, lang: Language) -> tuple[str, ...]:
    """A line for each file with the numbers of the first rows."""
    return tuple(
        say("data.rows", lang, file=place.file, rows=", ".join(map(str, place.rows))) for place in finding.places
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that happened, the ones to look at first in front."""
    happened = [finding for finding in findings if finding.count]
    return tuple(sorted(happened, key=lambda f: (RULES.index(f.rule), f.table or "", f.name)))


def _delivered(one: Delivered, lang: Language) -> str:
    if one.file is None:
        return "  " + say("import.file_absent", lang, table=one.table)
    units = say(f"import.units.{one.table}", lang)
    return "  " + say("import.file", lang, table=one.table, file=one.file, rows=one.rows, kept=one.kept, units=units)
