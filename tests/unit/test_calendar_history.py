"""A new calendar may change plans; what had happened is history, and altering it is said and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compose.consortium.cli import app
from policies.documents import parse_yaml
from policies.study.calendar import Calendar, instant
from policies.study.history import Change, changes
from tests import rotating_study
from tests.rotating_study import MERGED, ROTATION, SPLIT, TODAY

BB = "BB: {name: {nl: Bee, en: Bee}, group: A, until: 2028-12-31}"
SWAPPED = [
    ("BB: {name: {nl: Bee, en: Bee}, group: A", "BB: {name: {nl: Bee, en: Bee}, group: B"),
    ("DD: {name: {nl: Dee, en: Dee}, group: B", "DD: {name: {nl: Dee, en: Dee}, group: A"),
    ("      BB: {household: 40", "      DD: {household: 40"),
    ("      DD: {household: 45", "      BB: {household: 45"),
]


def altered(*edits: tuple[str, str]) -> Calendar:
    text = ROTATION
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return parse_yaml(Calendar, text, "altered.yaml")


def found(*edits: tuple[str, str], now: int = TODAY) -> list[tuple[str, bool]]:
    return [(one.subject, one.rewrites) for one in changes(rotating_study.calendar(), altered(*edits), now)]


def test_the_same_calendar_changes_nothing() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("edits", "subject"),
    [
        (SWAPPED, "BB"),
        ([("CC: {name: {nl: Cee, en: Cee}", "CC: {name: {nl: Zet, en: Zet}")], "CC"),
        ([("AA: {name: {nl: Aa, en: Aa}, aliases: [Aa en omstreken]", "AA: {name: {nl: Aa, en: Aa}"),
          ("CC: {name: {nl: Cee, en: Cee}", "CC: {name: {nl: Cee, en: Cee}, aliases: [Aa en omstreken]")], "CC"),
        ([("release: [2018-11-01, 2020-12-31]", "release: [2018-11-01, 2026-12-31]")], "c2"),
        ([("T1: [2022-01-01, 2023-12-31]", "T1: [2022-02-01, 2023-12-31]")], "c3"),
        ([("T1: [2022-01-01, 2023-12-31], ", "")], "c3"),
        ([("release: [2023-01-01, 2028-12-31]", "release: [2023-01-01, 2026-11-01]")], "c3"),
        ([(BB, BB.replace("group", "since: 2015-01-01, group"))], "BB"),
    ],
    ids=["groups swapped", "a code for another region", "an alias for another region", "a window opened again",
         "a wave begun later", "a wave dropped", "a window closed in the past", "a region from a past day on"],
)  # fmt: skip
def test_what_had_happened_is_history(edits: list[tuple[str, str]], subject: str) -> None:
    assert (subject, True) in found(*edits)


@pytest.mark.parametrize(
    ("edits", "subject"),
    [
        ([("release: [2023-01-01, 2028-12-31]", "release: [2023-01-01, 2028-06-30]")], "c3"),
        ([("recruit: [2027-01-01, 2027-06-30]", "recruit: [2027-01-01, 2027-05-31]")], "c4"),
        ([("AA: {name: {nl: Aa, en: Aa}, ", "AA: {name: {nl: Aa, en: Aha}, ")], "AA"),
        ([("en: third", "en: the third")], "c3"),
        ([("CC: {household: 50", "CC: {household: 51")], "c3"),
        ([("households_per_region: 100000", "households_per_region: 200000")], "limits"),
        ([("limits:", "planning: {drift: 0.03}\nlimits:")], "planning"),
    ],
)
def test_plans_may_change(edits: list[tuple[str, str]], subject: str) -> None:
    assert (subject, False) in found(*edits)
    assert not any(rewrites for _, rewrites in found(*edits))


def test_a_plan_becomes_history_with_time() -> None:
    edit = ("recruit: [2027-01-01, 2027-06-30]", "recruit: [2027-01-01, 2027-05-31]")
    assert found(edit, now=instant("2027-05-15")) == [("c4", False)]
    assert found(edit, now=instant("2027-06-15")) == [("c4", True)]


def test_what_a_predecessor_had_spent_is_stated_once() -> None:
    plain, stated = rotating_study.calendar(), rotating_study.calendar(2)
    first = changes(plain, stated, MERGED)
    assert first == (
        Change("MM", "what BB had spent is stated now", False),
        Change("MM", "what DD had spent is stated now", False),
    )
    lower = parse_yaml(Calendar, rotating_study.text(2).replace('c2: "0.1"', 'c2: "0.05"'), "lower.yaml")
    assert changes(stated, lower, MERGED) == (Change("MM", "what BB had spent was stated otherwise before", True),)


def test_a_merger_moved_to_another_day_in_the_future_is_a_plan_and_one_in_the_past_is_not() -> None:
    moved = [("until: 2028-12-31", "until: 2028-09-30"), ("since: 2029-01-01", "since: 2028-10-01")]
    assert {one for one, _ in found(*moved)} == {"BB", "DD", "MM"}
    assert not any(rewrites for _, rewrites in found(*moved))
    assert all(rewrites for _, rewrites in found(*moved, now=instant("2028-12-01")))


def test_regions_and_cohorts_are_never_taken_out() -> None:
    gone = ROTATION[: ROTATION.index("  c6:")]
    later = parse_yaml(Calendar, gone, "gone.yaml")
    assert [(c.subject, c.rewrites) for c in changes(rotating_study.calendar(), later, TODAY)] == [("c6", False)]
    assert [(c.subject, c.rewrites) for c in changes(rotating_study.calendar(), later, SPLIT + 1)] == [("c6", True)]
    assert [(c.subject, c.rewrites) for c in changes(later, rotating_study.calendar(), TODAY)] == [("c6", False)]


def test_the_consortium_signs_no_calendar_that_alters_history_unless_told_to(tmp_path: Path) -> None:
    def run(*words: str, code: int) -> str:
        done = CliRunner().invoke(app, list(words), env={"RONDGANG_HOME": str(tmp_path / "consortium")})
        assert done.exit_code == code, done.output
        return done.output

    plain, changed, out = tmp_path / "one.yaml", tmp_path / "two.yaml", tmp_path / "calendar.json"
    plain.write_text(ROTATION, encoding="utf-8")
    changed.write_text(
        ROTATION.replace("version: 1,", "version: 2,").replace("[2018-11-01, 2020-12-31]", "[2018-11-01, 2098-12-31]"),
        encoding="utf-8",
    )
    run("init", code=0)
    run("calendar", str(plain), "--out", str(out), code=0)
    before = out.read_bytes()
    refused = json.loads(run("calendar", str(changed), "--out", str(out), "--json", code=1))
    assert refused["refused"] == "rewrites_history"
    assert refused["sentences"][1] == (
        "c2 release was from 2018-11-01 until 2020-12-31, is from 2018-11-01 until 2098-12-31."
    )
    assert out.read_bytes() == before
    signed = json.loads(run("calendar", str(changed), "--out", str(out), "--rewrite", "--json", code=0))
    assert [one["rewrites"] for one in signed["changes"]] == [True]
    assert "ALTERS HISTORY" in run("calendar", str(plain), "--out", str(out), "--rewrite", code=0)
