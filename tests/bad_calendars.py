"""Calendars that cannot be: what is altered in the turning rotation, at which line that is told, and how."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.rotating_study import ROTATION

LAST = ROTATION[ROTATION.index("  c6:") :]


class Bad(NamedTuple):
    """`before` becomes `after`, once; told at the line where `marker` first stands then, in words that hold `said`."""

    before: str
    after: str
    marker: str
    said: str

    @property
    def text(self) -> str:
        assert self.before in ROTATION
        return ROTATION.replace(self.before, self.after, 1)

    @property
    def line(self) -> int:
        return self.text[: self.text.index(self.marker)].count("\n") + 1


def shifted(years: int) -> str:
    """The last cohort so many years later."""
    return re.sub(r"20(3[1-4])", lambda found: str(2000 + int(found[1]) + years), LAST)


BAD: dict[str, Bad] = {
    "a region listed twice": Bad(
        "  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}, group: B}\n  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}, group: B}\n  DD",
        "regions.CC: this key stands here twice",
    ),
    "a region given two groups": Bad(
        "  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}, group: B, group: A}",
        "group: B, group: A",
        "stands here twice",
    ),
    "a region in two groups": Bad(
        "  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}, group: [A, B]}",
        "group: [A, B]",
        "regions.CC.group",
    ),
    "a region in no group": Bad(
        "  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}}",
        "  CC: {",
        "regions.CC: this region is in no group",
    ),
    "a group of its own after a merger": Bad(
        "formed_of: [BB, DD], since: 2029-01-01}",
        "group: A, formed_of: [BB, DD], since: 2029-01-01}",
        "  MM: {",
        "regions.MM.group: a region formed of others",
    ),
    "two regions with one name": Bad(
        "nl: Dee",
        "nl: cee ",
        "nl: cee ",
        "CC is called so",
    ),
    "a name that is another's code": Bad(
        "[Aa en omstreken]",
        "[dd]",
        "aliases: [dd]",
        "DD is called so",
    ),
    "a merger of the unknown": Bad(
        "formed_of: [BB, DD], since: 2029-01-01}",
        "formed_of: [XX, DD], since: 2029-01-01}",
        "[XX, DD]",
        "regions.MM.formed_of.0: XX is not a region",
    ),
    "a merger of one twice": Bad(
        "formed_of: [BB, DD], since: 2029-01-01}",
        "formed_of: [DD, DD], since: 2029-01-01}",
        "[DD, DD]",
        "regions.MM.formed_of.1: DD stands here twice",
    ),
    "a merger without a day": Bad(
        "formed_of: [BB, DD], since: 2029-01-01}",
        "formed_of: [BB, DD]}",
        "  MM: {",
        "regions.MM.since: expected the first day",
    ),
    "a merger loop": Bad(
        "group: B, until: 2028-12-31}",
        "formed_of: [MM], since: 2027-01-01, until: 2028-12-31}",
        "  MM: {",
        "goes round in a circle",
    ),
    "a predecessor that goes on": Bad(
        "group: B, until: 2028-12-31}",
        "group: B}",
        "  DD: {",
        "regions.DD: MM was formed of it; expected `until`",
    ),
    "a region alive beside its heir": Bad(
        "since: 2029-01-01",
        "since: 2028-06-01",
        "since: 2028-06-01",
        "regions.MM.since: expected the day after",
    ),
    "households left to nobody": Bad(
        "since: 2029-01-01",
        "since: 2029-02-01",
        "since: 2029-02-01",
        "regions.MM.since: expected the day after",
    ),
    "a region that ends before it begins": Bad(
        "  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}, since: 2028-01-01, until: 2027-01-01, group: B}",
        "since: 2028",
        "regions.CC.until: this region ends before",
    ),
    "spent of a region that was not one of them": Bad(
        "since: 2029-01-01",
        "since: 2029-01-01, spent: {AA: {lifetime: 0}}",
        "spent:",
        "regions.MM.spent.AA: this region is not one of those",
    ),
    "spent in an unknown cohort": Bad(
        "since: 2029-01-01",
        "since: 2029-01-01, spent: {BB: {cohorts: {c9: 0}, lifetime: 0}}",
        "spent:",
        "regions.MM.spent.BB.cohorts.c9: this calendar has no such",
    ),
    "less than nothing spent": Bad(
        "since: 2029-01-01",
        "since: 2029-01-01, spent: {BB: {cohorts: {c2: -1}, lifetime: 0}}",
        "spent:",
        "regions.MM.spent.BB.cohorts.c2: expected rho of zero",
    ),
    "more spent on a cohort than in all": Bad(
        "since: 2029-01-01",
        "since: 2029-01-01, spent: {BB: {cohorts: {c2: 2}, lifetime: 1}}",
        "spent:",
        "no more than the lifetime's",
    ),
    "spent of a region that came of nobody": Bad(
        "  CC: {name: {nl: Cee, en: Cee}, group: B}",
        "  CC: {name: {nl: Cee, en: Cee}, spent: {DD: {lifetime: 0}}, group: B}",
        "spent:",
        "regions.CC.spent: `spent` belongs to",
    ),
    "overlapping cycles": Bad(
        LAST,
        shifted(-1),
        "cycle: [2030",
        "cohorts.c6.cycle: this cycle overlaps that of c5",
    ),
    "the same two years twice": Bad(
        LAST,
        shifted(-2),
        shifted(-2)[shifted(-2).index("cycle:") :],
        "cohorts.c6.cycle: this cycle overlaps that of c5",
    ),
    "a gap between cycles": Bad(
        LAST,
        shifted(1),
        "cycle: [2032",
        "cohorts.c6.cycle: expected the cycle to follow that of c5 without a gap",
    ),
    "the same group twice in a row": Bad(
        LAST,
        LAST.replace("group: A", "group: B"),
        "    group: B\n    labels: {nl: zesde",
        "cohorts.c6.group: group B was asked in the cycle before (c5)",
    ),
    "a cycle of one year": Bad(
        "cycle: [2027-01-01, 2028-12-31]",
        "cycle: [2027-01-01, 2027-12-31]",
        "cycle: [2027",
        "cohorts.c4.cycle: expected two whole years",
    ),
    "a cycle of another length": Bad(
        "cycle: [2027-01-01, 2028-12-31]",
        "cycle: [2027-01-01, 2028-12-30]",
        "cycle: [2027",
        "cohorts.c4.cycle: expected two whole years",
    ),
    "a wave outside its cycle": Bad(
        "T1: [2028-02-01, 2028-12-31]",
        "T1: [2028-02-01, 2029-01-31]",
        "T1: [2028",
        "cohorts.c4.windows.T1: this window lies outside the cycle",
    ),
    "recruiting before the cycle": Bad(
        "recruit: [2027-01-01",
        "recruit: [2026-12-31",
        "recruit: [2026",
        "cohorts.c4.windows.recruit: this window lies outside",
    ),
    "T1 too soon": Bad(
        "T1: [2028-02-01, 2028-12-31]",
        "T1: [2028-01-31, 2028-12-31]",
        "T1: [2028",
        "cohorts.c4.windows.T1: expected T1 to begin at least twelve months after T0",
    ),
    "T0 before recruiting": Bad(
        "recruit: [2027-01-01",
        "recruit: [2027-03-01",
        "T0: [2027",
        "cohorts.c4.windows.T0: expected T0 to begin with the recruiting",
    ),
    "a third wave before the second": Bad(
        "T2: [2030-08-01",
        "T2: [2030-01-01",
        "T2: [2030",
        "cohorts.c5.windows.T2: expected the third wave to begin after T1",
    ),
    "figures before T0 has ended": Bad(
        "release: [2029-01-01",
        "release: [2027-11-01",
        "release: [2027",
        "cohorts.c4.windows.release: expected figures",
    ),
    "a cycle without T1": Bad(
        "      T1: [2028-02-01, 2028-12-31]\n",
        "",
        "    windows:\n      recruit: [2027",
        "T1 is missing",
    ),
    "a cohort with neither": Bad(
        "    cycle: [2027-01-01, 2028-12-31]\n",
        "",
        "  c4:",
        "cohorts.c4: expected a `cycle`, or `historical: true`",
    ),
    "both": Bad(
        "cycle: [2027-01-01, 2028-12-31]",
        "historical: true\n    cycle: [2027-01-01, 2028-12-31]",
        "cycle: [2027-01-01, 2028-12-31]",
        "cohorts.c4.cycle: a historical cohort has no cycle",
    ),
    "a historical cohort after the first cycle": Bad(
        "    cycle: [2029-01-01, 2030-12-31]\n",
        "    historical: true\n",
        "    historical: true\n    windows:\n      recruit: [2029",
        "cohorts.c5.historical: this began after the first cycle (c4)",
    ),
    "expected of an unknown region": Bad(
        "      CC: {household: 50, adult: 60, child: 70}\n      MM",
        "      XX: {household: 50, adult: 60, child: 70}\n      MM",
        "      XX:",
        "cohorts.c5.expected.XX: expected exactly the regions of group B at that time; XX is no region",
    ),
    "expected of a region of the other group": Bad(
        "      GG: {",
        "      CC: {",
        "      CC: {household: 16",
        "cohorts.c6.expected.CC: expected exactly the regions of group A at that time; CC is not one",
    ),
    "expected of a region that has ended": Bad(
        "      GG: {",
        "      FF: {",
        "      FF: {household: 16",
        "cohorts.c6.expected.FF",
    ),
    "a region of the group left out": Bad(
        "      FF: {household: 31, adult: 33, child: 35}\n  c3",
        "  c3",
        "    expected:",
        "cohorts.c2.expected: expected exactly the regions of group A at that time; FF is missing",
    ),
    "a drift that is no share": Bad(
        "limits:",
        "planning: {drift: 2}\nlimits:",
        "planning:",
        "planning.drift: expected a standard deviation",
    ),
    "a window that ends before it begins": Bad(
        "T0: [2016-01-01, 2018-12-31]",
        "T0: [2019-01-01, 2018-12-31]",
        "T0: [2019",
        "cohorts.c2.windows.T0: this window ends before it begins",
    ),
}
