"""A household, adult or child of a rehearsal: plain values, and the meaning of a condition on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from policies.statistics.blocks import Unit as Kind
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some

Values: TypeAlias = Mapping[Ref, int | None]
"""An index for every variable at every wave; None where it is missing."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One household, adult or child. `household` numbers it within its region; `waves` are those it was seen at."""

    household: int
    waves: frozenset[str]
    values: Values


Region: TypeAlias = Mapping[Kind, Sequence[Unit]]
"""The units of one region. At most the codebook's cap of persons share a household."""


def holds(expr: Expr, values: Values) -> bool | None:
    """True, false, or None where the condition is unknown (Kleene)."""
    match expr:
        case Among(ref=ref, ranges=ranges):
            index = values[ref]
            return None if index is None else any(low <= index <= high for low, high in ranges)
        case Missing(ref=ref, negated=negated):
            return (values[ref] is None) != negated
        case All(parts=parts):
            found = [holds(part, values) for part in parts]
            return False if False in found else None if None in found else True
        case Some(parts=parts):
            found = [holds(part, values) for part in parts]
            return True if True in found else None if None in found else False
        case _:
            assert_never(expr)
