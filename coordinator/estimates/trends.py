"""One statistic over the cohorts: this desk's own runs, and published figures beside them with their source. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields

from coordinator.estimates.history import Past, comparable
from coordinator.estimates.same import same_key
from policies.rules.result import ResultRow
from policies.statistics.published import Literature, PublishedFigure
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.exact import decimal_text

_SHOWN = ("direct", "composite")
PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure of one cohort; numbers are decimal text, empty where there is none.

    `statistic`, `measure` and `cell` are those of the run that was asked about. `estimator` is direct, composite or
    published; `data` is study, synthetic or published. `comparable` is `no` where the figure is of another wave.
    """

    cohort: str
    label: str
    statistic: str
    measure: str
    cell: str
    wave: str
    estimator: str
    data: str
    estimate: str
    std_error: str
    ci_low: str
    ci_high: str
    regions_included: str
    regions_expected: str
    status: str
    comparable: str
    run: str
    source: str
    note: str


COLUMNS = tuple(field.name for field in fields(Trend))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One statistic of the run asked about, and what it asks at its own wave."""

    statistic: Statistic
    key: bytes

    def alike(self, other: Statistic, codebook: Codebook) -> bool | None:
        """Whether another asks the same; None where it does so at another wave, False where it does not."""
        if same_key(other, codebook) == self.key:
            return True
        return None if same_key(other, codebook, self.statistic.wave) == self.key else False


def trends(now: Past, past: Iterable[Past], written: Literature, calendar: Calendar) -> tuple[Trend, ...]:
    """Every statistic of the run `now` over the cohorts.

    Of each cohort the newest run that asked the same, study beside study and made-up beside made-up. Published figures
    are marked as such, and what was measured at another wave says so.
    """
    runs = [one for one in past if one.run != now.run and comparable(now.programme.programme, one.programme.programme)]
    begins = sorted((cohort.begin, name) for name, cohort in calendar.cohorts.items())
    order = {name: place for place, (_, name) in enumerate(begins)}
    found: list[Trend] = []
    for statistic in now.programme.statistics:
        key = same_key(statistic, now.codebook)
        if key is None:
            continue
        asked = _Asked(statistic, key)
        rows = [*_own(asked, now, runs, calendar), *_published(asked, written)]
        found += sorted(rows, key=lambda row: (row.measure, row.cell, order.get(row.cohort, -1), row.wave))
    return tuple(found)


def to_json(rows: Iterable[Trend]) -> str:
    """A list with one object a row and a line each; numbers as text, as everything else."""
    return "[\n" + ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in rows) + "\n]\n"


def _own(asked: _Asked, now: Past, runs: Sequence[Past], calendar: Calendar) -> Iterator[Trend]:
    """The runs of this desk: of each cohort the newest at the asked wave, the run asked about before any other.

    Of a cohort that was not asked at that wave, the newest at each other one.
    """
    chosen: dict[tuple[str, str], tuple[Past, Statistic]] = {}
    for one in [*sorted(runs, key=lambda run: (run.opened, run.run)), now]:
        for statistic in one.programme.statistics:
            if asked.alike(statistic, one.codebook) is not False:
                chosen[one.programme.programme.cohort, statistic.wave] = one, statistic
    for (cohort, wave), (one, statistic) in chosen.items():
        if wave != asked.statistic.wave and (cohort, asked.statistic.wave) in chosen:
            continue
        for row in one.rows:
            if row.scope == "national" and row.statistic == statistic.id and row.estimator in _SHOWN:
                yield _of_run(asked, one, statistic, row, calendar)


def _of_run(asked: _Asked, past: Past, statistic: Statistic, row: ResultRow, calendar: Calendar) -> Trend:
    cohort = past.programme.programme.cohort
    known = calendar.cohorts.get(cohort)
    same = statistic.wave == asked.statistic.wave
    return Trend(
        cohort=cohort,
        label="" if known is None else known.labels.en,
        statistic=asked.statistic.id,
        measure=row.measure,
        cell=_cell(row.cell),
        wave=statistic.wave,
        estimator=row.estimator,
        data=past.programme.programme.data,
        estimate=row.estimate,
        std_error=row.std_error,
        ci_low=row.ci_low,
        ci_high=row.ci_high,
        regions_included=str(row.regions_included),
        regions_expected=str(row.regions_expected),
        status=row.status,
        comparable="yes" if same else "no",
        run=past.run,
        source="this desk",
        note="; ".join(filter(None, ("" if same else _other_wave(statistic.wave, None, asked), row.note))),
    )


def _published(asked: _Asked, written: Literature) -> Iterator[Trend]:
    published = written.published
    for figure in published.figures:
        alike = asked.alike(figure.asked, written.codebook)
        if alike is False:
            continue
        value, error = figure.value, figure.std_error
        yield Trend(
            cohort=figure.cohort,
            label=published.cohorts[figure.cohort].en,
            statistic=asked.statistic.id,
            measure=figure.measure,
            cell=_cell(tuple(figure.cell.items())),
            wave=figure.asked.wave,
            estimator=PUBLISHED,
            data=PUBLISHED,
            estimate="" if value is None else decimal_text(value),
            std_error="" if error is None else decimal_text(error),
            ci_low="",
            ci_high="",
            regions_included="",
            regions_expected="",
            status=figure.status,
            comparable="no" if alike is None else "yes",
            run="",
            source=published.source_of(figure),
            note=_remarks(figure, asked, alike),
        )


def _remarks(figure: PublishedFigure, asked: _Asked, alike: bool | None) -> str:
    parts = (
        _other_wave(figure.asked.wave, figure.months, asked) if alike is None else "",
        "" if figure.said is None else f"published as: {figure.said.en}",
        "" if figure.units is None else f"of {figure.units} units",
        "" if figure.remark is None else figure.remark.en,
    )
    return "; ".join(filter(None, parts))


def _other_wave(wave: str, months: int | None, asked: _Asked) -> str:
    when = "" if months is None else f", {months} months after the start"
    return f"measured at {wave}{when}: not comparable with {asked.statistic.wave}"


def _cell(cell: Sequence[tuple[str, str]]) -> str:
    return ";".join(f"{key}={code}" for key, code in cell)
