"""R's `survey` package and this product on the same schools: R's own example data, as regions would hold them.

A stratum is a region, its design weight the region's public one, a school a household. `survey.R` writes the schools
and R's figures; the schools go through import, the engine's exact sums and the estimators, with no noise at all. R is
needed to make the vectors anew (`python -m tests.real.r_survey`), not to compare with them: kept are R's figures and
the exact sums, none of the data (which are under the GPL).
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from compose.demo.federation import SHIPPED
from coordinator.estimate import rows_json
from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.vectors.sums import Engine
from policies.documents import parse_yaml
from policies.statistics.answer import Answer, block_values
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from tests.bench.studies.population import HOUSEHOLDS

HERE = Path(__file__).parent
VECTOR = HERE.parent / "vectors" / "survey" / "r_survey.json"
_COUNTIES = (
    "ContraCosta",
    "Fresno",
    "Kern",
    "Marin",
    "Merced",
    "Monterey",
    "Placer",
    "SanFrancisco",
    "SanJoaquin",
    "Solano",
    "Sonoma",
    "Stanislaus",
    "Ventura",
)
_STATISTICS: tuple[dict[str, object], ...] = (
    {"id": "wide", "kind": "proportion", "of": "wide == Yes"},
    {"id": "score", "kind": "mean", "of": "score"},
    {"id": "education", "kind": "mean", "of": "avg_ed"},
    {"id": "target", "kind": "mean", "of": "target"},
    {"id": "score_of_learners", "kind": "mean", "of": "score", "where": "ell >= 25"},
    {"id": "pupils", "kind": "sum", "of": "enroll"},
    {"id": "spread", "kind": "standard_deviation", "of": "score"},
    {"id": "change", "kind": "paired_change", "of": "score", "wave": "T0->T1"},
    {"id": "schools", "kind": "count", "by": ("awards",)},
    {"id": "wide_by_awards", "kind": "proportion", "of": "wide == Yes", "by": ("awards",)},
    {"id": "bands", "kind": "histogram", "of": "band"},
    {"id": "moved", "kind": "transition", "of": "band", "wave": "T0->T1"},
    {"id": "table", "kind": "cross_table", "of": ("wide", "awards")},
    {"id": "together", "kind": "covariance", "of": ("score", "meals")},
    {"id": "alike", "kind": "correlation", "of": ("score", "meals")},
    {"id": "explained", "kind": "regression", "of": ("score", "ell", "meals", "wide == Yes")},
    {"id": "adjusted", "kind": "adjusted_difference", "of": "score", "compare": "awards", "strata": ("band@T0",)},
    {"id": "learners", "kind": "quantile", "of": "ell", "within": ("0", "63"), "at": ("0.25", "0.5", "0.75")},
)


@dataclass(frozen=True, slots=True)
class Design:
    """Which region of the calendar stands for which part, its weight and schools; and what is asked."""

    regions: Mapping[str, str]
    weights: Mapping[str, str]
    schools: Mapping[str, int]
    statistics: tuple[dict[str, object], ...] = _STATISTICS


_KINDS = {"E": "DR", "H": "FR", "M": "GM"}
"""Elementary, high and middle schools."""
_PLACES = dict(zip(_COUNTIES, sorted(HOUSEHOLDS), strict=True))
DESIGNS: Mapping[str, Design] = {
    "strat": Design(_KINDS, {"DR": "44.21", "FR": "15.1", "GM": "20.36"}, {"DR": 100, "FR": 50, "GM": 50}),
    "srs": Design(_KINDS, {"DR": "1", "FR": "1", "GM": "1"}, {"DR": 142, "FR": 25, "GM": 33}),
    "counties": Design(
        _PLACES, dict.fromkeys(_PLACES.values(), "1"), dict.fromkeys(_PLACES.values(), 100), _STATISTICS[:1]
    ),
}
RHO = "1000000000000"
"""A price at which the planned noise is less than a millionth of a school."""
Sums = dict[str, list[int]]
Figure = tuple[str, str, str, str, str, str]
"""Design, statistic, measure, scope, cell and column."""


def _category(codes: str) -> dict[str, object]:
    return {"table": "household", "type": "category", "categories": {c: {"nl": c, "en": c} for c in codes.split()}}


def _number(low: int, high: int, **more: object) -> dict[str, object]:
    return {"table": "household", "type": "integer", "bounds": [low, high], "grid": 1} | more


def codebook() -> Codebook:
    """The schools' variables, with bounds that no school is outside of."""
    document = {
        "codebook": {"id": "schools", "version": 1},
        "units": {"household": "hh", "person": "person", "wave": "wave"},
        "caps": {"adults": 1, "children": 1},
        "waves": {wave: {"nl": wave, "en": wave} for wave in ("T0", "T1")},
        "tables": {"household": {}, "adult": {}, "child": {}},
        "variables": {
            "wide": _category("No Yes"),
            "awards": _category("No Yes"),
            "score": _number(200, 1000, better="higher", waves=["T0", "T1"]),
            "enroll": _number(0, 5000),
            "meals": _number(0, 100),
            "ell": _number(0, 100),
            "target": _number(0, 100),
            "avg_ed": {"table": "household", "type": "decimal", "bounds": ["1", "5"], "grid": "0.01"},
        },
        "derived": {
            "band": {
                "cases": [
                    {"when": "score < 600", "is": "low"},
                    {"when": "score < 750", "is": "middle"},
                    {"else": "high"},
                ]
            }
        },
    }
    return parse_yaml(Codebook, json.dumps(document), "schools")


def calendar(expected: Mapping[str, int]) -> Calendar:
    """The shipped calendar, of which the cohort c3 has these regions with so many schools."""
    document = yaml.safe_load((SHIPPED / "rotation.yaml").read_text(encoding="utf-8"))
    counts = {region: {"household": 1, "adult": 1, "child": 1} for region in document["cohorts"]["c3"]["expected"]}
    counts |= {region: {"household": n, "adult": n, "child": n} for region, n in expected.items()}
    document["cohorts"]["c3"]["expected"] = counts
    return parse_yaml(Calendar, json.dumps(document, default=str), "rotation")


def programme(design: str, known: Calendar, book: Codebook) -> Programme:
    """All statistics, of one design."""
    heading = {
        "id": design,
        "title": {"nl": "Scholen", "en": "Schools"},
        "purpose": "To agree with R's survey package",
        "requester": "Tests",
        "cohort": "c3",
        "codebook": "schools@1",
        "deadline": "2028-06-30",
        "test_only": True,
    }
    asked = [{"unit": "household", "wave": "T1"} | one for one in DESIGNS[design].statistics]
    document = {
        "programme": heading,
        "price": {"rho": RHO},
        "weights": dict(DESIGNS[design].weights),
        "statistics": asked,
    }
    return plan(Draft.model_validate(document), book, known, ("0" * 64, "1" * 64))


@dataclass(frozen=True, slots=True)
class Kept:
    """What R said and what the engine summed; `versions` of R, survey and metafor."""

    versions: dict[str, str]
    figures: dict[Figure, float]
    sums: dict[str, dict[str, Sums]]

    @classmethod
    def read(cls) -> Kept:
        document = json.loads(VECTOR.read_text(encoding="utf-8"))
        figures = {_figure(name): float(value) for name, value in document["figures"].items()}
        return cls(document["versions"], figures, document["sums"])

    def write(self) -> None:
        figures = {"|".join(name): repr(value) for name, value in self.figures.items()}
        document = {"versions": self.versions, "figures": figures, "sums": self.sums}
        VECTOR.parent.mkdir(exist_ok=True)
        VECTOR.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _figure(name: str) -> Figure:
    design, statistic, measure, scope, cell, column = name.split("|")
    return design, statistic, measure, scope, cell, column


def r_is_there() -> bool:
    """Whether this machine has R with both packages."""
    if shutil.which("Rscript") is None:
        return False
    loaded = subprocess.run(
        ["Rscript", "--vanilla", "-e", "library(survey); library(metafor)"], check=False, capture_output=True
    )
    return loaded.returncode == 0


def live(folder: Path) -> Kept:
    """Runs R and the engine. Raises CalledProcessError where R or its packages are not there."""
    command = ["Rscript", "--vanilla", str(HERE / "survey.R"), str(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    with (folder / "figures.csv").open(encoding="utf-8", newline="") as lines:
        figures = {_named(row): float(row["value"]) for row in csv.DictReader(lines)}
    sums = {
        name: {region: _summed(folder, name, part, region) for part, region in sorted(design.regions.items())}
        for name, design in DESIGNS.items()
    }
    return Kept(dict(zip(("R", "survey", "metafor"), said, strict=True)), figures, sums)


def _named(row: Mapping[str, str]) -> Figure:
    design = DESIGNS.get(row["design"])
    scope = row["scope"] if design is None else design.regions.get(row["scope"], row["scope"])
    return row["design"], row["statistic"], row["measure"], scope, row["cell"], row["column"]


def _summed(folder: Path, design: str, part: str, region: str) -> Sums:
    book, home = codebook(), folder / design / part
    (home / "snapshots").mkdir()
    blocks = compile_blocks(programme(design, calendar(DESIGNS[design].schools), book).statistics, book).blocks
    taken = import_files(ImportRequest(home, (home,), "c3", book, "0" * 64, 10_000))
    if strange := {one.rule for one in taken.report.findings} - {"snapped", "missing"}:
        raise ValueError(f"import said {strange}")
    engine = Engine(home)
    found = engine.sums(taken.snapshot, blocks)
    engine.close()
    return found


def estimates(design: str, sums: Mapping[str, Sums]) -> list[dict[str, Any]]:
    """The table of all estimators for these sums, without noise: rows as a desk would send them."""
    book = codebook()
    known = calendar(DESIGNS[design].schools)
    asked = programme(design, known, book)
    answers = {}
    for region, found in sums.items():
        blocks = [block_values(b.id, [b.multiplier * value for value in found[b.id]]) for b in asked.blocks]
        answers[region] = Answer(
            region=region, programme="0" * 64, cohort="c3", snapshot="5" * 32, blocks=tuple(blocks)
        )
    rows: list[dict[str, Any]] = json.loads(rows_json("run-0000000000000000", asked, book, known, answers))
    return rows


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        live(Path(made)).write()
    sys.stdout.write(f"{VECTOR.name}: written\n")
