"""From the answers of a run, and its finished national sum, to the rows of a result, as the desk sends them."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.estimates.beside import Earlier, Found, beside
from coordinator.estimates.known import Answers, Known
from coordinator.estimates.rows import Row, Run, answer_values, estimate_rows
from coordinator.estimates.tables import to_json
from policies.secure.rounds import NationalSum
from policies.statistics.answer import Answer
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


def revision_of(answers: int, national: NationalSum | None) -> int:
    """How often a result was made anew: with each answer, the first of a region stays, and with the finished sum."""
    return answers + (national is not None)


def rows_json(
    run: str,
    programme: Programme,
    codebook: Codebook,
    calendar: Calendar,
    answers: Mapping[str, Answer],
    national: NationalSum | None = None,
    earlier: tuple[Earlier, ...] = (),
    final: bool = False,
) -> bytes:
    """The estimates table as JSON.

    `national` is the finished sum of the national blocks, where there is one; answers and sum fit the programme.
    `earlier` are figures of earlier cohorts, for those estimators that use them. `final`: nothing is asked any more.
    """
    values = {region: answer_values(answer) for region, answer in answers.items()}
    named = Run(run, revision_of(len(answers), national), final)
    return to_json(all_rows(named, programme, codebook, calendar, values, national, earlier)).encode("utf-8")


def all_rows(
    named: Run,
    programme: Programme,
    codebook: Codebook,
    calendar: Calendar,
    values: Answers,
    national: NationalSum | None = None,
    earlier: tuple[Earlier, ...] = (),
) -> tuple[Row, ...]:
    """The direct rows, and after them those of every other estimator."""
    rows = estimate_rows(named, programme, codebook, calendar, values, national)
    known, compilation = Known.of(programme, values, national), compile_blocks(programme.statistics, codebook)
    return (*rows, *beside(Found(named, programme, codebook, calendar, compilation, known, rows, earlier)))
