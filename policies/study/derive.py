"""Derived variables: where they live, at which waves, and their cases as conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from policies.study.columns import Column, Ref
from policies.study.definitions import Definition
from policies.study.expressions.nodes import Expr, refs, required
from policies.study.expressions.parse import BadExpression, Scope, parse

if TYPE_CHECKING:  # types only: the codebook builds its columns with this module
    from policies.study.codebook import Codebook

MISSING_CASE = -1
"""The index of a case that leaves the variable missing; what import writes as missing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One derived column at one wave: missing unless every `required` variable is present, else the first case.

    A case is a condition and the index that it gives, MISSING_CASE for one that leaves the variable missing.
    """

    ref: Ref
    required: tuple[Ref, ...]
    cases: tuple[tuple[Expr, int], ...]
    otherwise: int


def derived_column(name: str, rule: Definition, columns: Mapping[str, Column], parameters: Mapping[str, str]) -> Column:
    """The public shape of a derived variable. Raises ValueError where its cases cannot be computed."""
    tables: tuple[Literal["household", "adult", "child"], ...] = ("household", "adult", "child")
    for table in tables:
        waves = sorted({wave for column in columns.values() for wave in column.waves}) or [""]
        scopes = {wave: Scope(columns, table, wave, parameters=parameters) for wave in waves}
        usable = [wave for wave in waves if _wanted(rule, wave) and _parses(rule, scopes[wave])]
        if not usable:
            continue
        conditions = {wave: _conditions(rule, scopes[wave]) for wave in usable}
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


def _conditions(rule: Definition, scope: Scope) -> list[Expr]:
    return [parse(case.when or "", scope) for case in rule.cases[:-1]]


def _wanted(rule: Definition, wave: str) -> bool:
    return not rule.waves or wave in rule.waves


def _parses(rule: Definition, scope: Scope) -> bool:
    try:
        _conditions(rule, scope)
    except BadExpression:
        return False
    return True


def rules(codebook: Codebook) -> tuple[Rule, ...]:
    """Every derived column at every wave, in an order that import can follow."""
    found = []
    base = {name: codebook.columns[name] for name in codebook.variables}
    for name, derived in codebook.definitions.items():
        column = codebook.columns[name]
        for wave in column.waves or ("",):
            conditions = _conditions(derived, Scope(base, column.table, wave, parameters=codebook.parameter_texts))
            needed = sorted({ref for condition in conditions for ref in required(condition)})
            cases = tuple(
                (condition, MISSING_CASE if case.missing else column.codes.index(case.value))
                for condition, case in zip(conditions, derived.cases, strict=False)
            )
            found.append(Rule(Ref(name, wave), tuple(needed), cases, column.codes.index(derived.cases[-1].value)))
    return tuple(found)


def derived_sources(name: str, codebook: Codebook) -> frozenset[str]:
    """The variables behind a derived one: whoever denies `incidents` also denies what is computed from it."""
    column = codebook.columns[name]
    base = {known: codebook.columns[known] for known in codebook.variables}
    scope = Scope(base, column.table, (column.waves or ("",))[0], parameters=codebook.parameter_texts)
    conditions = _conditions(codebook.definitions[name], scope)
    return frozenset(ref.name for condition in conditions for ref in refs(condition))
