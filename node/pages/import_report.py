"""An import's report as a page to print: every rule that applied, to what, how often, where first, and what to do.

It holds counts and row numbers, for the steward of the region alone. Pure: what it shows is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from node.importing.report import Delivered, Finding, Report, where
from policies.pages.dates import date
from policies.pages.templates import environment
from policies.pages.words import say
from policies.study.text import Language


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as printed."""

    about: str
    count: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that applied, to what, and what to do about it."""

    name: str
    todo: str
    rows: tuple[Row, ...]

    @property
    def placed(self) -> bool:
        """Whether it says of any row where it is."""
        return any(row.places for row in self.rows)


def page(report: Report, made: int, lang: Language, *, trial: bool) -> str:
    """The page as HTML; `made` in unix seconds, `trial` where nothing was written. Same arguments, same text."""

    def told(key: str, **fields: str | int) -> str:
        return say(f"data.page.{key}", lang, **fields)

    return (
        environment(Path(__file__).parent)
        .get_template("import_report.html")
        .render(
            lang=lang,
            title=told("title", cohort=report.cohort),
            every_page=told("private"),
            lead=told("lead_trial" if trial else "lead", date=date(made, lang)),
            words=told,
            report=report,
            trial=trial,
            tables=[_table(one, lang) for one in report.tables],
            rules=[_rule(rule, tuple(group), lang) for rule, group in groupby(report.findings, key=lambda f: f.rule)],
            nothing=say("import.no_findings", lang),
        )
    )


def _table(one: Delivered, lang: Language) -> str:
    if one.file is None:
        return say("import.file_absent", lang, table=one.table)
    units = say(f"import.units.{one.table}", lang)
    return say("import.file", lang, table=one.table, file=one.file, rows=one.rows, kept=one.kept, units=units)


def _rule(rule: str, findings: tuple[Finding, ...], lang: Language) -> Rule:
    rows = tuple(Row(one.about, one.count, where(one, lang)) for one in findings)
    name = say(f"import.rule.{rule}", lang)
    return Rule(name[:1].upper() + name[1:], say(f"data.todo.{rule}", lang), rows)
