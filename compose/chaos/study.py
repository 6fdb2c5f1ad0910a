"""The study that chaos asks about: four regions, one table, programmes so cheap that many thousands fit the cap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compose.demo.federation import Documents
from policies.statistics.programme import Draft

REGIONS = ("AA", "BB", "CC", "DD")
COHORT = "c1"
DEADLINE = "2090-06-30"
_HOUSEHOLDS = 24

_CODEBOOK = """
codebook: {id: chaos, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 1, children: 1}
waves: {T0: {nl: eerst, en: first}, T1: {nl: later, en: later}}
tables: {household: {}, adult: {}, child: {}}
variables:
  help:
    {table: household, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
"""
_CALENDAR = """
calendar: {id: chaos_rotation, version: 1, labels: {nl: chaos, en: chaos}}
limits: {households_per_region: 1000}
regions:
  AA: {name: {nl: Aa, en: Aa}, group: A}
  BB: {name: {nl: Bee, en: Bee}, group: A}
  CC: {name: {nl: Cee, en: Cee}, group: A}
  DD: {name: {nl: Dee, en: Dee}, group: A}
cohorts:
  c1:
    group: A
    labels: {nl: eerste, en: first}
    windows: {release: [2020-01-01, 2098-12-31]}
    expected:
      AA: {household: 24, adult: 24, child: 24}
      BB: {household: 24, adult: 24, child: 24}
      CC: {household: 24, adult: 24, child: 24}
      DD: {household: 24, adult: 24, child: 24}
"""
_POLICY = """
policy: {version: 1}
test_only: true
cohorts: {c1: {rho: "100000"}}
lifetime: {rho: "100000"}
programme: {rho: "1"}
witnesses: {need: 2, faulty: 0}
tick_ms: 5
"""
"""For tests alone: three witnesses, two of which must cosign, so that the death of one does not stop everything."""


def documents(folder: Path) -> Documents:
    """The study's documents as files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Documents(folder / "calendar.yaml", folder / "codebook.yaml", folder / "policy.yaml")
    for path, text in ((made.calendar, _CALENDAR), (made.codebook, _CODEBOOK), (made.policy, _POLICY)):
        path.write_text(text, encoding="utf-8")
    return made


def delivery(folder: Path) -> Path:
    """A region's household file: made up, every value known."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["hh;wave;help"]
    lines += [f"h{i};{wave};{('no', 'yes')[i % 3 == 0]}" for i in range(_HOUSEHOLDS) for wave in ("T0", "T1")]
    (folder / "household.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def draft(name: str, regions: Sequence[str] = REGIONS) -> Draft:
    """A programme by this name: the share of households that were helped, in these regions, for 0.01 rho."""
    return Draft.model_validate(
        {
            "programme": {
                "id": name,
                "title": {"nl": name, "en": name},
                "purpose": "to see what dies",
                "requester": "chaos",
                "cohort": COHORT,
                "codebook": "chaos@1",
                "deadline": DEADLINE,
            },
            "price": {"rho": "0.01"},
            "weights": dict.fromkeys(regions, "1"),
            "statistics": [
                {"id": "helped", "kind": "proportion", "of": "help == yes", "unit": "household", "wave": "T1"}
            ],
        }
    )
