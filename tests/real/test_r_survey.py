"""Without noise, the estimators agree to 6 digits with R's `survey` (and `metafor`) on its own example data.

Figures and exact sums are kept (tests/vectors/survey), so that R is needed only to make them anew; where Rscript is
there, `make test-all` does, and goes all the way: R writes the schools, a node imports and sums them.

Which standard errors are the same formula: that of a share with equal weights and of a region's own share (R's less its
factor n/(n - 1)); those of a regression with equal weights (`lm`); those of shrunk rows; a composite's, given those of
its halves. With unequal weights a share's is that of units that are alike everywhere, R's variance of all units over
Kish's effective number, where `svymean` takes each stratum's own: by design, for ours is public. Those of means rest on
a public planning deviation, where R estimates it; those of persons on a public design effect; `svyglm` does without the
assumption that residuals spread alike. Quantiles are those of R's rule "math" where a leaf is one value.
"""

from __future__ import annotations

from math import isclose, nan
from pathlib import Path
from typing import Any, get_args

import pytest

from coordinator.estimates.composite import Level, country
from policies.statistics.statistic import Kind
from tests.real.r_survey import DESIGNS, Kept, estimates, live, r_is_there

DIGITS = 1e-6


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept.read()


@pytest.fixture(scope="module")
def found(kept: Kept) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows by design, estimator, statistic, measure, scope and cell."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for design in DESIGNS:
        for row in estimates(design, kept.sums[design]):
            cell = ";".join(f"{key}={code}" for key, code in row["cell"].items())
            rows[design, row["estimator"], row["statistic"], row["measure"], row["scope"], cell] = row
    return rows


COLUMNS = {
    "estimate": ("direct", "estimate"),
    "leaf": ("direct", "estimate"),
    "sampling_sd": ("direct", "sampling_sd"),
    "shrunk": ("shrunk", "estimate"),
    "shrunk_se": ("shrunk", "std_error"),
}
"""What R's figures are called, and which column of which estimator they are."""


@pytest.mark.parametrize("design", DESIGNS)
def test_every_figure_is_rs(design: str, kept: Kept, found: dict[tuple[str, ...], dict[str, Any]]) -> None:
    wanted = {name: value for name, value in kept.figures.items() if name[0] == design}
    assert len(wanted) >= 39
    for (_, statistic, measure, scope, cell, said), value in wanted.items():
        estimator, column = COLUMNS[said]
        row = found[design, estimator, statistic, measure, scope, cell]
        assert isclose(row[column], value, rel_tol=DIGITS, abs_tol=1e-9), (statistic, measure, scope, cell, column)


def test_every_kind_is_compared(kept: Kept) -> None:
    kinds = {statistic["kind"] for design in DESIGNS.values() for statistic in design.statistics}
    # A variance is the square of the deviation, and shares its code.
    assert kinds == set(get_args(Kind)) - {"variance"}
    compared = {name[1] for name in kept.figures}
    assert compared == {statistic["id"] for design in DESIGNS.values() for statistic in design.statistics}


def test_a_composite_is_rs_combination_of_both_halves(kept: Kept) -> None:
    r = {name[-1]: value for name, value in kept.figures.items() if name[0] == "both"}
    now, before = (Level.of(r[half], r[f"{half}_se"], 0.0, nan, nan) for half in ("now", "before"))
    whole = country(now, before.carried(1, 0.02), 0.6)
    assert isclose(whole.estimate, r["estimate"], rel_tol=DIGITS)
    assert isclose(whole.std_error, r["std_error"], rel_tol=DIGITS)


@pytest.mark.slow
@pytest.mark.r
def test_r_says_so_today(tmp_path: Path, kept: Kept) -> None:
    """The same schools through a node's import and engine, and R's figures of this machine."""
    if not r_is_there():
        pytest.skip("Rscript with its survey and metafor packages is not installed")
    today = live(tmp_path)
    assert today.sums == kept.sums
    assert set(today.figures) == set(kept.figures)
    for name, value in today.figures.items():
        assert isclose(value, kept.figures[name], rel_tol=1e-7, abs_tol=1e-9), name
