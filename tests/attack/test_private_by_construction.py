"""Adding one household moves the exact sums by a vector of its own: the same whatever the others hold, and bounded.

Real files go through the real import and the real engine. Every pair of neighbours (D, D + h) is compared, for each
kind of statistic and unit: households of 1 to 9 persons under caps 1 to 6, rows in any order, duplicate rows,
conflicting rows, extremes, NaN, infinities, missing and unreadable values.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from node.importing.run import ImportRequest, import_files
from node.vectors.sums import Engine
from policies.documents import parse_yaml
from policies.statistics.blocks import Block
from policies.statistics.compile import compile_blocks
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook

Row = dict[str, str]
Household = dict[str, list[Row]]
"""Rows by table, as delivered."""

CODEBOOK = """
codebook: {{id: brute, version: 1}}
units: {{household: hh_id, person: person_id, wave: wave}}
caps: {{adults: {adults}, children: {children}}}
waves: {{T0: {{nl: t0, en: t0}}, T1: {{nl: t1, en: t1}}}}
tables: {{household: {{}}, adult: {{}}, child: {{}}}}
variables:
  incidents: {{table: household, type: integer, bounds: [0, 825], better: lower, missing: [999], waves: [T0, T1]}}
  profile: {{table: household, type: category, categories: {{"1": {{nl: a, en: a}}, "2": {{nl: b, en: b}}}}}}
  safe:
    {{table: adult, type: category, categories: {{yes: {{nl: ja, en: yes}}, no: {{nl: nee, en: no}}}}, waves: [T0, T1]}}
  grade: {{table: child, type: decimal, bounds: [0, 10], grid: 0.5, better: higher, missing: [99], waves: [T0, T1]}}
  role: {{table: child, type: category, categories: {{w: {{nl: w, en: w}}, d: {{nl: d, en: d}}}}}}
derived:
  state: {{cases: [{{when: "incidents == 0", is: none}}, {{when: "incidents < 22", is: some}}, {{else: frequent}}]}}
  stopped:
    alternatives:
      state: {{cases: [{{when: "incidents == 0", is: yes}}, {{else: no}}]}}
      transition:
        cases: [{{when: "incidents@T0 == 0", missing: true}}, {{when: "incidents == 0", is: yes}}, {{else: no}}]
"""
STATISTICS = (
    {"id": "families", "kind": "count", "unit": "household", "wave": "T1", "by": ("profile",)},
    {"id": "stopped", "kind": "proportion", "of": "state == none", "unit": "household", "wave": "T1"},
    {
        "id": "since",
        "kind": "proportion",
        "of": "state == none",
        "unit": "household",
        "wave": "T1",
        "where": "state@T0 != none",
    },
    {"id": "incidents0", "kind": "mean", "of": "incidents", "unit": "household", "wave": "T0", "by": ("profile",)},
    {"id": "capped", "kind": "mean", "of": "incidents", "unit": "household", "wave": "T1", "within": ("10", "60")},
    {"id": "change", "kind": "transition", "of": "state", "unit": "household", "wave": "T0->T1"},
    {"id": "safe", "kind": "proportion", "of": "safe == yes", "unit": "adult", "wave": "T1", "by": ("profile",)},
    {"id": "adults", "kind": "count", "unit": "adult", "wave": "T0", "where": "not missing(safe)"},
    {"id": "safer", "kind": "transition", "of": "safe", "unit": "adult", "wave": "T0->T1", "by": ("state@T1",)},
    {"id": "grades", "kind": "mean", "of": "grade", "unit": "child", "wave": "T1", "by": ("role",)},
    {"id": "low", "kind": "proportion", "of": "grade < 5.5 or missing(grade@T0)", "unit": "child", "wave": "T1"},
    {"id": "children", "kind": "count", "unit": "child", "wave": "T1", "where": "role == d or state == none"},
    {"id": "all_incidents", "kind": "sum", "of": "incidents", "unit": "household", "wave": "T0", "by": ("profile",)},
    {"id": "points", "kind": "sum", "of": "grade", "unit": "child", "wave": "T1", "within": ("5", "9")},
    {"id": "levels", "kind": "histogram", "of": "incidents", "unit": "household", "wave": "T1", "bins": ("1", "22")},
    {"id": "roles", "kind": "histogram", "of": "role", "unit": "child", "wave": "T1", "by": ("state", "profile")},
    {"id": "table", "kind": "cross_table", "of": ("safe", "state"), "unit": "adult", "wave": "T1", "by": ("profile",)},
    {
        "id": "moved",
        "kind": "paired_change",
        "of": "incidents",
        "unit": "household",
        "wave": "T0->T1",
        "by": ("profile",),
    },
    {
        "id": "capped_moved",
        "kind": "paired_change",
        "of": "incidents",
        "unit": "household",
        "wave": "T0->T1",
        "within": ("0", "100"),
    },
    {"id": "better", "kind": "paired_change", "of": "grade", "unit": "child", "wave": "T0->T1", "by": ("role",)},
    {"id": "spread", "kind": "variance", "of": "incidents", "unit": "household", "wave": "T0"},
    {"id": "deviation", "kind": "standard_deviation", "of": "grade", "unit": "child", "wave": "T1", "by": ("role",)},
    {"id": "stopped_since", "kind": "proportion", "of": "stopped.transition == yes", "unit": "household", "wave": "T1"},
    {"id": "both_count", "kind": "count", "unit": "adult", "wave": "T0+T1", "by": ("state",)},
    {"id": "both_safe", "kind": "proportion", "of": "safe == yes", "unit": "adult", "wave": "T0+T1"},
    {"id": "both_grades", "kind": "mean", "of": "grade", "unit": "child", "wave": "T0+T1", "by": ("role", "profile")},
    {"id": "both_levels", "kind": "histogram", "of": "grade", "unit": "child", "wave": "T0+T1", "bins": ("5.5",)},
    {"id": "both_homes", "kind": "mean", "of": "incidents", "unit": "household", "wave": "T0+T1"},
)


def household(
    name: str,
    incidents: tuple[str, str] = ("30", "0"),
    profile: str = "1",
    adults: tuple[tuple[str, str], ...] = (),
    children: tuple[tuple[str, str, str], ...] = (),
) -> Household:
    """One household at both waves; an adult is (safe T0, safe T1), a child (role, grade T0, grade T1)."""
    waves = ("T0", "T1")
    rows: Household = {"household": [], "adult": [], "child": []}
    for wave, value in zip(waves, incidents, strict=True):
        rows["household"].append({"hh_id": name, "wave": wave, "incidents": value, "profile": profile})
    for place, answers in enumerate(adults):
        for wave, value in zip(waves, answers, strict=True):
            rows["adult"].append({"hh_id": name, "person_id": f"{name}a{place}", "wave": wave, "safe": value})
    for place, (role, *grades) in enumerate(children):
        for wave, value in zip(waves, grades, strict=True):
            child = {"hh_id": name, "person_id": f"{name}c{place}", "wave": wave, "role": role, "grade": value}
            rows["child"].append(child)
    return rows


def joined(*households: Household) -> Household:
    return {table: [row for one in households for row in one[table]] for table in ("household", "adult", "child")}


def turned(rows: Household) -> Household:
    """The same rows in another order."""
    return {table: found[1::2] + found[::2][::-1] for table, found in rows.items()}


def added_households() -> Iterator[tuple[str, Household]]:
    """The households h of every pair of neighbours."""
    for persons in range(1, 10):
        adults = (("no", "yes"),) * min(persons, 5)
        yield (
            f"{persons} persons",
            household("x", adults=adults, children=(("w", "3", "10"),) * (persons - len(adults))),
        )
    nine = household("x", adults=(("yes", "yes"),) * 9, children=(("d", "0", "0"),) * 9)
    yield "nine of each", nine
    yield "permuted", turned(nine)
    yield "duplicate rows", joined(nine, nine, nine)
    yield "conflicting rows", joined(nine, household("x", ("0", "825"), "2", (("no", "no"),), (("w", "10", "10"),)))
    yield (
        "conflicting order",
        turned(joined(household("x", ("0", "825"), "2", (("no", "no"),), (("w", "10", "10"),)), nine)),
    )
    for word in ("0", "825", "826", "-1", "1e308", "-1e308", "NaN", "inf", "-inf", "", "999", "x", "30,5"):
        yield f"incidents {word}", household("x", (word, word), children=(("d", word, word),))
    for word in ("10", "10.0001", "-0.0", "1e-300", "99", "nan"):
        yield f"grade {word}", household("x", children=(("d", word, word), ("w", word, "")))
    yield "unknown category", household("x", profile="7", adults=(("maybe", "maybe"),), children=(("z", "1", "1"),))
    yield "persons only", {**household("x", adults=(("yes", "yes"),) * 7), "household": []}
    yield "one wave", {table: rows[:1] for table, rows in nine.items()}
    for first, last in (("0", "825"), ("825", "0"), ("0", "0")):
        # Grades fall from 10 to 0 where incidents stay none, and stay at an end otherwise.
        child = ("w", "10" if first == "0" else "0", "10" if last == "825" else "0")
        yield f"extremes {first} {last}", household("x", (first, last), "1", (("yes", "no"),) * 9, (child,) * 9)


BASES = (
    joined(household("a"), household("b", ("0", "0"), "2", (("yes", "no"),), (("w", "5", "6"),))),
    joined(*(household(f"m{i}", (str(i), str(40 - i)), "12"[i % 2], (("no", "yes"),) * (i % 4)) for i in range(30))),
    household("zz", ("999", ""), "", (("", ""),), (("", "", "99"),)),
)


class Region:
    """Imports tables and sums every block, each time in a snapshot of its own."""

    def __init__(self, folder: Path, adults: int, children: int) -> None:
        self.codebook = parse_yaml(Codebook, CODEBOOK.format(adults=adults, children=children), "brute")
        self.blocks = compile_blocks(tuple(Statistic.model_validate(s) for s in STATISTICS), self.codebook).blocks
        self._folder, self._number = folder, count()
        self._engine = Engine(folder)

    def sums(self, rows: Household) -> dict[str, list[int]]:
        place = self._folder / f"delivery{next(self._number)}"
        place.mkdir()
        columns = {
            "household": ["hh_id", "wave", "incidents", "profile"],
            "adult": ["hh_id", "person_id", "wave", "safe"],
            "child": ["hh_id", "person_id", "wave", "role", "grade"],
        }
        for table, names in columns.items():
            with (place / f"{table}.csv").open("w", newline="") as out:
                writer = csv.DictWriter(out, names, delimiter=";")
                writer.writeheader()
                writer.writerows(rows[table])
        request = ImportRequest(self._folder, (place,), "c3", self.codebook, "0" * 64, 1000)
        return self._engine.sums(import_files(request).snapshot, self.blocks)


def difference(block: Block, more: dict[str, list[int]], less: dict[str, list[int]]) -> list[int]:
    assert len(more[block.id]) == len(less[block.id]) == block.cells
    return [a - b for a, b in zip(more[block.id], less[block.id], strict=True)]


@pytest.mark.parametrize(("adults", "children"), [(1, 1), (2, 4), (6, 6)])
def test_one_household_moves_the_sums_by_its_own_bounded_vector(tmp_path: Path, adults: int, children: int) -> None:
    (tmp_path / "snapshots").mkdir()
    region = Region(tmp_path, adults, children)
    without = [region.sums(base) for base in BASES]
    reached = dict.fromkeys((block.id for block in region.blocks), 0.0)
    for name, added in added_households():
        moved = []
        for base, alone in zip(BASES, without, strict=True):
            together = region.sums(joined(base, added))
            moved.append({block.id: difference(block, together, alone) for block in region.blocks})
        assert moved[0] == moved[1] == moved[2], name
        for block in region.blocks:
            norm = math.hypot(*moved[0][block.id])
            assert norm <= block.bound, (name, block.id)
            reached[block.id] = max(reached[block.id], norm)
    # The bounds are not slack either: the worst household that was tried reaches each of them exactly.
    slack = {block.id for block in region.blocks if reached[block.id] < block.bound}
    assert not slack


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    region = Region(tmp_path, 2, 2)
    rows = joined(*BASES, *(one for _, one in list(added_households())[9:12]))
    assert region.sums(rows) == region.sums(turned(rows)) == region.sums(turned(turned(rows)))
