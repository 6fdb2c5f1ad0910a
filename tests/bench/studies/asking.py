"""What these studies are asked, at epsilon 3, both ways; and what is true of each figure.

A small but realistic programme: the figures the study is done for, of families and of children. Sigmas are the
planner's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import yaml
from numpy.typing import NDArray

from compose.demo.federation import SHIPPED
from coordinator.estimates.kinds import Asked, asked
from policies.documents import load_yaml, parse_yaml
from policies.statistics.blocks import Block, Mode, Unit
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar, Expected
from policies.study.codebook import Codebook
from tests.bench.studies.population import HOUSEHOLDS, SAFE, Floats, grades, incidents

STATISTICS: tuple[dict[str, object], ...] = (
    {"id": "stopped", "kind": "proportion", "of": "state == none", "weight": 9},
    {"id": "moved", "kind": "transition", "of": "state", "wave": "T0->T1"},
    {"id": "began", "kind": "histogram", "of": "state", "wave": "T0"},
    {"id": "safe", "kind": "proportion", "of": "child_felt_safe == yes", "unit": "child"},
    {"id": "grade", "kind": "mean", "of": "child_wellbeing", "unit": "child", "within": ["3", "9"]},
    {"id": "grade_change", "kind": "paired_change", "of": "child_wellbeing", "unit": "child", "wave": "T0->T1",
     "within": ["3", "9"]},
    {"id": "incidents_change", "kind": "paired_change", "of": "incidents", "wave": "T0->T1", "within": ["0", "100"],
     "sd": "45", "weight": 4},
    {"id": "helped", "kind": "adjusted_difference", "of": "state == none", "compare": "help",
     "strata": ["severe_act@T0"], "weight": 4},
)  # fmt: skip
BETWEEN = "0.025"
"""The public planning deviation between regions, used where only a national sum is known. The true one is that of
logits of .15: .025 for one family in five."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure whose truth is known. `true`: from shares (... x state T0 x severe x help x state T1) to its rows.

    `count`: from expected numbers of the same shape to the smallest number of units that each row rests on.
    """

    statistic: str
    measure: str
    unit: Unit
    true: Callable[[Floats], Floats]
    count: Callable[[Floats], Floats]
    rows: tuple[str, ...] = ("",)


def _ends(shares: Floats) -> Floats:
    """Shares of the states at T1."""
    found = shares.sum(axis=(-4, -3, -2))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def _starts(shares: Floats) -> Floats:
    found = shares.sum(axis=(-3, -2, -1))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def _everyone(units: Floats) -> Floats:
    return np.asarray(units.sum(axis=(-4, -3, -2, -1)))[..., None]


def _stopped(units: Floats) -> Floats:
    return np.asarray(units[..., 0].sum(axis=(-3, -2, -1)))[..., None]


def _moves(shares: Floats) -> Floats:
    found = shares.sum(axis=(-3, -2))
    rows = found / found.sum(axis=-1, keepdims=True)
    return np.asarray(rows.reshape(*rows.shape[:-2], -1))


def _moved(units: Floats) -> Floats:
    found = units.sum(axis=(-3, -2))
    return np.asarray(found.reshape(*found.shape[:-2], -1))


def _fewest(units: Floats) -> Floats:
    """Of the families that end in each state, those from the rarest state at T0."""
    return np.asarray(units.sum(axis=(-3, -2)).min(axis=-2))


def _helped(shares: Floats) -> Floats:
    """Standardised to the severity of all families that are asked together."""
    groups = shares.sum(axis=-4)
    stopped = groups[..., 0] / groups.sum(axis=-1)
    weight = groups.sum(axis=(-2, -1)) / groups.sum(axis=(-3, -2, -1))[..., None]
    return np.asarray(((stopped[..., 1:] - stopped[..., :1]) * weight[..., None]).sum(axis=-2))


def _helped_count(units: Floats) -> Floats:
    """The families that stopped, of each later group or of those without help."""
    stopped = units[..., 0].sum(axis=(-3, -2))
    return np.asarray(np.minimum(stopped[..., 1:], stopped[..., :1]))


def _of(after: Floats) -> Callable[[Floats], Floats]:
    """The mean of what each state at T1 has."""
    return lambda shares: (_ends(shares) @ after)[..., None]


def _changed(after: Floats, before: Floats, by: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda shares: (_ends(shares) @ after - by(shares) @ before)[..., None]


STATES_AFTER = Figure("moved", "row_share", "household", _ends, _fewest, ("none", "some", "severe"))
"""Shares of the states at T1 among everybody of T0: what is corrected for attrition."""
_MOVES = tuple(f"{one} to {other}" for one in ("none", "some", "severe") for other in ("none", "some", "severe"))
FIGURES: Mapping[str, Figure] = {
    "proportion, households": Figure("stopped", "share", "household", lambda s: _ends(s)[..., :1], _stopped),
    "proportion, children": Figure("safe", "share", "child", _of(SAFE), _everyone),
    "mean, children": Figure("grade", "mean", "child", _of(grades()[0]), _everyone),
    "mean change, children": Figure("grade_change", "mean_change", "child", _changed(*grades(), _ends), _everyone),
    "mean change, households": Figure(
        "incidents_change", "mean_change", "household", _changed(incidents(1), incidents(0), _starts), _everyone
    ),
    "transition": Figure("moved", "row_share", "household", _moves, _moved, _MOVES),
    "adjusted difference": Figure(
        "helped", "adjusted_difference", "household", _helped, _helped_count, ("general", "specialised")
    ),
}


@dataclass(frozen=True, slots=True)
class Programmes:
    """The same questions planned for one mode, with what estimates need beside the programme."""

    programme: Programme
    codebook: Codebook
    blocks: tuple[Block, ...]
    statistics: Mapping[str, Asked]
    expected: Mapping[str, Expected]

    @property
    def regions(self) -> tuple[str, ...]:
        return self.programme.regions


@lru_cache(maxsize=1)
def codebook() -> Codebook:
    return load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")


@lru_cache(maxsize=4)
def calendar(households: int) -> Calendar:
    """The shipped rotation, of which the cohort c3 has so many households at both waves in all."""
    document = yaml.safe_load((SHIPPED / "rotation.yaml").read_text(encoding="utf-8"))
    document["cohorts"]["c3"]["expected"] = {
        region: {"household": n, "adult": round(1.05 * n), "child": round(1.17 * n)}
        for region, n in sizes(households).items()
    }
    document["planning"] = {"between": BETWEEN}
    return parse_yaml(Calendar, yaml.safe_dump(document, default_flow_style=True), "rotation")


def sizes(households: int) -> dict[str, int]:
    """So many households in all, spread as the 819."""
    whole = sum(HOUSEHOLDS.values())
    return {region: round(n * households / whole) for region, n in HOUSEHOLDS.items()}


def planned(mode: Mode, households: int, weights: NDArray[np.float64]) -> Programmes:
    """`weights` by region, in the order of their codes."""
    heading = {
        "id": "coverage",
        "title": {"nl": "Dekking", "en": "Coverage"},
        "purpose": "To see whether intervals hold",
        "requester": "Bench",
        "cohort": "c3",
        "codebook": "cohort3@1",
        "deadline": "2028-06-30",
    }
    written = {region: f"{weight:.1f}" for region, weight in zip(sorted(HOUSEHOLDS), weights, strict=True)}
    statistics = [{"unit": "household", "wave": "T1", "mode": mode} | one for one in STATISTICS]
    document = {"programme": heading, "price": {"epsilon": "3"}, "weights": written, "statistics": statistics}
    known, book = calendar(households), codebook()
    programme = plan(Draft.model_validate(document), book, known, ("0" * 64, "1" * 64))
    compilation = compile_blocks(programme.statistics, book)
    blocks = {block.id: block for block in compilation.blocks}
    expected = known.expected_of("c3")
    statistic = {
        one.statistic.id: asked(one, blocks, book, [expected[region] for region in programme.regions])
        for one in compilation.statistics
    }
    return Programmes(programme, book, compilation.blocks, statistic, expected)
