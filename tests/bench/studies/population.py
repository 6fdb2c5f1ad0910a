"""Who lives in the regions of these studies: shares, how regions differ, and what is true of them.

Figures of the demo's calibration (compose/demo/calibration.json), simplified: violence at T0, help by severity,
violence at T1 by both and by region (logit sd .15), families that are lost before T1 by severity, income and region,
children's safety and grades by how it ended. What is true is worked out from these shares, never from what was drawn:
the superpopulation's value, given how the regions of this study differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
HOUSEHOLDS = {
    "DR": 45, "FR": 67, "GM": 55, "GZ": 50, "HM": 78, "NHN": 68, "NML": 63,
    "NOG": 60, "WB": 75, "ZE": 50, "ZHZ": 62, "ZL": 68, "ZOB": 78,
}  # fmt: skip
"""Of the 819 at T1, by region."""
RETAINED = 0.62
STATES = np.array([0.065, 0.165, 0.77])
"""None, some, frequent or severe at T0."""
SEVERE = np.array([0.0, 0.0, 0.7])
"""With a severe act, by state at T0."""
LOW_INCOME = 0.48
HELP = np.array([[0.40, 0.35, 0.25], [0.40, 0.35, 0.25], [0.30, 0.35, 0.35]])
"""None, general, specialised; by state at T0."""
AFTER = np.array([[0.60, 0.25, 0.15], [0.40, 0.35, 0.25], [0.1364, 0.1754, 0.6882]])
"""State at T1 by state at T0, in a region like the others, without specialised help."""
HELPED = np.log(1.4)
REGION_SD, LOST_SD = 0.15, 0.05
SAFE = np.array([0.88, 0.66, 0.66])
"""Children who feel safe, by state at T1."""
GRADES = np.array([7.8, 7.2, 7.2])
GRADE_BEFORE, GRADE_SD = 7.0, 1.6
SAME_CHILD = 0.5
"""The correlation of a child's own part at the two waves."""
LIKENESS = 0.15
CHILDREN = np.array([0.30, 0.37, 0.22, 0.08, 0.03])
INCIDENTS = np.array([68.0, 40.0])
"""The mean beyond 22 of the frequent, at T0 and T1."""
HELD = 100
"""Incidents count up to this many, as in the shipped programmes."""
LOWEST, HIGHEST = 3.0, 9.0
"""And grades within these."""


def logit(p: Floats | float) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-np.asarray(p)))


def expit(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))


@dataclass(frozen=True, slots=True)
class Regions:
    """How the regions of some studies differ: logits (studies x regions) of stopping and of staying in the study."""

    stopping: Floats
    staying: Floats

    @classmethod
    def drawn(cls, draws: np.random.Generator, studies: int, regions: int, level: float = 0.0) -> Regions:
        """`level` is a logit that all of them have."""
        shape = (studies, regions)
        return cls(draws.normal(level, REGION_SD, shape), draws.normal(0, LOST_SD, shape))

    def after(self) -> Floats:
        """Shares of the states at T1: studies x regions x state at T0 x help x state at T1."""
        helped = np.array([0.0, 0.0, HELPED])
        none = expit(self.stopping[..., None, None] + logit(AFTER[:, 0])[:, None] + helped)
        rest = AFTER[:, 1:] / AFTER[:, 1:].sum(axis=1, keepdims=True)
        return np.concatenate([none[..., None], (1 - none)[..., None] * rest[:, None, :]], axis=-1)

    def stays(self) -> Floats:
        """Shares that answer at T1 too: studies x regions x state at T0 x income (not low, low)."""
        severity = np.log(1.2) * (np.array([0.0, 0.0, 1.0]) - STATES[2])
        income = np.log(1.2) * (np.array([0.0, 1.0]) - LOW_INCOME)
        return expit(logit(RETAINED) + self.staying[..., None, None] + severity[:, None] + income)

    def everybody(self) -> Floats:
        """Shares of all at T0: studies x regions x state at T0 x severe act (no, yes) x help x state at T1."""
        return self._joint(np.ones((*self.stopping.shape, 3)))

    def answering(self) -> Floats:
        """The same of those who answer at T1; adds up to the share that does."""
        stays = self.stays() @ np.array([1 - LOW_INCOME, LOW_INCOME])
        return self._joint(stays)

    def _joint(self, kept: Floats) -> Floats:
        severe = np.stack([1 - SEVERE, SEVERE], axis=1)
        first = (STATES * kept)[..., :, None] * severe
        return np.asarray(first[..., None, None] * (HELP[:, :, None] * self.after())[..., :, None, :, :])


def grades() -> tuple[Floats, Floats]:
    """The expected grade at T1 by state then, and the same at T0 (one number for each state at T1), both held."""
    return np.array([_grade(mean) for mean in GRADES]), np.full(3, _grade(GRADE_BEFORE))


def _grade(mean: float) -> float:
    """Of a normal grade rounded to tenths and held within the bounds: the sum of P(grade > step) above the lowest."""
    steps = np.arange(round(10 * LOWEST), round(10 * HIGHEST))
    return float(LOWEST + 0.1 * norm.sf((steps + 0.5) / 10, mean, GRADE_SD).sum())


def incidents(wave: int) -> Floats:
    """The expected number by state, held: 0, 1 to 21 evenly, and 22 plus a geometric number."""
    mean = INCIDENTS[wave]
    # floor of an exponential: at least k with probability exp(-k / mean)
    frequent = 22 + np.exp(-np.arange(1, HELD - 22 + 1) / mean).sum()
    return np.array([0.0, 11.0, frequent])
