"""The verb that looks at one statistic over the cohorts: trends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from coordinator.cli.looking import open_desk
from coordinator.cli.options import HomeOption, JsonOption, RunArgument
from coordinator.cli.output import BAD_INPUT, faults, say, stop, table, told
from coordinator.files import write
from coordinator.prices import Plain
from coordinator.table import trends_csv

_LONG = 48
"""Letters of a note that stand in the table; the CSV has them all."""


def trends(
    run: RunArgument,
    statistic: Annotated[
        list[str] | None, typer.Option(help="Only this statistic of the run; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for trends.csv.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows the statistics of a run over the cohorts: this desk's runs, and published figures with their source.

    Runs are found by what was asked, not by its name. Figures of another wave are shown and marked: they are not
    comparable.

    Example: rondgang coordinator trends run-0123456789abcdef --statistic stopped_state --out trends --home researcher
    """
    with faults(as_json), open_desk(home) as desk:
        rows = desk.trends(run)
    if statistic:
        if unknown := sorted(set(statistic) - {row["statistic"] for row in rows}):
            known = ", ".join(dict.fromkeys(row["statistic"] for row in rows))
            stop(as_json, BAD_INPUT, "bad_input", f"The run has no statistic {unknown[0]}; it has {known}.")
        rows = [row for row in rows if row["statistic"] in statistic]
    if out is not None:
        with faults(as_json):
            write(out / "trends.csv", trends_csv(rows).encode("utf-8"))
    if as_json:
        shown: list[Plain] = [{**row} for row in rows]
        files: list[Plain] = [] if out is None else [str(out / "trends.csv")]
        say(True, {"run": run, "trends": shown, "files": files})
        return
    _show(rows)


def _show(rows: Sequence[dict[str, str]]) -> None:
    """The table, and below it in full where published figures come from."""
    headings = (
        "statistic",
        "measure",
        "cell",
        "cohort",
        "wave",
        "from",
        "estimate",
        "95% interval",
        "comparable",
        "note",
    )
    table(headings, [_line(row) for row in rows])
    sources = dict.fromkeys((row["cohort"], row["source"]) for row in rows if row["estimator"] == "published")
    for cohort, source in sources:
        told(f"{cohort}, published: {source}")
    if any(row["data"] == "synthetic" for row in rows):
        told("SYNTHETIC data, no study result. Published figures beside it are of the real study.")


def _line(row: dict[str, str]) -> list[str]:
    note = row["note"] if len(row["note"]) <= _LONG else f"{row['note'][: _LONG - 3]}..."
    interval = f"{_number(row['ci_low'])} to {_number(row['ci_high'])}" if row["ci_low"] else ""
    named = [row["statistic"], row["measure"], row["cell"], row["cohort"], row["wave"], row["estimator"]]
    estimate = _number(row["estimate"]) if row["status"] not in ("withheld", "missing") else row["status"]
    return [*named, estimate, interval, row["comparable"], note]


def _number(text: str) -> str:
    return f"{float(text):.4g}" if text else ""
