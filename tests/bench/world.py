"""The world that the benchmarks measure: a small codebook with a thirty-cell table, its data, and its federation."""

from __future__ import annotations

from pathlib import Path

import duckdb

from compose.demo.federation import SHIPPED, Documents, Federation
from policies.documents import load_yaml, parse_yaml
from policies.statistics.programme import Draft
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

CELLS = 30
_CATEGORIES = ", ".join(f'c{i}: {{nl: "cel {i}", en: "cell {i}"}}' for i in range(CELLS))
_GROUPS = ", ".join(f'g{i}: {{nl: "groep {i}", en: "group {i}"}}' for i in range(5))
CODEBOOK = f"""
codebook: {{id: bench, version: 1}}
units: {{household: hh_id, person: person_id, wave: wave}}
caps: {{adults: 2, children: 4}}
waves: {{T0: {{nl: t0, en: t0}}, T1: {{nl: t1, en: t1}}}}
tables: {{household: {{}}, adult: {{}}, child: {{}}}}
variables:
  cell: {{table: household, type: category, categories: {{{_CATEGORIES}}}}}
  profile: {{table: household, type: category, categories: {{{_GROUPS}}}}}
  x: {{table: household, type: integer, bounds: [0, 825], waves: [T0, T1]}}
"""
POLICY = """
policy: {version: 1}
cohorts: {c3: {rho: "900"}}
lifetime: {rho: "900"}
programme: {rho: "1"}
"""


def codebook() -> Codebook:
    return parse_yaml(Codebook, CODEBOOK, "bench.codebook.yaml")


def calendar() -> Calendar:
    return load_yaml(Calendar, SHIPPED / "rotation.yaml")


def draft(number: int, statistics: list[dict[str, object]], rho: str = "0.05") -> Draft:
    """A programme that no node has seen: its number is in its id and in its conditions."""
    heading = {
        "id": f"bench_{number}",
        "title": {"nl": "meting", "en": "benchmark"},
        "purpose": "benchmark on synthetic data",
        "requester": "benchmark",
        "cohort": "c3",
        "codebook": "bench@1",
        "deadline": "2028-06-30",
        "data": "synthetic",
    }
    return Draft.model_validate({"programme": heading, "price": {"rho": rho}, "statistics": statistics})


def table_draft(number: int) -> Draft:
    """The thirty-cell table, over households whose x passes a threshold that differs each time."""
    one: dict[str, object] = {
        "id": "table",
        "kind": "count",
        "unit": "household",
        "wave": "T1",
        "by": ["cell"],
        "where": f"x >= {number % 800}",
    }
    return draft(number, [one])


def many_statistics(count: int) -> list[dict[str, object]]:
    """Statistics of every cheap shape in turn: a share, a filtered mean, and a share by profile."""
    made: list[dict[str, object]] = []
    for i in range(count):
        shape: dict[str, object] = {"id": f"s{i}", "unit": "household", "wave": "T1"}
        match i % 3:
            case 0:
                made.append(shape | {"kind": "proportion", "of": f"x < {i + 1}"})
            case 1:
                made.append(shape | {"kind": "mean", "of": "x", "where": f"x@T0 > {i}"})
            case _:
                made.append(shape | {"kind": "proportion", "of": "x < 22", "by": ["profile"], "where": f"x@T0 > {i}"})
    return made


def plain_sql(count: int, path: Path) -> list[str]:
    """The same sums as `many_statistics`, as one would write them without privacy: counts and totals."""
    flat, grouped = [], []
    for i in range(count):
        match i % 3:
            case 0:
                flat.append(f"count(*) FILTER (x__T1 < {i + 1}), count(x__T1)")
            case 1:
                flat.append(f"sum(x__T1) FILTER (x__T0 > {i}), count(x__T1) FILTER (x__T0 > {i})")
            case _:
                known = f"x__T1 IS NOT NULL AND x__T0 > {i}"
                grouped.append(f"count(*) FILTER (x__T1 < 22 AND x__T0 > {i}), count(*) FILTER ({known})")
    return [
        f"SELECT {', '.join(flat)} FROM read_parquet('{path}')",
        f"SELECT profile, {', '.join(grouped)} FROM read_parquet('{path}') GROUP BY profile",
    ]


def write_snapshot_table(path: Path, rows: int) -> None:
    """A household table in final integer form with `rows` rows, as import would leave it."""
    value = "CASE WHEN random() < 0.05 THEN NULL ELSE CAST(floor(random() * 826) AS SMALLINT) END"
    columns = (
        "true AS present__T0, true AS present__T1, CAST(range AS INTEGER) AS hh, "
        "CAST(floor(random() * 30) AS TINYINT) AS cell, CAST(floor(random() * 5) AS TINYINT) AS profile, "
        f"{value} AS x__T0, {value} AS x__T1"
    )
    duckdb.sql(f"COPY (SELECT {columns} FROM range({rows})) TO '{path}' (FORMAT parquet)")


def write_delivery(folder: Path, rows: int, seed: int) -> Path:
    """A region's CSV file with `rows` households, seen at both waves."""
    folder.mkdir(parents=True)
    step = 7919 + seed
    with (folder / "household.csv").open("w", encoding="utf-8") as out:
        out.write("hh_id;wave;cell;profile;x\n")
        for i in range(rows):
            mixed = i * step
            both = f"c{mixed % CELLS};g{mixed % 5}"
            out.write(f"h{i};T0;{both};{mixed % 826}\nh{i};T1;{both};{mixed // 31 % 826}\n")
    return folder


def federation(folder: Path, rows: int, regions: int = 13) -> Federation:
    """A federation on `rows` rows a region, with caps that never bind."""
    files = Documents(
        calendar=SHIPPED / "rotation.yaml", codebook=folder / "bench.codebook.yaml", policy=folder / "policy.yaml"
    )
    files.codebook.write_text(CODEBOOK, encoding="utf-8")
    files.policy.write_text(POLICY, encoding="utf-8")
    members = calendar().members("c3")[:regions]
    data = {region: write_delivery(folder / "data" / region, rows, i) for i, region in enumerate(members)}
    return Federation(folder / "federation", data, files)
