"""A study small enough to work out by hand: its documents, and the meaning of a condition on one row."""

from collections.abc import Mapping, Sequence
from functools import cache

from rondgang.canonical import digest

from policies.documents import parse_yaml, to_canonical
from policies.rules.region_policy import RegionPolicy
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Heading, Programme
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar, instant
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some

CODEBOOK = """
codebook: {id: small, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 2, children: 3}
waves: {T0: {nl: eerst, en: first}, T1: {nl: later, en: later}}
tables: {household: {}, adult: {}, child: {}}
variables:
  incidents: {table: household, type: integer, bounds: [0, 4], sd: 1, missing: [9], waves: [T0, T1]}
  grade: {table: household, type: decimal, bounds: ["-1", "1.5"], grid: 0.5, waves: [T1]}
  profile:
    table: household
    type: category
    categories: {"1": {nl: een, en: one}, "12a": {nl: twee, en: two}, c: {nl: drie, en: three}}
  help:
    {table: household, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
  safe: {table: adult, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
  wellbeing: {table: adult, type: decimal, bounds: [0, 1], grid: 0.5, waves: [T0, T1]}
  trauma: {table: child, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
  age: {table: child, type: integer, bounds: [0, 2], waves: [T0]}
derived:
  state:
    cases: [{when: "incidents == 0", is: none}, {when: "incidents < 3", is: some}, {else: many}]
  hurt_and_unhelped:
    cases: [{when: "trauma == yes and help == no", is: yes}, {else: no}]
  began: {cases: [{when: "incidents@T0 == 0", is: no}, {else: yes}]}
  silent: {cases: [{when: "missing(help) and grade >= 0", is: yes}, {else: no}]}
"""

CALENDAR = """
calendar: {id: small_rotation, version: 1, labels: {nl: klein, en: small}}
limits: {households_per_region: 100000}
regions:
  AA: {name: {nl: Aa, en: Aa}, aliases: [Aa en omstreken], group: A}
  BB: {name: {nl: Bee, en: Bee}, group: A}
  CC: {name: {nl: Cee, en: Cee}, group: A}
  DD: {name: {nl: Dee, en: Dee}, group: B}
cohorts:
  c1:
    group: A
    labels: {nl: eerste, en: first}
    windows: {T0: [2024-01-01, 2024-12-31], T1: [2025-01-01, 2025-12-31], release: [2026-01-01, 2026-12-31]}
    expected:
      AA: {household: 60, adult: 70, child: 80}
      BB: {household: 40, adult: 50, child: 60}
      CC: {household: 50, adult: 60, child: 70}
  c2:
    group: B
    labels: {nl: tweede, en: second}
    windows: {release: [2027-01-01, 2027-12-31]}
    expected: {DD: {household: 10, adult: 10, child: 10}}
"""

DRAFT = """
programme:
  id: small_outcome
  title: {nl: Uitkomsten, en: Outcomes}
  purpose: To have something small to check
  requester: Tests
  cohort: c1
  codebook: small@1
  deadline: 2026-06-30
price: {rho: "0.2"}
statistics:
  - {id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1}
  - {id: helped, kind: proportion, of: "help != no and not missing(state)", unit: household, wave: T1,
     where: "incidents@T0 > 0"}
  - {id: change, kind: transition, of: state, unit: household, wave: "T0->T1", by: [profile]}
  - {id: grade, kind: mean, of: grade, unit: household, wave: T1, within: ["-0.5", "1"]}
  - {id: adults_by_profile, kind: count, unit: adult, wave: T1, by: [profile]}
  - {id: adults_safe, kind: proportion, of: "safe == yes", unit: adult, wave: T1, by: [profile], weight: "2.5"}
  - {id: wellbeing, kind: mean, of: wellbeing, unit: adult, wave: T0}
  - {id: hurt, kind: proportion, of: "hurt_and_unhelped == yes", unit: child, wave: T1, where: "age@T0 >= 1"}
"""

POLICY = """
policy: {version: 1}
cohorts: {c1: {rho: "0.5"}}
lifetime: {rho: "0.8"}
programme: {rho: "0.3"}
"""

OPEN = instant("2026-03-01")
"""A moment in the first cohort's release window, before the programme's deadline."""

Row = Mapping[Ref, int | None]
"""What is known of one unit: an index for each variable at each wave, None where it is missing."""


@cache
def codebook() -> Codebook:
    return parse_yaml(Codebook, CODEBOOK, "codebook.yaml")


@cache
def calendar() -> Calendar:
    return parse_yaml(Calendar, CALENDAR, "calendar.yaml")


@cache
def draft() -> Draft:
    return parse_yaml(Draft, DRAFT, "programme.yaml")


def region_policy(**changes: object) -> RegionPolicy:
    """The small policy with other top-level fields."""
    policy = parse_yaml(RegionPolicy, POLICY, "policy.yaml")
    return RegionPolicy.model_validate({**policy.model_dump(), **changes})


def hashes() -> tuple[str, str]:
    return digest(to_canonical(codebook())), digest(to_canonical(calendar()))


def planned(statistics: Sequence[Statistic] | None = None, rho: str = "0.2") -> Programme:
    """The small programme, or one with these statistics, at this price."""
    asked = draft().model_copy(update={"price": DraftPrice.model_validate({"rho": rho})})
    if statistics is not None:
        asked = asked.model_copy(update={"statistics": tuple(statistics)})
    return plan(asked, codebook(), calendar(), hashes())


def heading(**changes: object) -> Heading:
    return draft().programme.model_copy(update=changes)


def holds(expr: Expr, row: Row) -> bool | None:
    """Kleene's three values of a condition in normal form."""
    match expr:
        case Among(ref=ref, ranges=ranges):
            index = row[ref]
            return None if index is None else any(low <= index <= high for low, high in ranges)
        case Missing(ref=ref, negated=negated):
            return (row[ref] is None) != negated
        case All(parts=parts):
            return conjunction([holds(part, row) for part in parts])
        case Some(parts=parts):
            return disjunction([holds(part, row) for part in parts])


def conjunction(values: Sequence[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def disjunction(values: Sequence[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False
