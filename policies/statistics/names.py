"""Which variables a block touches, whatever for."""

from __future__ import annotations

from typing import assert_never

from policies.statistics.blocks import Axis, Block, Change, Difference, Indicator, Ones, Square, Term, Value
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
    match term.summand:
        case Indicator(of=condition):
            found |= {ref.name for ref in refs(condition)}
        case Value(of=ref) | Square(of=ref) | Difference(after=ref):
            found.add(ref.name)
        case Ones():
            pass
        case _:
            assert_never(term.summand)
    return found
