"""A rotation small enough to follow by hand: two historical cohorts, three cycles, a merger and a split.

BB (group A) and DD (group B) become MM in 2029; FF (group A) is split into GG and HH in 2031.
"""

from __future__ import annotations

from functools import cache

from policies.documents import parse_yaml
from policies.study.calendar import Calendar, instant

ROTATION = """
calendar: {id: turning, version: 1, labels: {nl: draaiend, en: turning}}
limits: {households_per_region: 100000}
regions:
  AA: {name: {nl: Aa, en: Aa}, aliases: [Aa en omstreken], group: A}
  BB: {name: {nl: Bee, en: Bee}, group: A, until: 2028-12-31}
  CC: {name: {nl: Cee, en: Cee}, group: B}
  DD: {name: {nl: Dee, en: Dee}, group: B, until: 2028-12-31}
  FF: {name: {nl: Eff, en: Eff}, group: A, until: 2030-12-31}
  MM: {name: {nl: Em, en: Em}, formed_of: [BB, DD], since: 2029-01-01}
  GG: {name: {nl: Gee, en: Gee}, formed_of: [FF], since: 2031-01-01}
  HH: {name: {nl: Haa, en: Haa}, formed_of: [FF], since: 2031-01-01}
cohorts:
  c2:
    group: A
    historical: true
    labels: {nl: tweede, en: second}
    windows: {T0: [2016-01-01, 2018-12-31], T1: [2017-01-01, 2020-09-30], release: [2018-11-01, 2020-12-31]}
    expected:
      AA: {household: 60, adult: 70, child: 80}
      BB: {household: 40, adult: 50, child: 60}
      FF: {household: 31, adult: 33, child: 35}
  c3:
    group: B
    historical: true
    labels: {nl: derde, en: third}
    windows: {T0: [2021-01-01, 2022-06-30], T1: [2022-01-01, 2023-12-31], release: [2023-01-01, 2028-12-31]}
    expected:
      CC: {household: 50, adult: 60, child: 70}
      DD: {household: 45, adult: 47, child: 49}
  c4:
    group: A
    labels: {nl: vierde, en: fourth}
    cycle: [2027-01-01, 2028-12-31]
    windows:
      recruit: [2027-01-01, 2027-06-30]
      T0: [2027-02-01, 2027-12-31]
      T1: [2028-02-01, 2028-12-31]
      release: [2029-01-01, 2030-12-31]
    expected:
      AA: {household: 60, adult: 70, child: 80}
      BB: {household: 40, adult: 50, child: 60}
      FF: {household: 31, adult: 33, child: 35}
  c5:
    group: B
    labels: {nl: vijfde, en: fifth}
    cycle: [2029-01-01, 2030-12-31]
    windows:
      recruit: [2029-01-01, 2029-06-30]
      T0: [2029-02-01, 2029-12-31]
      T1: [2030-02-01, 2030-10-31]
      T2: [2030-08-01, 2030-12-31]
      release: [2031-01-01, 2032-12-31]
    expected:
      CC: {household: 50, adult: 60, child: 70}
      MM: {household: 85, adult: 97, child: 109}
  c6:
    group: A
    labels: {nl: zesde, en: sixth}
    cycle: [2031-01-01, 2032-12-31]
    windows:
      recruit: [2031-01-01, 2031-06-30]
      T0: [2031-02-01, 2031-12-31]
      T1: [2032-02-01, 2032-12-31]
      release: [2033-01-01, 2034-12-31]
    expected:
      AA: {household: 60, adult: 70, child: 80}
      GG: {household: 16, adult: 17, child: 18}
      HH: {household: 16, adult: 17, child: 18}
"""

SPENT = """spent: {BB: {cohorts: {c2: "0.1"}, lifetime: "0.1"}, DD: {cohorts: {c3: "0.2"}, lifetime: "0.25"}}"""
"""What a later version says of MM's predecessors, in rho."""

MERGED = instant("2029-01-01")
SPLIT = instant("2031-01-01")
TODAY = instant("2026-11-22")


@cache
def calendar(version: int = 1) -> Calendar:
    """The rotation; from version 2 on with what MM's predecessors had spent."""
    return parse_yaml(Calendar, text(version), "rotation.yaml")


def text(version: int = 1) -> str:
    """As `calendar`, as YAML."""
    changed = ROTATION.replace("version: 1,", f"version: {version},")
    return changed if version == 1 else changed.replace("since: 2029-01-01}", f"since: 2029-01-01, {SPENT}}}")
