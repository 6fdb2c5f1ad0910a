"""What a run covers: who is in its figures, who is not and what to do about it, and until when it is provisional."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from coordinator.desk.views import Progress, RegionProgress
from coordinator.estimates.covers import Coverage, covers, final_after, to_csv, to_json, unread
from coordinator.estimates.rows import NATIONAL, UNANSWERED, Run, estimate_rows
from coordinator.estimates.tables import to_json as rows_to_json
from coordinator.gather import Asked, State
from coordinator.table import read_rows
from policies.documents import parse_yaml
from policies.rules.refusals import Reason, Refused
from policies.study.calendar import Calendar, instant
from tests import beside_study
from tests.beside_study import REGIONS, found, planned
from tests.small_study import codebook

ONE = '  - {id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1}\n'
TWO = ONE + "  - {id: helps, kind: histogram, of: help, unit: household, wave: T1, mode: national}\n"
DEADLINE = instant("2026-06-30", end_of_day=True)
BEFORE, AFTER = DEADLINE - 1000, DEADLINE + 1


def _progress(**states: RegionProgress) -> Progress:
    regions = [states.get(code, RegionProgress(code, Asked.ANSWERED, answered=5)) for code in REGIONS]
    return Progress("run-0", State.ASKING, tuple(regions), DEADLINE)


def _refused(region: str, reason: Reason, state: Asked = Asked.REFUSED) -> RegionProgress:
    return RegionProgress(region, state, Refused(reason, "Do this."))


def _of(
    now: int = BEFORE, summed: tuple[str, ...] | None = None, text: str = ONE, **states: RegionProgress
) -> Coverage:
    return covers(planned(text), beside_study.calendar(), _progress(**states), (), summed, now)


def test_with_every_region_in_it_nothing_is_provisional() -> None:
    coverage = _of()
    assert not coverage.provisional
    assert not coverage.missing
    assert coverage.answered_share == pytest.approx(1)
    assert {one.part for one in coverage.regions} == {"answered"}
    assert [one.in_sum for one in coverage.regions] == [None] * 6
    assert sum(one.share for one in coverage.regions) == pytest.approx(1)


@pytest.mark.parametrize(
    ("one", "part", "todo"),
    [
        (RegionProgress("BB", Asked.WAITING), "away", "start the node"),
        (RegionProgress("BB", Asked.SENT), "away", "wait"),
        (_refused("BB", Reason.AWAITING_APPROVAL, Asked.PENDING), "pending", "ask its steward to decide"),
        (_refused("BB", Reason.UNWITNESSED, Asked.PENDING), "pending", "asked again by itself"),
        (_refused("BB", Reason.DECLINED), "refused", "speak with them"),
        (_refused("BB", Reason.OVER_COHORT_CAP), "refused", "budget"),
        (_refused("BB", Reason.NO_SNAPSHOT), "refused", "submit the programme again"),
    ],
)
def test_a_missing_region_says_what_to_do_until_the_run_can_no_longer_change(
    one: RegionProgress, part: str, todo: str
) -> None:
    coverage, later = _of(BB=one), _of(AFTER, BB=one)
    (missing,) = coverage.missing
    assert (missing.region, missing.part, missing.in_answers) == ("BB", part, False)
    assert todo in missing.todo
    assert missing.reason == ("" if one.refused is None else one.refused.reason.value)
    assert coverage.provisional
    assert not later.provisional
    assert "nothing more can come in" in later.missing[0].todo
    assert coverage.answered_share == pytest.approx(1 - 45 / (67 + 45 + 60 + 55 + 50 + 75))


def test_a_region_of_the_answers_may_be_outside_the_sums_and_the_other_way_round() -> None:
    coverage = _of(summed=REGIONS[1:], text=TWO, FF=RegionProgress("FF", Asked.WAITING))
    places = {one.region: (one.in_answers, one.in_sum) for one in coverage.regions}
    assert (places["AA"], places["BB"], places["FF"]) == ((True, False), (True, True), (False, True))
    assert {one.region for one in coverage.missing} == {"AA", "FF"}
    assert "another attempt" in coverage.missing[0].todo
    without = _of(summed=None, text=TWO)
    assert all(one.in_sum is False for one in without.regions)


def test_a_run_ends_with_its_deadline_or_before_with_the_release_window() -> None:
    plan = planned(ONE)
    assert final_after(plan, beside_study.calendar()) == DEADLINE
    long = plan.model_copy(update={"programme": plan.programme.model_copy(update={"deadline": instant("2030-01-01")})})
    assert final_after(long, beside_study.calendar()) == instant("2026-12-31", end_of_day=True)


def test_an_answer_after_the_deadline_is_late_and_counts() -> None:
    coverage = _of(AFTER, CC=RegionProgress("CC", Asked.ANSWERED, answered=AFTER))
    assert [one.part for one in coverage.regions if one.region == "CC"] == ["late"]
    assert not coverage.missing


def test_a_merged_region_says_for_whom_it_stands() -> None:
    text = beside_study.CALENDAR.replace("regions:\n", MERGED, 1)
    regions = "\n".join(f"  {code}: {{name: {{nl: {code}, en: {code}}}, group: A}}" for code in REGIONS[2:])
    expected = "\n".join(f"      {code}: {{household: 60, adult: 60, child: 60}}" for code in REGIONS)
    calendar = parse_yaml(Calendar, text % (regions, expected), "calendar.yaml")
    plan = planned(ONE)
    weights = dict.fromkeys((*REGIONS[2:], "ZZ"), 1000)
    progress = Progress("run-0", State.ASKING, (RegionProgress("ZZ", Asked.ANSWERED),), DEADLINE)
    coverage = covers(plan.model_copy(update={"weights": weights}), calendar, progress, (), None, BEFORE)
    places = {one.region: one for one in coverage.regions}
    assert places["ZZ"].stands_for == ("AA", "BB")
    assert places["ZZ"].households == 120
    assert places["CC"].stands_for == ()
    assert places["CC"].part == "away", "of whom a desk tells nothing, nothing was heard"


MERGED = """regions:
  AA: {name: {nl: AA, en: AA}, group: A, until: 2026-01-31}
  BB: {name: {nl: BB, en: BB}, group: A, until: 2026-01-31}
  ZZ: {name: {nl: ZZ, en: ZZ}, since: 2026-02-01, formed_of: [AA, BB]}
"""


def _answers(without: str) -> Mapping[str, Mapping[str, list[int]]]:
    plan = planned(ONE, rho="0.02")
    return {code: {block.id: [40] * block.cells for block in plan.blocks} for code in REGIONS if code != without}


@pytest.mark.parametrize(("final", "status"), [(False, "provisional"), (True, "ok")])
def test_national_rows_are_provisional_while_the_run_can_change_and_then_say_without_whom(
    final: bool, status: str
) -> None:
    run = Run("run-0", 1, final)
    rows = estimate_rows(run, planned(ONE, rho="0.02"), codebook(), beside_study.calendar(), _answers("DD"))
    (national,) = [row for row in rows if row.scope == NATIONAL]
    assert national.status == status
    assert "without DD" in national.note


def test_what_may_not_be_read_is_counted_with_its_reason() -> None:
    came = found(
        planned(ONE + "  - {id: total, kind: count, unit: household, wave: T1}\n", rho="0.002"), without=("DD",)
    )
    rows = read_rows(rows_to_json(came.rows).encode())
    told = unread(rows)
    places = {(one.statistic, one.scope, one.status): one for one in told}
    assert places["total", "regional", "missing"].why == UNANSWERED
    assert places["total", "regional", "missing"].rows == 1
    assert ("total", "regional", "withheld") not in places
    withheld = [one for one in told if one.status == "withheld" and one.scope == "regional"]
    assert sum(one.rows for one in withheld) == 5
    assert all(one.of == 6 for one in told if one.scope == "regional")


def test_the_files_hold_it_all() -> None:
    coverage = _of(BB=_refused("BB", Reason.DECLINED))
    read = json.loads(to_json(coverage))
    assert (read["run"], read["provisional"], read["final_after"]) == ("run-0", True, DEADLINE)
    assert [one["region"] for one in read["regions"]] == list(REGIONS)
    lines = list(csv.DictReader(io.StringIO(to_csv(coverage))))
    assert [line["region"] for line in lines] == list(REGIONS)
    assert (lines[1]["reason"], lines[1]["in_answers"], lines[1]["in_sum"]) == ("declined", "no", "")
    assert "speak with them" in lines[1]["todo"]
    assert to_csv(replace(coverage, regions=())).count("\n") == 1
