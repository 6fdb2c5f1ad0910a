"""The public shape of a derived variable: its table, its waves, and its cases as conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

from policies.study.columns import Column
from policies.study.definitions import Definition
from policies.study.expressions.nodes import Expr, refs, required
from policies.study.expressions.parse import BadExpression, Scope, parse


def derived_column(name: str, rule: Definition, columns: Mapping[str, Column], parameters: Mapping[str, str]) -> Column:
    """The public shape of a derived variable. Raises ValueError where its cases cannot be computed."""
    tables: tuple[Literal["household", "adult", "child"], ...] = ("household", "adult", "child")
    for table in tables:
        waves = sorted({wave for column in columns.values() for wave in column.waves}) or [""]
        scopes = {wave: Scope(columns, table, wave, parameters=parameters) for wave in waves}
        usable = [wave for wave in waves if _wanted(rule, wave) and _parses(rule, scopes[wave])]
        if not usable:
            continue
        conditions = {wave: conditions_of(rule, scopes[wave]) for wave in usable}
        waved = any(ref.wave for condition in conditions[usable[0]] for ref in refs(condition))
        waves = usable if waved else [""]
        return Column(
            name=name,
            table=table,
            waves=tuple(usable) if waved else (),
            codes=rule.codes,
            lower=Fraction(0),
            grid=Fraction(1),
            size=len(rule.codes),
            sd=None,
            sources=_sources(dict(zip(waves, conditions.values(), strict=False))),
        )
    case = rule.cases[0]
    try:
        parse(case.when or "", Scope(columns, "household", "T0", parameters=parameters))
    except BadExpression as error:
        raise ValueError(f"derived.{name}: {error}") from error
    raise ValueError(f"derived.{name}: no table and wave has every variable of its cases")


def _sources(conditions: Mapping[str, Sequence[Expr]]) -> tuple[str, ...]:
    """The variables that are present at a wave whenever the derived one is, and that at each of its waves.

    One that a case names at a fixed wave (`incidents@T0`) says nothing about the other waves, and is left out.
    """
    at_each = [
        {ref.name for condition in of_wave for ref in required(condition) if ref.wave == wave}
        for wave, of_wave in conditions.items()
    ]
    return tuple(sorted(set.intersection(*at_each)))


def conditions_of(rule: Definition, scope: Scope) -> list[Expr]:
    """The conditions of every case but the last. Raises BadExpression."""
    return [parse(case.when or "", scope) for case in rule.cases[:-1]]


def _wanted(rule: Definition, wave: str) -> bool:
    return not rule.waves or wave in rule.waves


def _parses(rule: Definition, scope: Scope) -> bool:
    try:
        conditions_of(rule, scope)
    except BadExpression:
        return False
    return True
