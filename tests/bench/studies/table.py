"""The tables: what was measured, against the bar it must clear.

Coverage is that of all intervals, also of rows that would be withheld; an unbounded one holds everything. Width ratio:
of regions' rows the mean width over that of intervals of known variance, else over 2 * 1.96 * RMSE; unbounded ones left
out. Units: how many a row is expected to rest on, of a share those that are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.studies.tally import Duel, Found, Key, Tally

LEAST, MOST = 0.93, 0.97
WIDEST = 1.25
FEW = 1000
CLAIMED_FROM = 20
"""Expected units below which nothing is claimed; regions' own rows always are."""
STUDY_SIZE = "819,"
RIVALS = {"composite": ("half of the country alone", 0.75), "shrunk": ("the direct row", 0.6)}
HEADINGS = (
    "figure",
    "setting",
    "studies",
    "coverage %",
    "MC error",
    "width ratio",
    "unbounded %",
    "withheld %",
    "units",
    "verdict",
)
DUEL_HEADINGS = ("figure", "setting", "values", "against", "RMSE ratio", "at most", "verdict")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table, and whether it is claimed and missed."""

    cells: tuple[str, ...]
    missed: bool


def coverage(found: Found) -> Iterator[Line]:
    for key, tally in found.tallies.items():
        said = verdict(key, tally)
        studies = f"{tally.studies:,}"
        numbers = (f"{100 * tally.coverage:.1f}", f"{100 * tally.error:.2f}", _width(tally.ratio))
        rates = (
            _percent(tally.unbounded, tally),
            _percent(tally.withheld, tally),
            f"{tally.count / tally.intervals:.0f}",
        )
        yield Line((*key, studies, *numbers, *rates, said), said.startswith("MISSED"))


def verdict(key: Key, tally: Tally) -> str:
    """Against the bar; where an interval is unbounded it holds everything, and coverage says less."""
    figure, setting = key
    regional = figure.startswith("a region's")
    drifted = figure == "composite" and not setting.endswith("drift 1x")
    if not regional and tally.mean_count < CLAIMED_FROM:
        return "not claimed: few units"
    if tally.studies < FEW:
        return "not claimed: hardly ever made"
    if tally.coverage < LEAST:
        return f"MISSED: below {LEAST:.0%}{', more drift than planned' if drifted else ''}"
    if regional and tally.ratio > WIDEST:
        return f"MISSED: wider than {WIDEST}"
    if regional or tally.coverage <= MOST:
        return "holds"
    if tally.unbounded and tally.bounded_coverage <= MOST:
        return f"over {MOST:.0%} by unbounded sets alone"
    return f"MISSED: above {MOST:.0%}{', less drift than planned' if drifted else ''}"


def duels(found: Found) -> Iterator[Line]:
    for (figure, setting), duel in found.duels.items():
        rival, most = RIVALS[figure.split()[0]]
        said = _compared(figure, setting, duel, most)
        cells = (figure, setting, f"{duel.values:,}", rival, f"{duel.ratio:.3f}", f"{most}", said)
        yield Line(cells, said == "MISSED")


def _compared(figure: str, setting: str, duel: Duel, most: float) -> str:
    if duel.values < FEW:
        return "not claimed: hardly ever made"
    if figure.startswith("shrunk") and not setting.startswith(STUDY_SIZE):
        return "not claimed: larger regions"
    return "holds" if duel.ratio <= most else "MISSED"


def _width(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 100 else ">100"


def _percent(part: int, tally: Tally) -> str:
    return f"{100 * part / tally.intervals:.1f}"


def text(headings: tuple[str, ...], lines: list[Line]) -> str:
    """In columns, for a terminal."""
    rows = [headings, *(line.cells for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(headings))]
    left = (0, 1, len(headings) - 1)
    return "\n".join(
        "  ".join(c.ljust(w) if at in left else c.rjust(w) for at, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )


def markdown(headings: tuple[str, ...], lines: list[Line]) -> str:
    """As a table of a document."""
    left = (0, 1, len(headings) - 1)
    rule = ["---" if at in left else "---:" for at in range(len(headings))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, rule, *(line.cells for line in lines)))
