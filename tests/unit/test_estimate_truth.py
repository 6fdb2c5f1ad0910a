"""Without noise every kind gives the figures of plain pandas, through import, engine and estimates: the demo's data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isclose, isnan

import numpy as np
import pandas as pd
import pytest

from compose.demo.federation import SHIPPED
from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.truth import frame, wide
from compose.demo.generator.write import write_all
from coordinator.estimates.rows import NATIONAL, Row, Run, estimate_rows
from coordinator.estimates.sets import Floats
from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.vectors.sums import Engine
from policies.documents import load_yaml
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

LINE = ["adult_wellbeing", "adult_wellbeing@T0", "adult_felt_safe == yes"]
RANGES = {"incidents": ["0", "100"]}
ALIKE = {"compare": "help", "strata": ["severe_act@T0"], "where": "help != none"}
ASKED: tuple[dict[str, object], ...] = (
    {"id": "total", "kind": "sum", "of": "incidents", "wave": "T1", "within": ["0", "100"]},
    {"id": "levels", "kind": "histogram", "of": "incidents", "wave": "T1", "bins": ["1", "22"]},
    {"id": "education", "kind": "histogram", "of": "education", "unit": "adult", "wave": "T0", "by": ["adult_role"]},
    {"id": "helped", "kind": "cross_table", "of": ["help", "stopped.state"], "wave": "T1"},
    {"id": "helped_stopped", "kind": "proportion", "of": "stopped == yes", "wave": "T1", "by": ["help"]},
    {"id": "changed", "kind": "paired_change", "of": "incidents", "wave": "T0->T1", "within": ["0", "100"]},
    {"id": "grades", "kind": "paired_change", "of": "adult_wellbeing", "unit": "adult", "wave": "T0->T1"},
    {"id": "spread", "kind": "variance", "of": "child_wellbeing", "unit": "child", "wave": "T0"},
    {"id": "deviation", "kind": "standard_deviation", "of": "adult_wellbeing", "unit": "adult", "wave": "T0+T1"},
    {"id": "safe", "kind": "proportion", "of": "adult_felt_safe == yes", "unit": "adult", "wave": "T0+T1"},
    {"id": "together", "kind": "covariance", "of": ["incidents", "incidents@T0"], "wave": "T1", "ranges": RANGES},
    {"id": "alike", "kind": "correlation", "of": ["help == general", "incidents"], "wave": "T1", "ranges": RANGES},
    {"id": "line", "kind": "regression", "of": LINE, "unit": "adult", "wave": "T1"},
    {"id": "specialised", "kind": "adjusted_difference", "of": "state == none", "wave": "T1", **ALIKE},
    {"id": "middle", "kind": "quantile", "of": "incidents", "wave": "T1", "within": ["0", "63"], "at": ["0.33", "0.5"]},
    {"id": "people", "kind": "count", "unit": "child", "wave": "T0+T1", "by": ["child_role"]},
)
REGIONS = ("FR", "GM")
Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
Figures = Mapping[str, float]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Frames, dict[tuple[str, str, str], Row]]:
    """Plain frames of two regions, and the national rows by statistic, measure and cell."""
    folder = tmp_path_factory.mktemp("truth")
    codebook, calendar = (
        load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml"),
        load_yaml(Calendar, SHIPPED / "rotation.yaml"),
    )
    statistics = tuple(Statistic.model_validate({"unit": "household", **asked}) for asked in ASKED)
    draft = load_yaml(Draft, SHIPPED / "cohort3.programme.yaml").model_copy(
        update={
            "statistics": statistics,
            "price": DraftPrice.model_validate({"rho": "1000000"}),
            "weights": dict.fromkeys(REGIONS, 1),
            "using": {"stopped": "transition"},
        }
    )
    programme = plan(draft, codebook, calendar, ("0" * 64, "1" * 64))
    blocks = compile_blocks(programme.statistics, codebook).blocks
    data = generate(5, dict.fromkeys(REGIONS, 150), load_calibration())
    engine, answers = Engine(folder), {}
    for region, delivered in write_all(folder / "data", data).items():
        (folder / region / "snapshots").mkdir(parents=True)
        taken = import_files(ImportRequest(folder / region, (delivered,), "c3", codebook, "0" * 64, 1000))
        sums = engine.sums(taken.snapshot, blocks)
        answers[region] = {b.id: [b.multiplier * value for value in sums[b.id]] for b in programme.blocks}
    rows = estimate_rows(Run("r", 1), programme, codebook, calendar, answers)
    found = {(r.statistic, r.measure, ";".join(code for _, code in r.cell)): r for r in rows if r.scope == NATIONAL}
    tables = [pd.concat([frame(getattr(t, name)) for t in data.values()]) for name in ("household", "adult", "child")]
    homes, adults, children = (wide(t, key) for t, key in zip(tables, ("hh_id", "person_id", "person_id"), strict=True))
    return (homes, adults, children), found


def _total(t: Frames) -> Figures:
    return {"sum ": t[0]["incidents__T1"].clip(upper=100).sum()}


def _levels(t: Frames) -> Figures:
    bins = pd.cut(t[0]["incidents__T1"].dropna(), [-1, 0, 21, 825], labels=["0", "1..21", "22..825"])
    return _table(bins.astype(str))


def _table(cells: pd.Series) -> Figures:
    counts = cells.value_counts()
    found = {f"count {cell}": float(n) for cell, n in counts.items()}
    return found | {f"share {cell}": float(n) / len(cells) for cell, n in counts.items()}


def _education(t: Frames) -> Figures:
    found: dict[str, float] = {}
    for role, mine in t[1].dropna(subset=["adult_role__T0", "education__T0"]).groupby("adult_role__T0"):
        found |= _table(mine["education__T0"].map(lambda code, role=role: f"{role};{code}"))
    return found


def _helped(t: Frames) -> Figures:
    known = t[0].dropna(subset=["help__T1", "incidents__T1"])
    return _table(known["help__T1"] + ";" + np.where(known["incidents__T1"] == 0, "yes", "no"))


def _helped_stopped(t: Frames) -> Figures:
    known = t[0].dropna(subset=["help__T1", "incidents__T1", "incidents__T0"])
    known = known[known["incidents__T0"] > 0]
    return {f"share {code}": float(m["incidents__T1"].eq(0).mean()) for code, m in known.groupby("help__T1")}


def _change(table: pd.DataFrame, name: str, better: int, most: float) -> Figures:
    known = table.dropna(subset=[f"{name}__T0", f"{name}__T1"])
    first, last = known[f"{name}__T0"], known[f"{name}__T1"]
    gain = np.sign((last - first).round(6)) * better
    places = {"improved": 1, "same": 0, "worse": -1}
    shares = {f"share {word}": float((gain == sign).mean()) for word, sign in places.items()}
    return {"mean_change ": float((last.clip(upper=most) - first.clip(upper=most)).mean()), **shares}


def _pooled(table: pd.DataFrame, name: str) -> pd.Series:
    both: pd.Series = pd.concat([table[f"{name}__T0"], table[f"{name}__T1"]]).dropna()
    return both


def _pair(t: Frames, one: Callable[[pd.DataFrame], pd.Series], other: str) -> tuple[Floats, Floats]:
    both = pd.DataFrame({"one": one(t[0]), "other": t[0][other].clip(upper=100)}).dropna().astype("float64")
    return both["one"].to_numpy(), both["other"].to_numpy()


def _line(t: Frames) -> Figures:
    known = t[1].dropna(subset=["adult_wellbeing__T1", "adult_wellbeing__T0", "adult_felt_safe__T1"])
    safe = known["adult_felt_safe__T1"].eq("yes")
    design = np.column_stack([np.ones(len(known)), known["adult_wellbeing__T0"], safe])
    found, *_ = np.linalg.lstsq(design, known["adult_wellbeing__T1"])
    names = ("(intercept)", "adult_wellbeing@T0", "adult_felt_safe@T1 in {yes}")
    return {f"coefficient {name}": float(b) for name, b in zip(names, found, strict=True)}


def _specialised(t: Frames) -> Figures:
    known = t[0].dropna(subset=["incidents__T1", "severe_act__T1", "severe_act__T0", "help__T1"])
    known = known[known["help__T1"] != "none"]
    stopped, group = known["incidents__T1"].eq(0), known["help__T1"].eq("specialised")
    rates = stopped.groupby([known["severe_act__T0"], group]).mean().unstack()
    shares = known["severe_act__T0"].value_counts(normalize=True)
    plain = stopped[group].mean() - stopped[~group].mean()
    adjusted = ((rates[True] - rates[False]) * shares).sum()
    return {"adjusted_difference specialised": float(adjusted), "naive_difference specialised": float(plain)}


def _middle(t: Frames) -> Figures:
    counted = t[0]["incidents__T1"].dropna().clip(upper=63)
    return {f"quantile {at}": float(counted.quantile(at, interpolation="lower")) for at in (0.33, 0.5)}


def _violence(table: pd.DataFrame) -> pd.Series:
    return table["incidents__T1"].clip(upper=100)


def _helped_general(table: pd.DataFrame) -> pd.Series:
    return table["help__T1"].dropna().eq("general")


PLAIN: dict[str, Callable[[Frames], Figures]] = {
    "total": _total,
    "levels": _levels,
    "education": _education,
    "helped": _helped,
    "helped_stopped": _helped_stopped,
    "changed": lambda t: _change(t[0], "incidents", -1, 100),
    "grades": lambda t: _change(t[1], "adult_wellbeing", 1, 10),
    "spread": lambda t: {"variance ": float(t[2]["child_wellbeing__T0"].var(ddof=0))},
    "deviation": lambda t: {"standard_deviation ": float(_pooled(t[1], "adult_wellbeing").std(ddof=0))},
    "safe": lambda t: {"share ": float(_pooled(t[1], "adult_felt_safe").eq("yes").mean())},
    "together": lambda t: {"covariance ": np.cov(*_pair(t, _violence, "incidents__T0"), ddof=0)[0, 1]},
    "alike": lambda t: {"correlation ": np.corrcoef(*_pair(t, _helped_general, "incidents__T1"))[0, 1]},
    "line": _line,
    "specialised": _specialised,
    "middle": _middle,
    "people": lambda t: {f"count {c}": float(n) for c, n in _pooled(t[2], "child_role").value_counts().items()},
}


@pytest.mark.parametrize("statistic", PLAIN)
def test_every_kind_is_what_plain_pandas_says(
    statistic: str, told: tuple[Frames, dict[tuple[str, str, str], Row]]
) -> None:
    frames, rows = told
    plain = PLAIN[statistic](frames)
    mine = {f"{measure} {cell}": row for (name, measure, cell), row in rows.items() if name == statistic}
    assert set(plain) <= set(mine)
    # The planned noise of a spread is taken out of its estimate; the other figures know nothing of it.
    exact = 1e-5 if statistic in ("spread", "deviation", "together", "alike", "line") else 1e-9
    for name, row in mine.items():
        assert isclose(row.estimate, plain.get(name, 0.0), rel_tol=exact, abs_tol=1e-9), name
        assert row.ci_low <= row.estimate <= row.ci_high
        assert isnan(row.households_noisy) == (row.unit != "household" or row.measure == "sum")
    assert any("by the definition stopped." in row.note for row in mine.values()) == statistic.startswith("helped")
