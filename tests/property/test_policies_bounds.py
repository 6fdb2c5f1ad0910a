"""The bound of every block against a slow, obvious count over every household there can be.

A household here is a list of units, each a row of indices with presence per wave; it contributes to a block by the
definition in policies/statistics/blocks.py, written out in plain Python.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import prod
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.documents import parse_yaml
from policies.statistics.blocks import (
    AnyAxis,
    Axis,
    Block,
    Difference,
    Indicator,
    Ones,
    Product,
    Square,
    Summand,
    Value,
)
from policies.statistics.compile import compile_blocks
from policies.statistics.statistic import Kind, Statistic
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.expressions.nodes import refs
from tests import small_study
from tests.small_study import holds

TINY = """
codebook: {id: tiny, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 2, children: 3}
waves: {T0: {nl: eerst, en: first}, T1: {nl: later, en: later}}
tables: {household: {}, adult: {}, child: {}}
variables:
  kind: {table: household, type: category, categories: {a: {nl: a, en: a}, b: {nl: b, en: b}}}
  grade: {table: household, type: decimal, bounds: ["-0.5", "0.5"], grid: "0.5", better: higher, waves: [T0, T1]}
  safe: {table: adult, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
  score: {table: adult, type: integer, bounds: [3, 6], waves: [T1]}
  mood: {table: adult, type: integer, bounds: [0, 2], better: lower, waves: [T0, T1]}
  hurt: {table: child, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
"""
CODEBOOK = parse_yaml(Codebook, TINY, "tiny.yaml")
ASKED: tuple[dict[str, str | list[str]], ...] = (
    {"kind": "count", "unit": "household"},
    {"kind": "count", "unit": "household", "by": ["kind"], "where": "grade > 0"},
    {"kind": "proportion", "unit": "household", "of": "kind == a or grade > 0"},
    {"kind": "proportion", "unit": "household", "of": "missing(kind)"},
    {"kind": "mean", "unit": "household", "of": "grade", "by": ["kind"]},
    {"kind": "count", "unit": "adult"},
    {"kind": "count", "unit": "adult", "by": ["safe"]},
    {"kind": "proportion", "unit": "adult", "of": "safe == yes", "by": ["kind"]},
    {"kind": "proportion", "unit": "adult", "of": "safe == yes", "where": "safe@T0 == no or missing(safe@T0)"},
    {"kind": "mean", "unit": "adult", "of": "score"},
    {"kind": "mean", "unit": "adult", "of": "score", "by": ["safe"]},
    {"kind": "mean", "unit": "adult", "of": "score", "within": ["4", "6"]},
    {"kind": "mean", "unit": "household", "of": "grade", "within": ["0", "0.5"], "by": ["kind"]},
    {"kind": "transition", "unit": "adult", "of": "safe", "wave": "T0->T1", "by": ["kind"]},
    {"kind": "count", "unit": "child", "by": ["hurt"]},
    {"kind": "proportion", "unit": "child", "of": "hurt == yes", "by": ["kind"]},
    {"kind": "transition", "unit": "child", "of": "hurt", "wave": "T0->T1"},
    {"kind": "sum", "unit": "adult", "of": "score", "by": ["kind", "safe"]},
    {"kind": "sum", "unit": "household", "of": "grade", "within": ["0", "0.5"]},
    {"kind": "histogram", "unit": "adult", "of": "safe", "by": ["kind"]},
    {"kind": "histogram", "unit": "adult", "of": "score", "bins": ["4", "6"]},
    {"kind": "cross_table", "unit": "adult", "of": ["safe", "safe@T0"], "by": ["kind"]},
    {"kind": "paired_change", "unit": "household", "of": "grade", "wave": "T0->T1", "by": ["kind"]},
    {"kind": "paired_change", "unit": "adult", "of": "mood", "wave": "T0->T1"},
    {"kind": "paired_change", "unit": "adult", "of": "mood", "wave": "T0->T1", "within": ["1", "2"]},
    {"kind": "variance", "unit": "adult", "of": "score"},
    {"kind": "variance", "unit": "household", "of": "grade", "within": ["0", "0.5"], "by": ["kind"]},
    {"kind": "standard_deviation", "unit": "adult", "of": "mood", "where": "safe == yes"},
    {"kind": "count", "unit": "adult", "wave": "T0+T1", "by": ["safe"]},
    {"kind": "proportion", "unit": "adult", "of": "safe == yes", "wave": "T0+T1", "by": ["kind"]},
    {"kind": "mean", "unit": "household", "of": "grade", "wave": "T0+T1"},
    {"kind": "sum", "unit": "adult", "of": "mood", "wave": "T0+T1"},
    {"kind": "histogram", "unit": "adult", "of": "mood", "bins": ["1"], "wave": "T0+T1"},
    {"kind": "cross_table", "unit": "adult", "of": ["safe", "kind"], "wave": "T0+T1"},
    {"kind": "variance", "unit": "household", "of": "grade", "wave": "T0+T1"},
    {"kind": "standard_deviation", "unit": "household", "of": "grade", "wave": "T0+T1", "by": ["kind"]},
    {"kind": "covariance", "unit": "adult", "of": ["score", "mood"]},
    {"kind": "covariance", "unit": "household", "of": ["grade", "grade@T0"], "by": ["kind"]},
    {"kind": "correlation", "unit": "adult", "of": ["score", "safe == yes"], "where": "kind == a"},
    {"kind": "correlation", "unit": "adult", "of": ["safe == yes", "safe@T0 == yes"]},
    {"kind": "regression", "unit": "household", "of": ["grade", "kind == a", "grade@T0"]},
    {"kind": "regression", "unit": "adult", "of": ["score", "safe == yes", "kind == a"]},
    {"kind": "adjusted_difference", "unit": "adult", "of": "safe == yes", "compare": "kind", "strata": ["safe@T0"]},
    {"kind": "adjusted_difference", "unit": "adult", "of": "score", "compare": "safe", "strata": ["kind"]},
    {"kind": "quantile", "unit": "household", "of": "grade", "at": ["0.5"], "leaves": "2", "by": ["kind"]},
)
BLOCKS = {
    f"{i} {block.id} {asked['kind']} {asked['unit']} by {asked.get('by', '-')}": block
    for i, asked in enumerate(ASKED)
    for block in compile_blocks((Statistic.model_validate({"id": "asked", "wave": "T1", **asked}),), CODEBOOK).blocks
}


@dataclass(frozen=True)
class UnitRow:
    """One unit: the waves it was seen at, and an index or None per variable and wave."""

    seen: tuple[str, ...]
    row: Mapping[Ref, int | None]


def contribution(units: tuple[UnitRow, ...], block: Block) -> tuple[int, ...]:
    """What a household of these units adds to a block, cell by cell."""
    cells = list(product(*(range(axis.size) for axis in block.axes)))
    added = dict.fromkeys(cells, 0)
    for unit, term in product(units, block.terms):
        selection = term.selection
        if not set(selection.waves) <= set(unit.seen) or any(unit.row[ref] is None for ref in selection.required):
            continue
        if selection.where is not None and holds(selection.where, unit.row) is not True:
            continue
        added[tuple(_place(axis, unit.row) for axis in term.axes)] += _added(term.summand, unit.row)
    return tuple(added[cell] for cell in cells)


def _added(summand: Summand, row: Mapping[Ref, int | None]) -> int:
    def held(ref: Ref, low: int, span: int) -> int:
        return min(max(row[ref] or 0, low), low + span) - low

    match summand:
        case Ones():
            return 1
        case Indicator(of=condition):
            y = holds(condition, row)
            assert y is not None, "an answer is known wherever what it requires is present"
            return 2 * y - 1
        case Value(of=ref, top=top, low=low):
            return 2 * held(ref, low, top) - top
        case Square(of=ref, reach=reach, low=low):
            return 2 * (2 * held(ref, low, reach) - reach) ** 2 - reach**2
        case Difference(before=before, after=after, top=top, low=low):
            return held(after, low, top) - held(before, low, top)
        case Product(one=one, other=other):
            return _added(one, row) * _added(other, row)


def _place(axis: AnyAxis, row: Mapping[Ref, int | None]) -> int:
    if isinstance(axis, Axis):
        index = row[axis.ref]
        assert index is not None, "a cell is known wherever what it requires is present"
        return sum(start <= index for start in axis.starts) if axis.starts else index
    gain = (row[axis.after] or 0) - (row[axis.before] or 0)
    gain = gain if axis.better == "higher" else -gain
    return 1 if gain == 0 else 0 if gain > 0 else 2


def _named(block: Block) -> list[Ref]:
    """Every variable that the block touches at any wave; what is summed is required."""
    found: set[Ref] = set()
    for term in block.terms:
        found |= set(term.selection.required)
        found |= {axis.ref for axis in term.axes if isinstance(axis, Axis)}
        if term.selection.where is not None:
            found |= refs(term.selection.where)
        found |= _summed(term.summand)
    return sorted(found)


def _summed(summand: Summand) -> set[Ref]:
    match summand:
        case Indicator(of=condition):
            return set(refs(condition))
        case Value(of=ref) | Square(of=ref):
            return {ref}
        case Product(one=one, other=other):
            return _summed(one) | _summed(other)
        case _:
            return set()


def _households(block: Block) -> Iterator[tuple[UnitRow, ...]]:
    """Every household up to the cap: shared household values, and every multiset of persons."""
    names = _named(block)
    shared = [ref for ref in names if CODEBOOK.columns[ref.name].table == "household"]
    own = [ref for ref in names if ref not in shared]
    cap = CODEBOOK.cap(block.selection.unit)

    def rows(wanted: list[Ref]) -> list[dict[Ref, int | None]]:
        spans = [[None, *range(CODEBOOK.columns[ref.name].size)] for ref in wanted]
        return [dict(zip(wanted, values, strict=True)) for values in product(*spans)]

    seen = [("T0", "T1"), ("T1",), ()]
    for common in rows(shared):
        kinds = [UnitRow(waves, {**common, **personal}) for personal in rows(own) for waves in seen]
        for size in range(cap + 1):
            yield from combinations_with_replacement(kinds, size)


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_the_bound_is_never_passed_and_is_reached(name: str) -> None:
    block = BLOCKS[name]
    largest = 0
    for household in _households(block):
        vector = contribution(household, block)
        assert len(vector) == block.cells == prod(axis.size for axis in block.axes)
        largest = max(largest, sum(value * value for value in vector))
    assert largest == block.bound**2


def _rows(table: str, shared: Mapping[Ref, int | None]) -> st.SearchStrategy[UnitRow]:
    """A unit of the small study's `table` with any values, on top of its household's."""
    columns = [column for column in small_study.codebook().columns.values() if column.table == table]
    own = {
        Ref(column.name, wave): st.none() | st.sampled_from([0, column.size - 1]) | st.integers(0, column.size - 1)
        for column in columns
        for wave in column.waves or ("",)
    }
    waves = st.sampled_from([("T0", "T1"), ("T0", "T1"), ("T0",), ("T1",)])
    return st.builds(lambda seen, row: UnitRow(seen, {**shared, **row}), waves, st.fixed_dictionaries(own))


SIGNED = {rho: small_study.planned(rho=rho) for rho in ("0.001", "0.2", "30")}


@given(st.data(), st.sampled_from(sorted(SIGNED)))
@settings(max_examples=60, deadline=None)
def test_no_household_costs_more_than_the_charge_of_a_whole_programme(data: st.DataObject, rho: str) -> None:
    """1/2 sum_b |m_b v_b|^2 / sigma_b^2 over all blocks together, for one household with all its persons."""
    signed, codebook = SIGNED[rho], small_study.codebook()
    compilation = compile_blocks(signed.statistics, codebook)
    household = data.draw(_rows("household", {}))
    units: dict[str, tuple[UnitRow, ...]] = {"household": (household,)}
    for table, cap in (("adult", codebook.caps.adults), ("child", codebook.caps.children)):
        units[table] = tuple(data.draw(st.lists(_rows(table, household.row), max_size=cap)))
    spent = Fraction(0)
    for block, plan in zip(compilation.blocks, signed.blocks, strict=True):
        vector = contribution(units[block.selection.unit], block)
        norm_squared = sum((plan.multiplier * value) ** 2 for value in vector)
        assert norm_squared <= plan.bound_squared
        spent += Fraction(norm_squared) / (2 * plan.scale.fraction**2)
    assert spent <= signed.charge.amount.rho


def test_the_sample_has_every_kind_and_unit() -> None:
    assert {asked["kind"] for asked in ASKED} == set(get_args(Kind))
    assert {asked["kind"] for asked in ASKED if "+" in asked.get("wave", "")} == set(get_args(Kind)) - {
        "transition",
        "paired_change",
        "covariance",
        "correlation",
        "regression",
        "adjusted_difference",
        "quantile",
    }
    assert {asked["unit"] for asked in ASKED} == {"household", "adult", "child"}
