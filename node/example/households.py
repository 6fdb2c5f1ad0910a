"""Made-up rows as a snapshot's tables, from the codebook alone. They look like no family.

A number lies evenly over the stretches that the codebook's own rules tell apart (0, 1 to 21, 22 and up), then evenly
within one, so that every derived category occurs; a category evenly over its codes; one value in twenty is missing.
Nothing is drawn: each value is a fixed, public function (SHAKE-256) of the region's code, the variable's name, the wave
and the row's number, so that the same question shows the same invented households to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray

from node.importing.tables import Wide, joined, with_derived
from node.importing.values import MISSING
from policies.study.calendar import Expected
from policies.study.codebook import TABLES, Codebook, Table
from policies.study.columns import Column, Ref
from policies.study.derive import rules
from policies.study.expressions.nodes import All, Among, Expr, Some

_GAP_IN = 20
"""One value in so many is missing."""
_BYTES = 8


def invented(codebook: Codebook, expected: Expected, region: str) -> dict[Table, Wide]:
    """As many units of each kind as the calendar expects, all seen at every wave; persons within the codebook's caps.

    Pure: the same arguments give the same tables.
    """
    derivations, found = rules(codebook), dict[Table, Wide]()
    cuts = _cuts(codebook)
    for table in TABLES:
        homes = _homes(table, codebook, expected, region)
        own = _own(table, homes, codebook, cuts, region)
        wide = own if table == "household" else joined(own, found["household"])
        found[table] = with_derived(wide, derivations, codebook.columns, table)
    return found


def _homes(table: Table, codebook: Codebook, expected: Expected, region: str) -> NDArray[np.int64]:
    """Each unit's household: a place of its own among those that the cap leaves."""
    if table == "household":
        return np.arange(expected.household, dtype=np.int64)
    places = expected.household * codebook.cap(table)
    order = np.argsort(_numbers(f"{region}/{table}/homes", places), kind="stable")
    return np.sort(order[: expected.of(table)] // codebook.cap(table))


def _own(table: Table, homes: NDArray[np.int64], codebook: Codebook, cuts: Mapping[str, set[int]], region: str) -> Wide:
    columns = [codebook.columns[name] for name in codebook.variables]
    values: dict[str, NDArray[np.int32]] = {}
    sizes: dict[str, int] = {}
    for column in columns:
        for wave in column.waves or ("",) if column.table == table else ():
            stored = Ref(column.name, wave).stored
            values[stored] = _even(column, cuts.get(column.name, ()), f"{region}/{table}/{stored}", len(homes))
            sizes[stored] = column.size
    present = {wave: np.ones(len(homes), np.bool_) for wave in codebook.waves}
    return Wide(homes, present, values, sizes)


def _even(column: Column, cuts: Iterable[int], name: str, rows: int) -> NDArray[np.int32]:
    inside = () if column.categorical else (cut for cut in cuts if 0 < cut < column.size)
    starts = np.array(sorted({0, *inside}), np.int64)
    lengths = np.append(starts[1:], column.size) - starts
    stretch = _numbers(f"{name}/stretch", rows) % len(starts)
    found = starts[stretch] + _numbers(f"{name}/value", rows) % lengths[stretch]
    gone = _numbers(f"{name}/gap", rows) % _GAP_IN == 0
    return np.where(gone, MISSING, found).astype(np.int32)


def _numbers(name: str, count: int) -> NDArray[np.int64]:
    """`count` whole numbers that follow from a name."""
    data = shake_256(f"rondgang example {name}".encode()).digest(_BYTES * count)
    return (np.frombuffer(data, "<u8") >> np.uint64(1)).astype(np.int64)


def _cuts(codebook: Codebook) -> dict[str, set[int]]:
    """For each variable the indices at which a derived variable's conditions begin or end a range."""
    cuts: dict[str, set[int]] = {}
    for rule in rules(codebook):
        for condition, _ in rule.cases:
            for name, edge in _edges(condition):
                cuts.setdefault(name, set()).add(edge)
    return cuts


def _edges(expr: Expr) -> Iterable[tuple[str, int]]:
    match expr:
        case Among(ref=ref, ranges=ranges):
            yield from ((ref.name, edge) for low, high in ranges for edge in (low, high + 1))
        case All(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from _edges(part)
