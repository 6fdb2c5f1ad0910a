"""What an import found: counts of problems per rule, never a value and never a row number."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from policies.pages.words import say
from policies.study.codebook import Table
from policies.study.text import Language

RULES = (
    "ignored_file", "unknown_column", "absent_variable",
    "ragged_row", "no_answers", "no_household_id", "unknown_wave", "no_person_id", "household_without_row",
    "no_stable_id", "over_cohorts", "over_cap", "duplicate_row",
    "unreadable", "unknown_code", "not_asked", "conflict", "clamped", "snapped", "missing",
)  # fmt: skip
"""In the order in which a steward should look at them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` times the rule applied: to a table, or to one variable or column of it. Files have no count."""

    rule: str
    table: Table | None
    name: str = ""
    count: int = 1


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
        return cls(tables=tables, findings=tuple(Finding(**one) for one in told.pop("findings")), **told)

    def to_json(self) -> str:
        """The report as JSON text, the same in every language."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)

    def lines(self, lang: Language) -> tuple[str, ...]:
        """The report as a steward reads it."""
        found = [say("import.mapping", lang, file=self.mapping)] if self.mapping else []
        if self.added_to:
            found.append(say("import.joined", lang, waves=", ".join(self.added_to)))
        found.append(say("import.files", lang))
        found += [_delivered(one, lang) for one in self.tables]
        found.append(say("import.findings" if self.findings else "import.no_findings", lang))
        rule = ""
        for one in self.findings:
            if one.rule != rule:
                rule = one.rule
                found.append(f"  {say(f'import.rule.{rule}', lang)}:")
            found.append(f"    {one.count:>9}  {'.'.join(part for part in (one.table, one.name) if part)}")
        return tuple(found)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that happened, the ones to look at first in front."""
    happened = [finding for finding in findings if finding.count]
    return tuple(sorted(happened, key=lambda f: (RULES.index(f.rule), f.table or "", f.name)))


def _delivered(one: Delivered, lang: Language) -> str:
    if one.file is None:
        return "  " + say("import.file_absent", lang, table=one.table)
    units = say(f"import.units.{one.table}", lang)
    return "  " + say("import.file", lang, table=one.table, file=one.file, rows=one.rows, kept=one.kept, units=units)
