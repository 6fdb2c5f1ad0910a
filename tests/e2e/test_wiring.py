"""One run of thousands of coordinates through every process: intervals for the noise cover what the data say.

The data are known and summed the plain way, by pandas. Regional intervals depend on noise that is drawn independently
per region and coordinate, and so do the national ones among themselves, so the number of rows that miss is binomial
(but for the dozen rows of the transition, which share denominators). Coverage that is truly 95% is turned down with
probability 1e-6 per check.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest
from rondgang.signed import Signed
from scipy import stats

from compose.demo.federation import Federation
from coordinator.client import Desk
from policies.documents import from_canonical
from policies.statistics.programme import Programme
from tests.e2e.world import CALENDAR, documents, quiet, rondgang

Frame: TypeAlias = pd.DataFrame
REGIONS = {"AA": "1", "BB": "2.5", "CC": "0.4"}
CELLS, HOUSEHOLDS = 410, 10_000
FALSE_ALARM = 1e-6
CODES = [f"c{i}" for i in range(CELLS)]
_CATEGORIES = ", ".join(f"{code}: {{nl: {code}, en: {code}}}" for code in CODES)
CODEBOOK = f"""
codebook: {{id: wide, version: 1}}
units: {{household: hh, person: person, wave: wave}}
caps: {{adults: 2, children: 2}}
waves: {{T0: {{nl: eerst, en: first}}, T1: {{nl: later, en: later}}}}
tables: {{household: {{}}, adult: {{}}, child: {{}}}}
variables:
  place: {{table: household, type: category, categories: {{{_CATEGORIES}}}}}
  stopped: {{table: household, type: category, missing: ["9"], waves: [T0, T1],
            categories: {{"no": {{nl: nee, en: "no"}}, "yes": {{nl: ja, en: "yes"}}}}}}
  grade: {{table: household, type: decimal, bounds: [0, 10], grid: 0.5, missing: ["99"], waves: [T1]}}
"""
POLICY = """
policy: {version: 1}
cohorts: {c1: {rho: "100"}}
lifetime: {rho: "100"}
programme: {rho: "100"}
"""
PROGRAMME = """
programme: {id: wide, title: {nl: breed, en: wide}, purpose: to check the wiring, requester: Tests, cohort: c1,
            codebook: wide@1, deadline: 2090-06-30}
price: {rho: "40"}
weights: {AA: "1", BB: "2.5", CC: "0.4"}
statistics:
  - {id: families, kind: count, unit: household, wave: T1, by: [place]}
  - {id: share, kind: proportion, of: "stopped == yes", unit: household, wave: T1, by: [place]}
  - {id: mean, kind: mean, of: grade, unit: household, wave: T1, by: [place]}
  - {id: calm, kind: proportion, of: "grade >= 7.5", unit: household, wave: T1}
  - {id: change, kind: transition, of: stopped, unit: household, wave: "T0->T1"}
"""


def microdata(seed: int) -> Frame:
    """One region's households in long form: two waves, some gone at T1, some answers missing as code or as nothing."""
    rng = np.random.default_rng(seed)
    place, here = rng.integers(0, CELLS, HOUSEHOLDS), rng.random(HOUSEHOLDS) < 0.9
    waves = []
    for wave, among in (("T0", np.ones(HOUSEHOLDS, bool)), ("T1", here)):
        stopped = rng.choice(["no", "yes", "9", ""], HOUSEHOLDS, p=[0.45, 0.45, 0.06, 0.04])
        steps = np.clip(np.rint(rng.normal(13, 4, HOUSEHOLDS)), 0, 20) / 2
        grade = np.where(rng.random(HOUSEHOLDS) < 0.08, 99.0, steps)
        table = pd.DataFrame({"hh": np.arange(HOUSEHOLDS), "wave": wave, "place": [CODES[i] for i in place]})
        table["stopped"], table["grade"] = stopped, [f"{x:g}".replace(".", ",") if wave == "T1" else "" for x in grade]
        waves.append(table[among])
    return pd.concat(waves)


def truth(long: Frame) -> dict[str, Frame]:
    """Numerators and denominators by statistic and cell, the plain way."""
    later = long[long["wave"] == "T1"].set_index("hh")
    before = long[long["wave"] == "T0"].set_index("hh")["stopped"]
    known = later[later["stopped"].isin(["no", "yes"])]
    graded = later[later["grade"] != "99"].assign(value=lambda f: f["grade"].str.replace(",", ".").astype(float))
    both = known.join(before.rename("earlier"))
    both = both[both["earlier"].isin(["no", "yes"])]
    change = both.groupby(["earlier", "stopped"]).size().rename("numerator").reset_index()
    change["denominator"] = change.groupby("earlier")["numerator"].transform("sum")
    change.index = pd.Index("stopped@T0=" + change["earlier"] + ";stopped@T1=" + change["stopped"])
    found = {
        "families": pd.DataFrame({"numerator": later.groupby("place").size(), "denominator": 1}),
        "share": _ratio(known, known["stopped"] == "yes"),
        "mean": _ratio(graded, graded["value"]),
    }
    for table in found.values():
        table.index = "place=" + table.index.astype(str)
    high = pd.DataFrame({"numerator": [(graded["value"] >= 7.5).sum()], "denominator": [len(graded)]}, index=[""])
    return {**found, "calm": high, "change": change[["numerator", "denominator"]]}


def _ratio(table: Frame, values: pd.Series) -> Frame:
    groups = values.astype(float).groupby(table["place"])
    return pd.DataFrame({"numerator": groups.sum(), "denominator": groups.size()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wiring")


@pytest.fixture(scope="module")
def data(folder: Path) -> dict[str, Frame]:
    return {region: microdata(seed) for seed, region in enumerate(REGIONS)}


@pytest.fixture(scope="module")
def rows(folder: Path, data: dict[str, Frame]) -> Iterator[Frame]:
    """The run as a researcher makes it, with the command; each row beside what the data themselves say."""
    delivered = {region: folder / region for region in data}
    for region, table in data.items():
        delivered[region].mkdir()
        table.to_csv(delivered[region] / "household.csv", sep=";", index=False)
    papers = documents(folder / "documents", CODEBOOK, CALENDAR, POLICY)
    federation = Federation(folder / "federation", delivered, papers, cohort="c1")
    path, out = folder / "programme.yaml", folder / "out"
    path.write_text(PROGRAMME, encoding="utf-8")
    federation.set_up(quiet)
    try:
        federation.start(quiet)
        done = rondgang(
            "coordinator", "submit", path, "--wait", "--json", "--out", out, "--home", federation.researcher
        )
        assert done.returncode == 0, done.stderr
        found = pd.read_csv(
            out / "estimates.csv", keep_default_na=False, na_values={"estimate": [""], "noise_sd": [""]}
        )
        with Desk.open(federation.researcher) as desk:
            assert len(desk.results(json.loads(done.stdout)["run"])) == len(found)
    finally:
        federation.stop()
    beside: Frame = found.merge(_expected(data), on=["statistic", "scope", "cell"], validate="one_to_one")
    yield beside
    shutil.rmtree(folder / "federation")


def _expected(data: dict[str, Frame]) -> Frame:
    regional = {region: truth(table) for region, table in data.items()}
    tables = []
    for statistic in ("families", "share", "mean", "calm", "change"):
        parts = [regional[region][statistic] * float(weight) for region, weight in REGIONS.items()]
        weighted: Frame = pd.concat(parts).groupby(level=0).sum()
        for scope, table in [("national", weighted), *((region, regional[region][statistic]) for region in REGIONS)]:
            one = table.assign(statistic=statistic, scope=scope, cell=table.index)
            if statistic == "families":
                one["denominator"] = 1
            tables.append(one.assign(exact=one["numerator"] / one["denominator"]))
    every: Frame = pd.concat(tables)
    return every


def test_the_programme_has_thousands_of_coordinates_and_every_row_is_there(folder: Path, rows: Frame) -> None:
    signed = Signed.from_bytes((folder / "out" / "programme.signed.json").read_bytes())
    programme = from_canonical(Programme, signed.document)
    assert sum(block.cells for block in programme.blocks) >= 2000
    assert len(rows) == (3 * CELLS + 1 + 4) * (1 + len(REGIONS))
    assert set(rows["status"]) == {"ok"}


@pytest.mark.parametrize("scope", ["national", "regional"])
def test_intervals_for_the_noise_alone_cover_what_the_data_say(rows: Frame, scope: str) -> None:
    chosen = rows[(rows["scope"] == "national") == (scope == "national")]
    inside = (chosen["estimate"] - chosen["exact"]).abs() <= 1.959964 * chosen["noise_sd"]
    for part in (inside, *(inside[chosen["statistic"] == name] for name in ("families", "share", "mean"))):
        law = stats.binom(len(part), 0.95)
        share = f"{part.mean():.4f} of {len(part)} rows"
        assert law.ppf(FALSE_ALARM / 2) <= part.sum() <= law.isf(FALSE_ALARM / 2), share


def test_errors_have_the_size_and_the_shape_that_rows_say(rows: Frame) -> None:
    """Standardised errors of regional rows are standard normal; two-sided tests at 1e-6."""
    regional = rows[rows["scope"] != "national"]
    errors = ((regional["estimate"] - regional["exact"]) / regional["noise_sd"]).to_numpy()
    assert abs(errors.mean()) <= stats.norm.isf(FALSE_ALARM / 2) / np.sqrt(len(errors))
    law = stats.chi2(len(errors))
    # A hundredth of room: a ratio's error is linearised.
    assert law.ppf(FALSE_ALARM / 2) * 0.99 <= (errors**2).sum() <= law.isf(FALSE_ALARM / 2) * 1.01


def test_national_rows_are_the_weighted_regional_ones(rows: Frame) -> None:
    for statistic in ("families", "share", "mean"):
        part = rows[rows["statistic"] == statistic].set_index(["cell", "scope"])
        for column in ("numerator_noisy", "denominator_noisy"):
            if statistic == "families" and column == "denominator_noisy":
                continue
            table = part[column].astype(float).unstack("scope")
            weighted = sum(table[region] * float(weight) for region, weight in REGIONS.items())
            assert np.allclose(table["national"], weighted)
    ratio = rows[rows["statistic"] != "families"]
    parts = ratio["numerator_noisy"].astype(float) / ratio["denominator_noisy"].astype(float)
    assert np.allclose(parts, ratio["estimate"])
