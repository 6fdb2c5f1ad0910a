"""Asks studies in every way and counts how often intervals hold."""

from __future__ import annotations

import numpy as np

from coordinator.estimates.kinds import Summed
from coordinator.estimates.sets import Floats
from coordinator.estimates.status import clear
from tests.bench.studies import answers
from tests.bench.studies.areas import areas
from tests.bench.studies.asking import FIGURES
from tests.bench.studies.batches import REGIONS, Asking, Drawn, figured
from tests.bench.studies.halves import LEVELS, Half, Moved, halves
from tests.bench.studies.leavers import leavers
from tests.bench.studies.tally import Found


def batch(seed: tuple[int, ...], studies: int, households: int, missing: int) -> Found:
    """So many studies, looked at in every way. The same seed gives the same result."""
    draws, found = np.random.default_rng(seed), Found()
    asking = Asking.drawn(draws, households, missing)
    drawn = Drawn.of(draws, asking.regional, studies, households, 0.0)
    blocks = answers.regional(draws, asking.regional, drawn.sums)
    everywhere = range(REGIONS)
    regional = answers.answered(asking.regional, blocks, everywhere)
    national = answers.summed(draws, asking.national, drawn.sums, everywhere)
    ways = {
        "regional, 13 of 13": (asking.regional, regional),
        "regional, 1-3 missing": (asking.regional, answers.answered(asking.regional, blocks, asking.some)),
        "national, 13 of 13": (asking.national, national),
        "national, 1-2 missing": (
            asking.national,
            answers.summed(draws, asking.national, drawn.sums, asking.fewer),
        ),
    }
    for way, (asked, known) in ways.items():
        for name, figure in FIGURES.items():
            _national(found, name, f"{households}, {way}", drawn, asking.weights, figured(figure, asked, known))
        if way.endswith("13 of 13"):
            leavers(found, f"{households}, {way}", drawn, asking.weights, asked, known)
    areas(found, f"{households}, regional", drawn, asking.regional, blocks)
    for label, level in LEVELS.items():
        other = Drawn.of(draws, asking.regional, studies, households, level)
        then = answers.regional(draws, asking.regional, other.sums)
        before = answers.answered(asking.regional, then, everywhere)
        summed = answers.summed(draws, asking.national, other.sums, everywhere)
        moved = Moved.drawn(draws, studies)
        for mode, asked, now, earlier in (
            ("regional", asking.regional, regional, before),
            ("national", asking.national, national, summed),
        ):
            here, there = Half(drawn, asked, now), Half(other, asked, earlier)
            halves(found, f"{households}, {mode}, {label}", asking.weights, (here, there), moved)
    return found


def _national(found: Found, name: str, setting: str, drawn: Drawn, weights: Floats, summed: Summed) -> None:
    figure, figures = FIGURES[name], summed.figures(summed.everywhere)
    truth = drawn.national(figure, weights)
    units = drawn.expected(figure).sum(axis=1).mean(axis=0)
    counts, readable = figure.count(units), clear(figures).reshape(truth.shape)
    low, high, estimate = (x.reshape(truth.shape) for x in (figures.low, figures.high, figures.estimate))
    for place, row in enumerate(figure.rows):
        found.tally(f"{name}: {row}" if row else name, setting).add(
            truth[:, place],
            (low[:, place], high[:, place]),
            estimate[:, place],
            ~readable[:, place],
            float(counts[place]),
        )
