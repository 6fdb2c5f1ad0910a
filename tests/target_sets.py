"""Generated files of targets over the shipped codebook, and what they ask of the noise by formulas of our own.

The formulas are written from the definitions of the figures, not from the product: a second hand to plan by. Values
stand on each variable's grid. Of each statistic: the variance of its figure if its true value is theta, as a sum of
the noise variances times known numbers, plus sampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from math import sqrt
from typing import Any

import numpy as np

from compose.demo.federation import SHIPPED
from coordinator.planning.targets import Targets
from policies.documents import load_yaml
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

Z2 = 1.959963984540054**2
READABLE = 3.25
LIKENESS = 0.15
COLLUDERS, REGIONS = 4, 13
HEADING: dict[str, Any] = {
    "id": "targets",
    "title": {"nl": "Doelen", "en": "Targets"},
    "purpose": "Generated",
    "requester": "Tests",
    "cohort": "c3",
    "codebook": "cohort3@1",
    "deadline": "2028-06-30",
}
SHARES = [
    ("household", "state", "state == none"),
    ("household", "state", "state == frequent_or_severe"),
    ("household", "injury", "injury == yes"),
    ("household", "help", "help == specialised"),
    ("adult", "adult_felt_safe", "adult_felt_safe == yes"),
    ("adult", "adult_help", "adult_help == yes"),
    ("child", "trauma", "trauma == yes"),
    ("child", "child_role", "child_role in {witness, both}"),
]
MEANS = [
    ("adult", "adult_wellbeing", None),
    ("adult", "help_satisfaction", None),
    ("child", "child_wellbeing", None),
    ("household", "incidents", ("0", "100")),
    ("household", "partner_incidents", ("0", "40")),
]
TABLES = [("household", "state"), ("child", "child_role")]
HISTOGRAMS = [("household", "profile", 5), ("household", "help", 3), ("adult", "adult_role", 4)]
CHANGES = [
    ("household", "incidents", ("0", "100")),
    ("adult", "adult_wellbeing", None),
    ("child", "child_wellbeing", None),
]
KEYS = [("help", 3), ("profile", 5)]
WHERE = [None, "state@T0 in {some, frequent_or_severe}"]


@cache
def codebook() -> Codebook:
    return load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")


@cache
def calendar() -> Calendar:
    return load_yaml(Calendar, SHIPPED / "rotation.yaml")


def units(unit: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The expected units of the regions of c3, by code."""
    expected = calendar().cohorts["c3"].expected
    return np.array([getattr(expected[code], unit) for code in sorted(expected)], float)


@dataclass(frozen=True, slots=True)
class Asked:
    """One generated statistic, with what our own formulas must know of it.

    `top`: the largest value of the figure on the grid; `spread`: the variance of one unit where that is known; `step`:
    the grid; `places` and `cells`: of its table and of its `by` keys; `persons`: the most of them in a household.
    """

    written: dict[str, Any]
    denominator: tuple[Any, ...]
    top: float
    spread: float | None
    step: float
    places: int
    cells: int
    persons: int
    targets: dict[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.written["id"])

    @property
    def kind(self) -> str:
        return str(self.written["kind"])

    @property
    def effect(self) -> float:
        """Kish's design effect: how alike the persons of one household are."""
        unit = self.written["unit"]
        if unit == "household":
            return 1.0
        per_household = units(unit).sum() / units("household").sum()
        return float(1 + min(self.persons - 1, per_household) * LIKENESS)

    def per_unit(self, theta: float) -> float:
        """The most that one unit's value varies if they are theta on average."""
        most = theta * (self.top - theta)
        return most if self.spread is None else min(self.spread, most)

    def noise(self, theta: float) -> dict[str, float]:
        """How much of the noise variance of its sum and its denominator is in A - theta B."""
        match self.kind:
            case "proportion" | "mean":
                return {"sum": 0.25, "units": (2 * theta - self.top) ** 2 / 4}
            case "paired_change":
                return {"sum": 1.0, "units": 3 * (theta - self.top / 2) ** 2}
        return {"units": (1 - theta) ** 2 + (self.places - 1) * theta**2}

    def with_denominator(self, theta: float) -> float:
        """How much of the noise variance of its denominator's block is in the covariance of A - theta B with B."""
        match self.kind:
            case "proportion" | "mean":
                return self.top / 2 - theta
            case "paired_change":
                return 3 * (self.top / 2 - theta)
        return 1 - self.places * theta

    def in_denominator(self) -> float:
        """How many cells of noise are in its denominator."""
        return {"paired_change": 3.0, "transition": float(self.places), "histogram": float(self.places)}.get(
            self.kind, 1.0
        )

    def bounds(self) -> dict[str, float]:
        """The most that a household changes each of its blocks."""
        of_sum = {"proportion": 1.0, "mean": self.top, "paired_change": self.top / 2}.get(self.kind)
        found = {"units": float(self.persons)}
        return found if of_sum is None else found | {"sum": self.persons * of_sum}

    def share_of_units(self) -> float:
        """The part of all units in the denominator of one figure."""
        return 1 / (self.cells * (self.places if self.kind == "transition" else 1))


@dataclass(frozen=True, slots=True)
class TargetSet:
    """One generated file: its statistics, and the weights of the regions where they are unequal."""

    asked: tuple[Asked, ...]
    weights: Mapping[str, str] | None

    def targets(self) -> Targets:
        statistics = [
            one.written | {"target": {scope: f"{margin:.6f}" for scope, margin in one.targets.items()}}
            for one in self.asked
        ]
        return Targets.model_validate(
            {"programme": HEADING, "weights": dict(self.weights or {}) or "equal", "statistics": statistics}
        )

    def steps(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        codes = sorted(calendar().cohorts["c3"].expected)
        if self.weights is None:
            return np.ones(len(codes))
        whole = np.array([int(Fraction(self.weights[code]) * 1000) for code in codes])
        return np.asarray(whole / np.gcd.reduce(whole), float)


@dataclass(frozen=True, slots=True)
class Limit:
    """One row. With V the noise variances by block times `slopes`, plus `constant`, and D that of `denominator`:

    V + 3 (V `its` D + 2 (`both` D)^2) is at most `most`. The second part is what a noisy denominator adds.
    """

    slopes: Mapping[tuple[Any, ...], float]
    constant: float
    most: float
    denominator: tuple[Any, ...]
    its: float = 0.0
    both: float = 0.0


def blocks_of(one: Asked, mode: str) -> dict[str, tuple[Any, ...]]:
    """The names by which a statistic's blocks are told apart: denominators are shared, in one mode."""
    alone = {"transition": (one.id, "table"), "paired_change": (one.id, "directions")}
    table = (*one.denominator, one.written["of"]) if one.kind == "histogram" else one.denominator
    found: dict[str, tuple[Any, ...]] = {"units": (mode, *alone.get(one.kind, table))}
    return found | ({"sum": (mode, one.id)} if "sum" in one.bounds() else {})


def limits(one: Asked, mode: str, steps: np.ndarray[Any, np.dtype[np.float64]]) -> Iterator[Limit]:
    """Everything a statistic's targets ask, at a fine grid of true values."""
    counts = units(one.written["unit"])
    scale = counts.sum() / (steps * counts).sum()
    names = blocks_of(one, mode)
    for scope, target in one.targets.items():
        if scope == "regional":
            n, heavier, effect = counts.min(), 1.0, one.effect
        else:
            n, effect = counts.sum(), one.effect * scale * (steps**2 * counts).sum() / (steps * counts).sum()
            shared = REGIONS / (REGIONS - COLLUDERS) if mode == "national" else (steps**2).sum()
            heavier = shared * scale**2
        n *= one.share_of_units()
        most, its, units_block = target**2 * n**2 / (Z2 * one.step**2), one.in_denominator(), names["units"]
        for theta in np.linspace(0, one.top, 129):
            slopes = {names[part]: heavier * each for part, each in one.noise(theta).items()}
            both = heavier * one.with_denominator(theta) / n
            yield Limit(slopes, effect * n * one.per_unit(theta), most, units_block, heavier * its / n**2, both)
        yield Limit({units_block: READABLE**2 * heavier * its / n**2}, 0.0, 1.0, units_block)


def no_noise(one: Asked, scope: str) -> float:
    """The margin of sampling alone, with equal weights."""
    counts = units(one.written["unit"])
    n = (counts.min() if scope == "regional" else counts.sum()) * one.share_of_units()
    largest = max(one.per_unit(theta) for theta in np.linspace(0, one.top, 101))
    return sqrt(Z2 * one.effect * largest / n) * one.step


def _statistic(rng: np.random.Generator, name: str) -> Asked:
    kind = rng.choice(["proportion", "proportion", "proportion", "mean", "transition", "histogram", "paired_change"])
    where = WHERE[int(rng.integers(2))] if rng.random() < 0.3 else None
    by, cells = ((), 1) if rng.random() < 0.75 else _one(rng, KEYS)
    caps = {"household": 1, "adult": 2, "child": 4}
    shown: dict[str, Any] = {"id": name, "kind": str(kind), "wave": "T1"}
    shown |= {} if where is None else {"where": where}
    if kind == "proportion":
        unit, variable, condition = _one(rng, SHARES)
        shown |= {"unit": unit, "of": condition}
        top, spread, step, places = 1.0, None, 1.0, 1
    elif kind == "mean":
        unit, variable, within = _one(rng, MEANS)
        top, spread, step = _number(variable, within, 1)
        shown |= {"unit": unit, "of": variable} | ({} if within is None else {"within": list(within)})
        places = 1
    elif kind == "paired_change":
        unit, variable, within = _one(rng, CHANGES)
        top, spread, step = _number(variable, within, 2)
        shown |= {"unit": unit, "of": variable, "wave": "T0->T1"}
        shown |= {} if within is None else {"within": list(within)}
        places = 3
    elif kind == "transition":
        (unit, variable), top, spread, step = _one(rng, TABLES), 1.0, None, 1.0
        places = codebook().columns[variable].size
        shown |= {"unit": unit, "of": variable, "wave": "T0->T1"}
    else:
        (unit, variable, places), top, spread, step = _one(rng, HISTOGRAMS), 1.0, None, 1.0
        shown |= {"unit": unit, "of": variable}
    if by and by != variable and kind not in ("transition", "histogram") and unit == "household":
        shown["by"] = [by]
    else:
        cells = 1
    required = frozenset((variable, *shown.get("by", ())))
    denominator = (unit, shown["wave"], where, required, tuple(shown.get("by", ())))
    return Asked(shown, denominator, top, spread, step, places, cells, caps[unit])


def _number(variable: str, within: tuple[str, str] | None, times: int) -> tuple[float, float, float]:
    """Top, variance of a unit and grid of a number's figure; a change reaches twice as far and varies twice as much."""
    column = codebook().columns[variable]
    step = float(column.grid)
    width = (column.size - 1) * step if within is None else float(within[1]) - float(within[0])
    sd = min(float(column.sd or 0), width / 2)
    return times * width / step, times * (sd / step) ** 2, step


def _one(rng: np.random.Generator, choices: list[Any]) -> Any:
    return choices[int(rng.integers(len(choices)))]


def generated(seed: int) -> TargetSet:
    """Two to seven statistics, some of them regional too, with targets from just in reach to easy."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(int(rng.integers(2, 8))):
        one = _statistic(rng, f"s{place}")
        regional = one.cells == 1 and one.kind == "proportion" and rng.random() < 0.4
        scopes = ["national"] if not regional else [["regional"], ["national", "regional"]][int(rng.integers(2))]
        for scope in scopes:
            one.targets[scope] = round(no_noise(one, scope) * float(rng.uniform(1.25, 2.5)), 6)
        found.append(one)
    codes = sorted(calendar().cohorts["c3"].expected)
    weights = {code: f"{rng.choice([0.8, 1.0, 1.2, 1.6])}" for code in codes} if rng.random() < 0.25 else None
    return TargetSet(tuple(found), weights)
