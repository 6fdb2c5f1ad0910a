"""The rows of a result: contract columns, one row per cell and scope, in a fixed order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.absent import remark
from coordinator.estimates.kinds import MEASURES, Asked, Measure, Measured, Summed, asked
from coordinator.estimates.known import Answers, Known
from coordinator.estimates.ratio import Figures
from coordinator.estimates.sets import LEVEL
from coordinator.estimates.shares import price_shares
from coordinator.estimates.standard_deviation import NEGATIVE
from coordinator.estimates.status import clear
from policies.secure.rounds import NationalSum
from policies.statistics.answer import Answer
from policies.statistics.blocks import Block, Mode
from policies.statistics.cells import axis_codes, axis_key
from policies.statistics.compile import Compilation, Compiled, compile_blocks
from policies.statistics.names import names
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.privacy import epsilon_from_rho

NATIONAL = "national"
Status = Literal["ok", "provisional", "withheld", "missing"]
UNBOUNDED = "the denominator may be zero: the confidence set is unbounded"
WEAK = "too much noise for so few units"
SYNTHETIC = "SYNTHETIC data, no study result"
UNANSWERED = "this region has not answered"
NOBODY = "no region has answered"
NO_SUM = "no national sum is finished: none was tried yet, or every attempt was broken off"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; the fields are the contract's columns, in its order. NaN: empty.

    `measure` is one of the statistic's figures, `cell` lists (key, category code). `scope` is national or a region
    code. `ci_low` and `ci_high` include noise and sampling; both are empty where the confidence set is unbounded.
    `noise_sd`, `sampling_sd` and `std_error` are deviations of the linearised ratio. `numerator_noisy` and
    `denominator_noisy` are raw (weighted, for national rows; of a standard deviation those of the variance), and so is
    `households_noisy`, the denominator of a household statistic at one wave. `rho` is this statistic's part, `epsilon`
    and `delta` are the whole programme's. `note` names the definition where a variable has several.

    A statistic of mode `national` has national rows only: of it no region's own sum is known to anybody. Its
    `noise_sd` is of the noise that is left in the finished sum, and `regions_included` are the survivors.
    """

    run: str
    revision: int
    programme: str
    cohort: str
    statistic: str
    measure: str
    estimator: Literal["direct", "composite", "shrunk", "consistent"]
    mode: Mode
    unit: str
    wave: str
    cell: tuple[tuple[str, str], ...]
    scope: str
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    ci_level: float
    noise_sd: float
    sampling_sd: float
    numerator_noisy: float
    denominator_noisy: float
    households_noisy: float
    regions_included: int
    regions_expected: int
    rho: Decimal
    epsilon: Decimal
    delta: Decimal
    status: Status
    note: str


@dataclass(frozen=True, slots=True)
class Run:
    """What the desk calls this result: a run, and how often it was made anew as answers came in.

    `final`: no answer is asked for any more, so figures that regions are missing from are provisional no longer.
    """

    run: str
    revision: int
    final: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    """One measure of a statistic being written: its public facts, and which regions are in."""

    run: Run
    programme: Programme
    statistic: Asked
    measure: Measure
    definition: str
    rho: Decimal
    epsilon: Decimal
    cells: tuple[tuple[tuple[str, str], ...], ...]
    included: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(region for region in self.programme.regions if region not in self.included)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The regions with rows of their own."""
        return self.programme.regions if self.statistic.mode == "regional" else ()


def answer_values(answer: Answer) -> dict[str, tuple[int, ...]]:
    """The noisy integers of one signed answer by block id. Raises ValueError when they are not whole integers."""
    return {block.id: block.numbers() for block in answer.blocks}


def estimate_rows(
    run: Run,
    programme: Programme,
    codebook: Codebook,
    calendar: Calendar,
    answers: Answers,
    national: NationalSum | None = None,
) -> tuple[Row, ...]:
    """Every row of a programme: per statistic, measure and cell the national row, then the regions by code.

    `answers` may lack regions: their rows are `missing`, and national rows are `provisional` while the run is not
    final; their note names the regions they are without. Answers of regions that the programme does not ask are
    ignored. National statistics have the rows of `national`, the finished sum: `missing` without it, and the same where
    a region is not in it. Pure: the same answers give the same rows. An answer or a sum
    that does not fit the programme raises KeyError or ValueError (`Answer.fits` and `NationalSum.fits` tell
    beforehand). Raises BadStatistic.
    """
    compilation = compile_blocks(programme.statistics, codebook)
    known = Known.of(programme, answers, national)
    expected, between = calendar.expected_of(programme.programme.cohort), calendar.planning.between
    blocks = {block.id: block for block in compilation.blocks}
    rho = _decimal_shares(programme, compilation)
    epsilon = epsilon_from_rho(programme.charge.amount, programme.charge.delta)
    rows: list[Row] = []
    for compiled in compilation.statistics:
        statistic = asked(compiled, blocks, codebook, [expected[region] for region in programme.regions])
        found = known.figured(statistic, programme, codebook, expected, None if between is None else float(between))
        definition, share = _definition(compiled, blocks), rho[compiled.statistic.id]
        for place, measure in enumerate(MEASURES[statistic.kind]):
            cells, included = _cells(compiled, measure, codebook), known.included(statistic.mode)
            table = _Table(run, programme, statistic, measure, definition, share, epsilon, cells, included)
            rows += _written(table, found[place]) if found else _unanswered(table)
    return tuple(rows)


def _cells(compiled: Compiled, measure: Measure, codebook: Codebook) -> tuple[tuple[tuple[str, str], ...], ...]:
    axes = compiled.axes[:-1] if measure.plain else compiled.axes
    pooled = compiled.statistic.pooled
    return tuple(product(*([(axis_key(a, pooled), c) for c in axis_codes(a, codebook.columns)] for a in axes)))


def _definition(compiled: Compiled, blocks: Mapping[str, Block]) -> str:
    """Which alternatives of derived variables the figure uses."""
    used = sorted({name for block in compiled.blocks for name in names(blocks[block]) if "." in name})
    return f"by the definition {', '.join(used)}" if used else ""


def _decimal_shares(programme: Programme, compilation: Compilation) -> dict[str, Decimal]:
    return {name: Decimal(share.text()) for name, share in price_shares(programme, compilation).items()}


def _written(table: _Table, found: Summed) -> Iterator[Row]:
    everywhere, noted = found.figures(found.everywhere), found.everywhere.note
    readable, own = clear(everywhere), None
    if isinstance(found, Measured):
        here = found.figures(found.here)
        own = here, clear(here)
    missing = table.missing
    for cell in range(len(table.cells)):
        status: Status = "provisional" if missing and not table.run.final else "ok"
        fine, absent = bool(readable[cell]), remark(missing, found.everywhere, cell)
        yield _row(table, cell, NATIONAL, everywhere, (cell,), status if fine else "withheld", noted, absent)
        if own is not None:
            yield from _own_rows(table, cell, *own, noted)


def _own_rows(table: _Table, cell: int, here: Figures, readable: NDArray[np.bool_], noted: str) -> Iterator[Row]:
    """The regions' own rows of one cell; figures are regions x cells."""
    places = {region: place for place, region in enumerate(table.included)}
    for region in table.scopes:
        if region not in places:
            yield _missing(table, cell, region)
            continue
        at = (places[region], cell)
        yield _row(table, cell, region, here, at, "ok" if readable[at] else "withheld", noted)


def _unanswered(table: _Table) -> Iterator[Row]:
    for cell in range(len(table.cells)):
        for scope in (NATIONAL, *table.scopes):
            yield _missing(table, cell, scope)


def _row(
    table: _Table, cell: int, scope: str, found: Figures, at: tuple[int, ...], status: Status, *remarks: str
) -> Row:
    block = table.statistic.block
    unbounded = math.isnan(found.low[at]) and found.readable is None
    # A figure over a noisy zero is empty too, but no variance is negative there.
    rootless = math.isnan(found.estimate[at]) and not math.isnan(found.numerator[at]) and found.denominator[at] != 0
    why = NEGATIVE if rootless else UNBOUNDED if unbounded else WEAK if status == "withheld" else ""
    reasons = (why, found.remarks.get(at, ""), *remarks)
    households = found.numerator if table.measure.counts else found.denominator
    plain = block.selection.unit == "household" and not block.again
    return replace(
        _public(table, cell, scope, status, "; ".join(filter(None, reasons))),
        estimate=float(found.estimate[at]),
        std_error=float(found.std_error[at]),
        ci_low=float(found.low[at]),
        ci_high=float(found.high[at]),
        noise_sd=float(found.noise_sd[at]),
        sampling_sd=float(found.sampling_sd[at]),
        numerator_noisy=float(found.numerator[at]),
        denominator_noisy=float(found.denominator[at]),
        households_noisy=float(households[at]) if plain else math.nan,
    )


def _missing(table: _Table, cell: int, scope: str) -> Row:
    note = UNANSWERED
    if scope == NATIONAL:
        note = NOBODY if table.statistic.mode == "regional" else NO_SUM
    return _public(table, cell, scope, "missing", note)


def _public(table: _Table, cell: int, scope: str, status: Status, note: str) -> Row:
    """The row without its numbers."""
    heading, statistic = table.programme.programme, table.statistic.compiled.statistic
    national = scope == NATIONAL
    return Row(
        run=table.run.run,
        revision=table.run.revision,
        programme=heading.id,
        cohort=heading.cohort,
        statistic=statistic.id,
        measure=table.measure.name,
        estimator="direct",
        mode=table.statistic.mode,
        unit=statistic.unit,
        wave=statistic.wave,
        cell=table.cells[cell],
        scope=scope,
        estimate=math.nan,
        std_error=math.nan,
        ci_low=math.nan,
        ci_high=math.nan,
        ci_level=LEVEL,
        noise_sd=math.nan,
        sampling_sd=math.nan,
        numerator_noisy=math.nan,
        denominator_noisy=math.nan,
        households_noisy=math.nan,
        regions_included=len(table.included) if national else int(status != "missing"),
        regions_expected=len(table.programme.regions) if national else 1,
        rho=table.rho,
        epsilon=table.epsilon,
        delta=table.programme.charge.delta,
        status=status,
        note="; ".join(filter(None, (SYNTHETIC if heading.data == "synthetic" else "", table.definition, note))),
    )
