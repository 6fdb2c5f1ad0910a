"""Building conditions that are already in normal form: flattened, sorted, merged, without `not`."""

from __future__ import annotations

from collections.abc import Iterable

from policies.study.expressions.nodes import All, Among, Expr, Missing, Ranges, Some


def tidy(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort, drop empty ranges, and join those that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(r for r in ranges if r[0] <= r[1]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def complement(ranges: Ranges, size: int) -> Ranges:
    """The indices 0..size-1 outside the ranges."""
    edges, start = [], 0
    for low, high in ranges:
        edges.append((start, low - 1))
        start = high + 1
    return tidy((*edges, (start, size - 1)))


def intersect(left: Ranges, right: Ranges) -> Ranges:
    return tidy((max(a, c), min(b, d)) for a, b in left for c, d in right)


def both(parts: Iterable[Expr]) -> Expr:
    """The conjunction in normal form. Atoms on one variable become one: they are unknown together."""
    return _join(parts, All)


def either(parts: Iterable[Expr]) -> Expr:
    """The disjunction in normal form."""
    return _join(parts, Some)


def negate(expr: Expr, sizes: dict[str, int]) -> Expr:
    """`not expr`, pushed into the atoms by De Morgan; unknown stays unknown."""
    if isinstance(expr, Among):
        return Among(expr.ref, complement(expr.ranges, sizes[expr.ref.name]))
    if isinstance(expr, Missing):
        return Missing(expr.ref, not expr.negated)
    parts = [negate(part, sizes) for part in expr.parts]
    return either(parts) if isinstance(expr, All) else both(parts)


def _join(parts: Iterable[Expr], kind: type[All] | type[Some]) -> Expr:
    flat: list[Expr] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    atoms: dict[object, Among] = {}
    rest: set[Expr] = set()
    for part in flat:
        if not isinstance(part, Among):
            rest.add(part)
        elif (seen := atoms.get(part.ref)) is None:
            atoms[part.ref] = part
        elif kind is All:
            atoms[part.ref] = Among(part.ref, intersect(seen.ranges, part.ranges))
        else:
            atoms[part.ref] = Among(part.ref, tidy((*seen.ranges, *part.ranges)))
    joined = sorted((*atoms.values(), *rest), key=_order)
    return joined[0] if len(joined) == 1 else kind(tuple(joined))


def _order(expr: Expr) -> tuple[int, str]:
    """A total order that depends on the meaning only."""
    rank = {Among: 0, Missing: 1, All: 2, Some: 3}[type(expr)]
    return rank, repr(expr)
