"""Which variables a block touches, whatever for."""

from __future__ import annotations

from typing import assert_never

from policies.statistics.blocks import (
    Axis,
    Block,
    Change,
    Difference,
    Indicator,
    Ones,
    Product,
    Square,
    Summand,
    Term,
    Value,
)
from policies.study.expressions.nodes import refs


def names(block: Block) -> set[str]:
    """Every variable a block touches: what is summed, its filter, its missing rule and its cells."""
    return set[str]().union(*(_named(term) for term in block.terms))


def _named(term: Term) -> set[str]:
    found = {ref.name for ref in term.selection.required}
    if term.selection.where is not None:
        found |= {ref.name for ref in refs(term.selection.where)}
    for axis in term.axes:
        match axis:
            case Axis(ref=ref):
                found.add(ref.name)
            case Change(after=ref):
                found.add(ref.name)
            case _:
                assert_never(axis)
    return found | _summed(term.summand)


def _summed(summand: Summand) -> set[str]:
    match summand:
        case Indicator(of=condition):
            return {ref.name for ref in refs(condition)}
        case Value(of=ref) | Square(of=ref) | Difference(after=ref):
            return {ref.name}
        case Product(one=one, other=other):
            return _summed(one) | _summed(other)
        case Ones():
            return set()
        case _:
            assert_never(summand)
