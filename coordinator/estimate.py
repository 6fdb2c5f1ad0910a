"""From the answers of a run to the rows of a result, as the desk sends them."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.estimates.rows import Run, answer_values, estimate_rows
from coordinator.estimates.tables import to_json
from policies.statistics.answer import Answer
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


def rows_json(
    run: str, programme: Programme, codebook: Codebook, calendar: Calendar, answers: Mapping[str, Answer]
) -> bytes:
    """The estimates table as JSON. Its revision is the number of answers in it: the first of a region stays."""
    values = {region: answer_values(answer) for region, answer in answers.items()}
    return to_json(estimate_rows(Run(run, len(answers)), programme, codebook, calendar, values)).encode("utf-8")
