"""Derived variables over whole columns: the first case that certainly holds, by the codebook's rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from node.importing.values import MISSING
from policies.study.derive import Rule
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some

Values = Mapping[str, NDArray[np.int32]]


def value(rule: Rule, values: Values, rows: int) -> NDArray[np.int32]:
    """The rule's index a row; MISSING unless every variable it requires is present. `values` is by stored name."""
    found = np.full(rows, rule.otherwise, np.int32)
    for condition, index in reversed(rule.cases):
        found[holds(condition, values)] = index
    for ref in rule.required:
        found[values[ref.stored] == MISSING] = MISSING
    return found


def holds(expr: Expr, values: Values) -> NDArray[np.bool_]:
    """Where the condition is certainly true. Conditions carry no `not`, so unknown and false need not be told apart."""
    match expr:
        case Among(ref, ranges):
            column = values[ref.stored]
            inside = np.zeros(len(column), np.bool_)
            for low, high in ranges:
                inside |= (column >= low) & (column <= high)
            return inside
        case Missing(ref, negated):
            return np.asarray((values[ref.stored] != MISSING) if negated else (values[ref.stored] == MISSING))
        case All(parts):
            return reduce(np.logical_and, (holds(part, values) for part in parts))
        case Some(parts):
            return reduce(np.logical_or, (holds(part, values) for part in parts))
        case _:
            assert_never(expr)
