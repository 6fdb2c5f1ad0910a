"""What the figures of a run cover: who was asked, answered, refused and why, was away, and what was withheld and why.

A run is provisional while its figures can still change: a region is missing from them, the deadline of the run has not
passed and the cohort's release window is open. After that they stand, without the regions that are missing.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Literal

from coordinator.desk.views import Progress, RegionProgress
from coordinator.estimates.rows import NATIONAL, NO_SUM, NOBODY, SYNTHETIC, UNANSWERED, UNBOUNDED, WEAK
from coordinator.estimates.standard_deviation import NEGATIVE
from coordinator.gather import Asked
from coordinator.table import Value
from policies.rules.refusals import Reason
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar

Part = Literal["answered", "late", "pending", "refused", "away"]
"""`late`: it answered after the deadline. `pending`: it said "not yet". `away`: nothing was heard from it."""
_REASONS = frozenset((WEAK, UNBOUNDED, NEGATIVE, UNANSWERED, NOBODY, NO_SUM))
_STANDS = "nothing more can come in for this run: its figures stand without this region"
_AGAIN = "then submit the programme again, which asks only the regions that have not answered"
_BUDGET = frozenset((Reason.OVER_PROGRAMME_CAP, Reason.OVER_COHORT_CAP, Reason.OVER_LIFETIME_CAP))


@dataclass(frozen=True, slots=True)
class Covered:
    """One region that was asked.

    `households` are the public expected ones, `share` their part of those of all regions asked, by weight. `in_answers`
    and `in_sum` say whether it is in the regional figures and in the national sums; None where none are asked.
    `answered` is the unix second in which its answer came in, 0 where it has none. `stands_for` are the regions that
    the cohort was recruited in and that this one came of. `todo` is what to do where it is missing.
    """

    region: str
    part: Part
    reason: str
    sentence: str
    in_answers: bool | None
    in_sum: bool | None
    answered: int
    stands_for: tuple[str, ...]
    households: int
    share: float
    todo: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows of one statistic, measure and estimator that have no figure to be read, and why; `of` all such rows.

    `scope` is national or regional. Withheld: the numbers are there and carry too little; missing: there are none.
    """

    statistic: str
    measure: str
    estimator: str
    scope: str
    status: Literal["withheld", "missing"]
    rows: int
    of: int
    why: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run covers. `final_after` is the unix second after which nothing changes; then it is not provisional."""

    run: str
    programme: str
    cohort: str
    provisional: bool
    final_after: int
    answered_share: float
    regions: tuple[Covered, ...]
    unread: tuple[Unread, ...]

    @property
    def missing(self) -> tuple[Covered, ...]:
        """The regions that a figure is without."""
        return tuple(one for one in self.regions if one.in_answers is False or one.in_sum is False)


def final_after(programme: Programme, calendar: Calendar) -> int:
    """The unix second after which no answer is asked for: the deadline, or the end of the release window before it."""
    window = calendar.cohorts[programme.programme.cohort].windows["release"]
    return min(programme.programme.deadline, window[1])


def covers(
    programme: Programme,
    calendar: Calendar,
    progress: Progress,
    rows: Iterable[Mapping[str, Value]],
    summed: Iterable[str] | None,
    now: int,
) -> Coverage:
    """Pure. `rows` are those of the estimates; `summed` the regions in the finished national sums, None without any.

    `now` is in unix seconds. Raises KeyError for a cohort that the calendar does not have.
    """
    last = min(progress.deadline, final_after(programme, calendar))
    asked = _Asked(programme, calendar, None if summed is None else frozenset(summed), last, now > last)
    heard = {one.region: one for one in progress.regions}
    states = [heard.get(region) or RegionProgress(region, Asked.WAITING) for region in programme.regions]
    regions = tuple(asked.covered(one) for one in states)
    missing = any(one.in_answers is False or one.in_sum is False for one in regions)
    heading = programme.programme
    return Coverage(
        run=progress.run,
        programme=heading.id,
        cohort=heading.cohort,
        provisional=missing and now <= last,
        final_after=last,
        answered_share=sum(one.share for one in regions if one.in_answers is not False and one.in_sum is not False),
        regions=regions,
        unread=unread(rows),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is public of a run, and whether it is over."""

    programme: Programme
    calendar: Calendar
    summed: frozenset[str] | None
    last: int
    over: bool

    def covered(self, one: RegionProgress) -> Covered:
        cohort, region = self.programme.programme.cohort, one.region
        expected, weights = self.calendar.expected_of(cohort), self.programme.weights
        whole = sum(weights[code] * expected[code].household for code in self.programme.regions)
        answered = one.state is Asked.ANSWERED
        in_answers = answered if self.programme.of_mode("regional") else None
        in_sum = self.summed is not None and region in self.summed if self.programme.of_mode("national") else None
        recruited = set(self.calendar.members(cohort))
        stands_for = () if region in recruited else tuple(sorted(self._ancestors(region) & recruited))
        part = self._part(one)
        gone = in_answers is False or in_sum is False
        return Covered(
            region=region,
            part=part,
            reason="" if one.refused is None else one.refused.reason.value,
            sentence="" if one.refused is None else one.refused.sentence,
            in_answers=in_answers,
            in_sum=in_sum,
            answered=one.answered,
            stands_for=stands_for,
            households=expected[region].household,
            share=weights[region] * expected[region].household / whole,
            todo=self._todo(one, part) if gone else "",
        )

    def _ancestors(self, region: str) -> set[str]:
        before = set(self.calendar.rotation.formed_of[region])
        return before.union(*(self._ancestors(one) for one in before))

    def _part(self, one: RegionProgress) -> Part:
        match one.state:
            case Asked.ANSWERED:
                return "late" if one.answered > self.last else "answered"
            case Asked.PENDING:
                return "pending"
            case Asked.REFUSED:
                return "refused"
            case Asked.WAITING | Asked.SENT:
                return "away"

    def _todo(self, one: RegionProgress, part: Part) -> str:
        """What to do about a region that is missing, or that there is nothing to do any more."""
        if self.over:
            return f"{_STANDS}; a new programme with a later deadline would be charged anew in every region"
        then = until(self.last)
        reason = None if one.refused is None else one.refused.reason
        if part in ("answered", "late"):
            return f"it is not in the national sums; another attempt, if there is one, may take it in until {then}"
        if part == "away":
            if one.state is Asked.SENT:
                return f"it has the order and has not replied yet: wait, until {then}"
            return f"it is not on the line: ask its steward to start the node; it is asked by itself, until {then}"
        if reason is Reason.AWAITING_APPROVAL:
            return f"ask its steward to decide (`rondgang node pending` shows it); it answers by itself, until {then}"
        if reason is Reason.DECLINED:
            return f"its steward declined: speak with them, {_AGAIN}, until {then}"
        if reason in _BUDGET:
            return "its budget does not allow this programme: ask for less, or go without this region"
        if part == "pending":
            return f"it is asked again by itself, until {then}; what it waits for stands beside its reason"
        return f"its reason says what to do: have it done, {_AGAIN}, until {then}"


def until(moment: int) -> str:
    """A unix second as people read it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def unread(rows: Iterable[Mapping[str, Value]]) -> tuple[Unread, ...]:
    """Which rows have no figure that may be read, and why, in the order in which they stand."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    without: Counter[tuple[tuple[str, str, str, str], str, str]] = Counter()
    for row in rows:
        scope = NATIONAL if row["scope"] == NATIONAL else "regional"
        place = str(row["statistic"]), str(row["measure"]), str(row["estimator"]), scope
        counted[place] += 1
        if row["status"] in ("withheld", "missing"):
            without[place, str(row["status"]), _why(row)] += 1
    return tuple(
        Unread(*place, "withheld" if status == "withheld" else "missing", found, counted[place], why)
        for (place, status, why), found in without.items()
    )


def _why(row: Mapping[str, Value]) -> str:
    """The part of a row's note that says why there is nothing to read."""
    remarks = [remark for remark in str(row["note"]).split("; ") if remark != SYNTHETIC]
    return next((remark for remark in remarks if remark in _REASONS), "; ".join(remarks))


def to_json(coverage: Coverage) -> str:
    """One object: the run, its regions, and the rows that cannot be read."""
    return json.dumps(asdict(coverage), ensure_ascii=False, indent=1) + "\n"


def to_csv(coverage: Coverage) -> str:
    """A header and one line a region; yes, no, or empty where nothing of the kind was asked."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(Covered)])
    writer.writerows([_text(value) for value in asdict(one).values()] for one in coverage.regions)
    return out.getvalue()


def yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return yes_no(value)
    return " ".join(value) if isinstance(value, tuple) else str(value)
