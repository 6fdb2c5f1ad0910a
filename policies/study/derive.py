"""The rules behind derived variables: what import computes, and which variables stand behind one."""

from __future__ import annotations

from dataclasses import dataclass

from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.derived_columns import conditions_of
from policies.study.expressions.nodes import Expr, refs, required
from policies.study.expressions.parse import Scope

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


def rules(codebook: Codebook) -> tuple[Rule, ...]:
    """Every derived column at every wave, in an order that import can follow."""
    found = []
    base = {name: codebook.columns[name] for name in codebook.variables}
    for name, derived in codebook.definitions.items():
        column = codebook.columns[name]
        for wave in column.waves or ("",):
            conditions = conditions_of(derived, Scope(base, column.table, wave, parameters=codebook.parameter_texts))
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
    conditions = conditions_of(codebook.definitions[name], scope)
    return frozenset(ref.name for condition in conditions for ref in refs(condition))
