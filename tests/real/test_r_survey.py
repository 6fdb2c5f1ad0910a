"""Without noise, the estimators agree to 6 digits with R's `survey` package on its own example data.

Figures and exact sums are kept (tests/vectors/survey), so that R is needed only to make them anew; where Rscript is
there, `make test-all` does, and goes all the way: R writes the schools, a node imports and sums them.

Which standard errors are the same formula: that of a share with equal weights, and of a region's own share (R's less
its factor n/(n - 1)). With unequal weights ours is that of units that are alike everywhere, R's variance of all units
over Kish's effective number, where `svymean` takes each stratum's own variance: by design, for ours is public. Those of
means rest on a public planning deviation, where R estimates it; persons on a public design effect.
"""

from __future__ import annotations

import shutil
from math import isclose
from pathlib import Path
from typing import Any

import pytest

from tests.real.r_survey import WEIGHTS, Kept, estimates, live

DIGITS = 1e-6


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept.read()


@pytest.fixture(scope="module")
def found(kept: Kept) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows by design, estimator, statistic, measure, scope and cell."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for design in WEIGHTS:
        for row in estimates(design, kept.sums[design]):
            cell = ";".join(f"{key}={code}" for key, code in row["cell"].items())
            rows[design, row["estimator"], row["statistic"], row["measure"], row["scope"], cell] = row
    return rows


@pytest.mark.parametrize("design", WEIGHTS)
def test_every_figure_is_rs(design: str, kept: Kept, found: dict[tuple[str, ...], dict[str, Any]]) -> None:
    wanted = {name: value for name, value in kept.figures.items() if name[0] == design and name[-1] == "estimate"}
    assert len(wanted) >= 40
    for (_, statistic, measure, scope, cell, _), value in wanted.items():
        row = found[design, "direct", statistic, measure, scope, cell]
        assert isclose(row["estimate"], value, rel_tol=DIGITS, abs_tol=1e-9), (statistic, measure, scope, cell)


def test_the_errors_of_shares_are_rs(kept: Kept, found: dict[tuple[str, ...], dict[str, Any]]) -> None:
    wanted = {name: value for name, value in kept.figures.items() if name[-1] == "sampling_sd"}
    assert len(wanted) == 8
    for (design, statistic, measure, scope, cell, column), error in wanted.items():
        row = found[design, "direct", statistic, measure, scope, cell]
        assert isclose(row[column], error, rel_tol=DIGITS), (design, scope)


@pytest.mark.slow
@pytest.mark.r
def test_r_says_so_today(tmp_path: Path, kept: Kept) -> None:
    """The same schools through a node's import and engine, and R's figures of this machine."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed")
    today = live(tmp_path)
    assert today.sums == kept.sums
    assert set(today.figures) == set(kept.figures)
    for name, value in today.figures.items():
        assert isclose(value, kept.figures[name], rel_tol=1e-9, abs_tol=1e-9), name
