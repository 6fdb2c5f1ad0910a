"""The same statistics asked of other cohorts: what this desk's finished runs said of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from coordinator.estimates.found import Earlier
from coordinator.estimates.same import same_key
from policies.rules.result import NATIONAL, ResultRow
from policies.statistics.programme import Programme
from policies.statistics.published import Literature
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Past:
    """One finished run of this desk as it was given back: its programme, codebook and national rows.

    `opened` is in unix seconds.
    """

    run: str
    opened: int
    programme: Programme
    codebook: Codebook
    rows: tuple[ResultRow, ...]

    @property
    def national(self) -> Iterator[ResultRow]:
        return (row for row in self.rows if row.scope == NATIONAL)


class Labelled(Protocol):
    """What says of which data something is: the heading of a programme."""

    @property
    def data(self) -> str: ...
    @property
    def test_only(self) -> bool: ...


def comparable(one: Labelled, other: Labelled) -> bool:
    """Whether figures of one may stand in a result of the other: study beside study, made-up beside made-up."""
    return (one.data, one.test_only) == (other.data, other.test_only)


def earlier(
    programme: Programme, codebook: Codebook, calendar: Calendar, past: Iterable[Past], written: Literature
) -> tuple[Earlier, ...]:
    """What a composite may carry: figures of this desk's earlier runs, and published ones of what it never asked."""
    own = of_desk(programme, codebook, calendar, past)
    taken = {(one.cohort, one.statistic) for one in own}
    others = of_literature(programme, codebook, written)
    return (*own, *(one for one in others if (one.cohort, one.statistic) not in taken))


def of_desk(programme: Programme, codebook: Codebook, calendar: Calendar, past: Iterable[Past]) -> tuple[Earlier, ...]:
    """The direct figure of each statistic of the programme for each earlier cohort, from the run of the most regions.

    Of several runs with as many the newest counts. All are of this desk.

    What was withheld or missing then is left out, and so are figures of another question, of made-up data in a study's
    result, and of cohorts that the calendar does not know. Pure.
    """
    asked = {same_key(one, codebook) for one in programme.statistics} - {None}
    begin = calendar.cohorts[programme.programme.cohort].begin
    found: dict[tuple[str, bytes], tuple[Earlier, ...]] = {}
    regions: dict[tuple[str, bytes], int] = {}
    for one in sorted(past, key=lambda run: (run.opened, run.run)):
        cohort = one.programme.programme.cohort
        known = calendar.cohorts.get(cohort)
        if known is None or known.begin >= begin or not comparable(programme.programme, one.programme.programme):
            continue
        for statistic, key in keys_of(one).items():
            rows = tuple(
                (_carried(one, row, key), row.regions_included) for row in one.national if _readable(row, statistic)
            )
            if key in asked and rows and regions.get((cohort, key), 0) <= rows[0][1]:
                found[cohort, key], regions[cohort, key] = tuple(row for row, _ in rows), rows[0][1]
    return tuple(figure for figures in found.values() for figure in figures)


def of_literature(programme: Programme, codebook: Codebook, written: Literature) -> tuple[Earlier, ...]:
    """Published figures that came with a standard error, as a study's composite may carry them. Pure."""
    if programme.programme.data != "study":
        return ()
    asked = {same_key(one, codebook) for one in programme.statistics} - {None}
    found = []
    for figure in written.published.figures:
        key = same_key(figure.asked, written.codebook)
        if key is None or key not in asked or figure.value is None or figure.std_error is None:
            continue
        cell, source = tuple(figure.cell.items()), written.published.source_of(figure)
        value, error = float(figure.value), float(figure.std_error)
        found.append(Earlier(figure.cohort, key, figure.measure, cell, value, error, source))
    return tuple(found)


def keys_of(past: Past) -> Mapping[str, bytes]:
    """What each statistic of a run asked, by its id, in the words of the codebook of that time."""
    keys = ((one.id, same_key(one, past.codebook)) for one in past.programme.statistics)
    return {name: key for name, key in keys if key is not None}


def number(text: str) -> float:
    """A number of a result; NaN where there is none."""
    return float(text) if text else math.nan


def _readable(row: ResultRow, statistic: str) -> bool:
    return row.statistic == statistic and row.estimator == "direct" and row.status in ("ok", "provisional")


def _carried(past: Past, row: ResultRow, key: bytes) -> Earlier:
    return Earlier(
        cohort=past.programme.programme.cohort,
        statistic=key,
        measure=row.measure,
        cell=row.cell,
        estimate=number(row.estimate),
        std_error=number(row.std_error),
        source=past.run,
        low=number(row.ci_low),
        high=number(row.ci_high),
        noise_sd=number(row.noise_sd),
        included=row.regions_included,
        expected=row.regions_expected,
        provisional=row.status == "provisional",
    )
