"""Draws studies: whole numbers by variable, as a node's snapshot holds them, for many studies at once.

All studies of one draw have the same homes: how many, in which region, with how many children. All else differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from policies.statistics.blocks import Unit
from policies.study.columns import Ref
from tests.bench.studies.population import (
    CHILDREN,
    GRADE_BEFORE,
    GRADE_SD,
    GRADES,
    HELP,
    INCIDENTS,
    LIKENESS,
    LOW_INCOME,
    SAFE,
    SAME_CHILD,
    SEVERE,
    STATES,
    Regions,
)

Codes = NDArray[np.int16]
UNKNOWN = 0.06
"""Answers that are missing, of each question and wave by itself."""
MISSING = -1


@dataclass(frozen=True, slots=True)
class Homes:
    """The households asked at T0, by region, and their children: places (regions ascending)."""

    region: NDArray[np.intp]
    child: NDArray[np.intp]
    """The household of each child."""

    @classmethod
    def drawn(cls, draws: np.random.Generator, each: NDArray[np.int64]) -> Homes:
        """`each`: how many households in each region."""
        region = np.repeat(np.arange(len(each)), each)
        children = draws.choice(len(CHILDREN), len(region), p=CHILDREN)
        return cls(region, np.repeat(np.arange(len(region)), children))

    def region_of(self, unit: Unit) -> NDArray[np.intp]:
        return self.region if unit == "household" else self.region[self.child]


@dataclass(slots=True)
class Studies:
    """Answers by variable: studies x units, -1 where missing. `stayed`: studies x households that answered at T1."""

    homes: Homes
    count: int
    stayed: NDArray[np.bool_]
    own: Mapping[Ref, Codes]
    _of_children: dict[Ref, Codes] = field(default_factory=dict)

    def values(self, ref: Ref, unit: Unit) -> Codes:
        found = self.own[ref]
        if unit == "household" or ref.name.startswith("child"):
            return found
        return self._of_children.setdefault(ref, found[:, self.homes.child])

    def seen(self, wave: str, unit: Unit) -> NDArray[np.bool_]:
        if wave == "T0":
            return np.ones((self.count, len(self.homes.region_of(unit))), np.bool_)
        return self.stayed if unit == "household" else self.stayed[:, self.homes.child]


def draw(draws: np.random.Generator, homes: Homes, regions: Regions) -> Studies:
    """One study for each row of `regions`."""
    shape = (len(regions.stopping), len(homes.region))
    at = np.arange(shape[0])[:, None], homes.region[None, :]
    before = _category(draws, np.broadcast_to(np.cumsum(STATES), (*shape, 3)))
    severe = draws.random(shape, np.float32) < SEVERE[before]
    low = draws.random(shape, np.float32) < LOW_INCOME
    help_ = _category(draws, np.cumsum(HELP, axis=1)[before])
    after = _category(draws, np.cumsum(regions.after(), axis=-1)[(*at, before, help_)])
    stayed = draws.random(shape, np.float32) < regions.stays()[(*at, before, low.astype(np.intp))]
    found: dict[Ref, Codes] = {
        Ref("state", "T0"): before,
        Ref("state", "T1"): after,
        Ref("severe_act", "T0"): severe.astype(np.int16),
        Ref("help", "T1"): help_,
        Ref("incidents", "T0"): _incidents(draws, before, 0),
        Ref("incidents", "T1"): _incidents(draws, after, 1),
    } | _children(draws, homes, after)
    return Studies(homes, shape[0], stayed, {ref: _some_missing(draws, values) for ref, values in found.items()})


def _category(draws: np.random.Generator, cumulated: NDArray[np.float64]) -> Codes:
    """A place for each row of ascending cumulated shares."""
    u = draws.random(cumulated.shape[:-1], np.float32)
    found: Codes = (u >= cumulated[..., 0]).astype(np.int16)
    found += u >= cumulated[..., 1]
    return found


def _incidents(draws: np.random.Generator, state: Codes, wave: int) -> Codes:
    u = draws.random(state.shape, np.float32)
    some, beyond = 1 + u * 21, 22 - INCIDENTS[wave] * np.log1p(-u)
    found: Codes = np.minimum(np.select([state == 0, state == 1], [0, some], beyond), 825).astype(np.int16)
    return found


def _children(draws: np.random.Generator, homes: Homes, after: Codes) -> dict[Ref, Codes]:
    """Safety and grades; children of one household are alike by LIKENESS, given how it ended."""
    ended = after[:, homes.child]
    shape = ended.shape
    alike = (draws.random(after.shape, np.float32) < LIKENESS)[:, homes.child]
    shared = draws.random(after.shape, np.float32)[:, homes.child]
    safe = np.where(alike, shared, draws.random(shape, np.float32)) < SAFE[ended]
    home = np.sqrt(LIKENESS) * draws.standard_normal(after.shape, np.float32)[:, homes.child]
    own = draws.standard_normal(shape, np.float32)
    later = SAME_CHILD * own + np.sqrt(1 - SAME_CHILD**2) * draws.standard_normal(shape, np.float32)
    spread = np.sqrt(1 - LIKENESS)
    return {
        Ref("child_felt_safe", "T1"): safe.astype(np.int16),
        Ref("child_wellbeing", "T0"): _grade(GRADE_BEFORE + GRADE_SD * (home + spread * own)),
        Ref("child_wellbeing", "T1"): _grade(GRADES[ended] + GRADE_SD * (home + spread * later)),
    }


def _grade(value: NDArray[np.float64]) -> Codes:
    """Tenths from 0 to 100."""
    return np.clip(np.rint(10 * value), 0, 100).astype(np.int16)


def _some_missing(draws: np.random.Generator, values: Codes) -> Codes:
    return np.where(draws.random(values.shape, np.float32) < UNKNOWN, np.int16(MISSING), values)
