"""The same figures by plain pandas, written as one would without Rondgang: by statistic, measure, cell and scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from tests.real.rdata import REGIONS, Frame

Cell = tuple[tuple[str, str], ...]
Key = tuple[str, str, Cell, str]
"""Statistic, measure, cell as (key, code) pairs, scope."""
LEVELS = {
    "ethn": ("L", "N", "S"),
    "mom_ed": ("N", "P", "S"),
    "hus_ed": ("N", "P", "S", "U"),
    "mom_work": ("N", "Y"),
    "rural": ("N", "Y"),
    "immun": ("N", "Y"),
    "kid2p": ("N", "Y"),
    "ord": ("01", "23", "46", "7p"),
    "treat": ("no", "yes"),
    "educ": ("lths", "highsc", "somcol", "bach", "gradwk"),
    "income": ("lt15k", "15t24k", "25t39k", "40t49k", "50k"),
}


def cells(keys: tuple[str, ...]) -> Iterator[Cell]:
    for codes in product(*(LEVELS[key] for key in keys)):
        yield tuple(zip(keys, codes, strict=True))


def within(data: Frame, cell: Cell) -> Frame:
    for key, code in cell:
        data = data[data[key] == code]
    return data


def everywhere(data: Frame, figure: Callable[[Frame], float]) -> Iterator[tuple[str, float]]:
    """The figure for the nation and for each party."""
    yield "national", figure(data)
    for region in REGIONS:
        yield region, figure(data[data["party"] == region])


Figure = Callable[[Frame], float]


def count_of(cell: Cell) -> Figure:
    return lambda rows: len(within(rows, cell))


def share_of(cell: Cell, column: str, code: str) -> Figure:
    return lambda rows: _share(within(rows, cell), column, code)


def part_of(cell: Cell, whole: Cell) -> Figure:
    return lambda rows: _ratio(within(rows, cell), within(rows, whole))


def mean_of(column: str) -> Figure:
    return lambda rows: float(rows[column].mean())


def equal_share(column: str, value: object) -> Figure:
    return lambda rows: float((rows[column] == value).mean())


class Found:
    """Figures collected by statistic, measure, cell and scope."""

    def __init__(self) -> None:
        self.figures: dict[Key, float] = {}

    def add(self, statistic: str, measure: str, cell: Cell, rows: Frame, figure: Figure) -> None:
        self.figures |= {(statistic, measure, cell, scope): value for scope, value in everywhere(rows, figure)}


def family_figures(data: Frame) -> dict[Key, float]:
    """What `programmes.EXACT_FAMILIES` asks, of all families."""
    homes, late, found = data.drop_duplicates("hh"), data[data["kid2p"] == "Y"], Found()
    for cell in cells(("ethn",)):
        found.add("children", "count", cell, data, count_of(cell))
        found.add("immunised", "share", cell, data, share_of(cell, "immun", "Y"))
    for cell in cells(("mom_ed",)):
        found.add("immunised_late", "share", cell, late, share_of(cell, "immun", "Y"))
    for cell in cells(("rural", "ord")):
        found.add("order", "count", cell, data, count_of(cell))
        found.add("order", "share", cell, data, part_of(cell, cell[:1]))
    for cell in cells(("mom_ed", "hus_ed")):
        found.add("schooling", "count", cell, homes, count_of(cell))
        found.add("schooling", "share", cell, homes, part_of(cell, ()))
    found.add("indigenous", "mean", (), homes, mean_of("ind81"))
    found.add("indigenous_total", "sum", (), homes, lambda rows: float(rows["ind81"].sum()))
    found.add("indigenous_sd", "standard_deviation", (), homes, lambda rows: float(rows["ind81"].std(ddof=0)))
    return found.figures


def job_figures(data: Frame) -> dict[Key, float]:
    """What `programmes.EXACT_JOBS` asks, of all people."""
    change = (data["depress1"] - data["depress0"]).round(2)
    low = {f"low{wave}": np.where(data[f"depress{wave}"] < 2, "no", "yes") for wave in (0, 1)}
    data, found = data.assign(change=change, sign=np.sign(change), **low), Found()
    found.add("before", "mean", (), data, mean_of("depress0"))
    found.add("spread", "variance", (), data, lambda rows: float(rows["depress1"].var(ddof=0)))
    waves = [data[["party", f"depress{wave}"]].set_axis(["party", "depress"], axis=1) for wave in (0, 1)]
    found.add("pooled", "mean", (), pd.concat(waves), mean_of("depress"))
    _products(data.assign(treated=data["treat"].eq("yes").astype(float)), found)
    for cell in cells(("treat",)):
        mine = within(data, cell)
        found.add("after", "mean", cell, mine, mean_of("depress1"))
        found.add("change", "mean_change", cell, mine, mean_of("change"))
        for name, sign in (("improved", -1), ("same", 0), ("worse", 1)):
            found.add("change", "share", (*cell, ("change", name)), mine, equal_share("sign", sign))
        for first, last in product(("no", "yes"), repeat=2):
            at = (*cell, ("low@T0", first), ("low@T1", last))
            found.add("moved", "row_share", at, mine[mine["low0"] == first], equal_share("low1", last))
    return found.figures


def _products(data: Frame, found: Found) -> None:
    """By numpy: covariance and correlation, and least squares with an intercept."""
    found.add("tie", "covariance", (), data, lambda rows: np.cov(rows["depress1"], rows["depress0"], ddof=0)[0, 1])
    found.add("alike", "correlation", (), data, lambda rows: np.corrcoef(rows["depress1"], rows["treated"])[0, 1])
    for place, term in enumerate(("(intercept)", "depress@T0", "treat in {yes}")):
        found.add("effect", "coefficient", (("term", term),), data, partial(_coefficient, place))


def _coefficient(place: int, rows: Frame) -> float:
    design = np.column_stack([np.ones(len(rows)), rows["depress0"], rows["treated"]])
    return float(np.linalg.lstsq(design, rows["depress1"])[0][place])


def _share(rows: Frame, column: str, code: str) -> float:
    return float((rows[column] == code).mean()) if len(rows) else float("nan")


def _ratio(part: Frame, whole: Frame) -> float:
    return len(part) / len(whole) if len(whole) else float("nan")
