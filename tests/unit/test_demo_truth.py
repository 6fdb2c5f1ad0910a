"""Without noise, import and engine give the figures that plain pandas gives: the shipped programme, the demo's data."""

from __future__ import annotations

from collections import Counter
from math import isclose
from pathlib import Path

import numpy as np
import pytest

from compose.demo.federation import SHIPPED
from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.truth import truth
from compose.demo.generator.write import write_all
from coordinator.estimates.kinds import asked, measured
from coordinator.estimates.ratio import NoisyBlock
from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.vectors.sums import Engine
from policies.documents import load_yaml
from policies.statistics.cells import axis_codes
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import Draft
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


def test_exact_sums_of_the_demo_are_the_generators_truth(tmp_path: Path) -> None:
    codebook = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")
    expected = load_yaml(Calendar, SHIPPED / "rotation.yaml").cohorts["c3"].expected
    compilation = compile_blocks(load_yaml(Draft, SHIPPED / "cohort3.programme.yaml").statistics, codebook)
    regions = {region: expected[region].household for region in ("FR", "DR", "GM", "GZ", "ZL")}
    data = generate(5, regions, load_calibration())
    engine = Engine(tmp_path)
    totals: dict[str, Counter[int]] = {block.id: Counter() for block in compilation.blocks}
    for region, folder in write_all(tmp_path / "data", data).items():
        home = tmp_path / region
        (home / "snapshots").mkdir(parents=True)
        taken = import_files(ImportRequest(home, (folder,), "c3", codebook, "0" * 64, 1000))
        for block, values in engine.sums(taken.snapshot, compilation.blocks).items():
            totals[block].update(dict(enumerate(values)))
    noiseless = {
        block.id: NoisyBlock(np.array([[float(totals[block.id][cell]) for cell in range(block.cells)]]), 0.0)
        for block in compilation.blocks
    }
    blocks = {block.id: block for block in compilation.blocks}
    figures = truth(data.values())
    compared = set()
    for compiled in compilation.statistics:
        one = asked(compiled, blocks, codebook, expected.values())
        for measured_ in measured(one, noiseless, codebook, np.array([1000])):
            axes = compiled.axes[:-1] if measured_.measure.plain else compiled.axes
            found = measured_.here
            for cell, value in enumerate(np.ravel(measured_.figures(found).estimate)):
                at = np.unravel_index(cell, [axis.size for axis in axes])
                codes = tuple(axis_codes(axis, codebook.columns)[i] for axis, i in zip(axes, at, strict=True))
                plain = figures[compiled.statistic.id, codes]
                wanted = plain.numerator if measured_.measure.counts else plain.value
                assert isclose(value, wanted, rel_tol=1e-12, abs_tol=1e-12), (compiled.statistic.id, codes)
                compared.add((compiled.statistic.id, codes))
    assert compared == set(figures)


@pytest.mark.parametrize("statistic", ["incidents_t0", "incidents_t1"])
def test_the_means_of_incidents_say_in_words_where_they_stop_counting(statistic: str) -> None:
    draft = load_yaml(Draft, SHIPPED / "cohort3.programme.yaml")
    one = next(s for s in draft.statistics if s.id == statistic)
    assert one.within is not None
    assert one.label is not None
    assert all(str(one.within[1]) in text for text in (one.label.nl, one.label.en))
