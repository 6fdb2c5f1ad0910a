"""Exact sums of any block over many studies at once: what an engine makes of one snapshot, said a third time.

A test holds it against the unit-by-unit sums of a rehearsal.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from policies.statistics.blocks import (
    Axis,
    Block,
    Change,
    Difference,
    Indicator,
    Ones,
    Product,
    Selection,
    Square,
    Summand,
    Term,
    Unit,
    Value,
)
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some
from tests.bench.studies.drawing import Studies

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def exact_sums(studies: Studies, block: Block, regions: int) -> Ints:
    """Regions x studies x cells."""
    unit = block.selection.unit
    place = studies.homes.region_of(unit) + regions * np.arange(studies.count)[:, None]
    found = np.zeros(studies.count * regions * block.cells)
    for term in block.terms:
        counts, cell = _selected(studies, term.selection), np.zeros(place.shape, np.intp)
        for axis in term.axes:
            on, known = _place(studies, axis, unit)
            cell, counts = cell * axis.size + on, counts & known
        index = (place * block.cells + cell)[counts]
        adds = _added(studies, term, counts)
        found += np.bincount(index, None if adds is None else adds, minlength=len(found))
    shaped = found.reshape(studies.count, regions, block.cells).swapaxes(0, 1)
    return np.rint(shaped).astype(np.int64)


def _selected(studies: Studies, selection: Selection) -> Bools:
    unit = selection.unit
    counts: Bools = np.logical_and.reduce([studies.seen(wave, unit) for wave in selection.waves])
    for ref in selection.required:
        counts &= studies.values(ref, unit) >= 0
    if selection.where is not None:
        counts &= _holds(studies, selection.where, unit)
    return counts


def _holds(studies: Studies, expr: Expr, unit: Unit) -> Bools:
    """Where the condition is certainly true."""
    match expr:
        case Among(ref=ref, ranges=ranges):
            index = studies.values(ref, unit)
            inside: Bools = np.logical_or.reduce([(index >= low) & (index <= high) for low, high in ranges])
            return inside
        case Missing(ref=ref, negated=negated):
            return np.asarray((studies.values(ref, unit) >= 0) == negated)
        case All(parts=parts):
            every: Bools = np.logical_and.reduce([_holds(studies, part, unit) for part in parts])
            return every
        case Some(parts=parts):
            some: Bools = np.logical_or.reduce([_holds(studies, part, unit) for part in parts])
            return some
        case _:
            assert_never(expr)


def _place(studies: Studies, axis: Axis | Change, unit: Unit) -> tuple[NDArray[np.intp], Bools]:
    """Each unit's place on an axis, and whether it has one."""
    match axis:
        case Axis(ref=ref, starts=starts):
            index = studies.values(ref, unit)
            on = np.searchsorted(np.array(starts), index, side="right") if starts else np.maximum(index, 0)
            return on.astype(np.intp), index >= 0
        case Change(before=before, after=after, better=better):
            old, new = studies.values(before, unit), studies.values(after, unit)
            gone_up = np.sign(new.astype(np.int32) - old) * (1 if better == "lower" else -1)
            return (gone_up + 1).astype(np.intp), (old >= 0) & (new >= 0)
        case _:
            assert_never(axis)


def _added(studies: Studies, term: Term, counts: Bools) -> NDArray[np.float64] | None:
    """What each selected unit adds; None for one each."""
    if isinstance(term.summand, Ones):
        return None
    return _adds(studies, term.summand, term.selection.unit)[counts].astype(np.float64)


def _adds(studies: Studies, summand: Summand, unit: Unit) -> Ints:
    match summand:
        case Ones():
            return np.ones((), np.int64)
        case Indicator(of=of):
            return np.where(_holds(studies, of, unit), 1, -1)
        case Value(of=ref, top=top, low=low):
            return 2 * _held(studies, ref, unit, low, top) - top
        case Square(of=ref, reach=reach, low=low):
            return 2 * (2 * _held(studies, ref, unit, low, reach) - reach) ** 2 - reach**2
        case Difference(before=before, after=after, top=top, low=low):
            return _held(studies, after, unit, low, top) - _held(studies, before, unit, low, top)
        case Product(one=one, other=other):
            return _adds(studies, one, unit) * _adds(studies, other, unit)
        case _:
            assert_never(summand)


def _held(studies: Studies, ref: Ref, unit: Unit, low: int, top: int) -> Ints:
    return np.clip(studies.values(ref, unit).astype(np.int64) - low, 0, top)
