"""What earlier runs say of a statistic, how it goes over the cohorts, and what was published."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from coordinator.estimates import history, trends
from coordinator.estimates.history import Past
from coordinator.estimates.same import same_key
from policies.documents import BadDocument, parse_yaml
from policies.rules.result import ResultRow
from policies.statistics.programme import Programme
from policies.statistics.published import Literature, Published, shipped
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.text import Text
from tests import small_study
from tests.unit.test_estimate_composite import calendar, programme

PUBLISHED = """
published: {id: small, version: 1, codebook: small@1, labels: {nl: klein, en: small}}
sources: {paper: {title: A paper, where: "example.org/1"}}
cohorts: {h1: {nl: vroeger, en: once}}
figures:
  - {cohort: h1, asked: {id: f1, kind: proportion, of: "state == none", unit: household, wave: T1}, measure: share,
     value: "0.3", std_error: "0.02", sources: [paper], status: published}
  - {cohort: h1, asked: {id: f2, kind: proportion, of: "state == none", unit: household, wave: T3}, measure: share,
     value: "0.4", months: 18, units: 576, sources: [paper], status: published}
  - {cohort: h1, asked: {id: f3, kind: mean, of: wellbeing, unit: adult, wave: T0}, measure: mean,
     said: {nl: ongeveer een half, en: about a half}, sources: [paper], status: published}
"""


@cache
def published() -> Literature:
    return Literature(parse_yaml(Published, PUBLISHED, "published.yaml"), small_study.codebook())


def row(statistic: str = "stopped", **more: Any) -> ResultRow:
    usual = {
        "statistic": statistic, "measure": "share", "estimator": "direct", "mode": "regional", "unit": "household",
        "wave": "T1", "scope": "national", "estimate": "0.2", "std_error": "0.05", "ci_low": "0.1", "ci_high": "0.3",
        "noise_sd": "0.04", "regions_included": 1, "regions_expected": 1, "status": "ok",
    }  # fmt: skip
    return ResultRow.model_validate(usual | more)


def past(name: str = "run-1", cohort: str = "h1", *rows: ResultRow, opened: int = 1, **heading: Any) -> Past:
    asked = programme(cohort)
    changed = asked.programme.model_copy(update=heading)
    asked = asked.model_copy(update={"programme": changed})
    return Past(name, opened, asked, small_study.codebook(), rows or (row(),))


def carried(*runs: Past, asked: Programme | None = None) -> tuple[tuple[str, str, float], ...]:
    found = history.of_desk(asked or programme(), small_study.codebook(), calendar(), runs)
    return tuple((one.cohort, one.source, one.estimate) for one in found)


def test_a_figure_is_found_by_what_was_asked() -> None:
    (one,) = history.of_desk(programme(), small_study.codebook(), calendar(), [past()])
    assert (one.measure, one.cell, one.std_error, one.low, one.noise_sd) == ("share", (), 0.05, 0.1, 0.04)
    assert (one.included, one.expected, one.provisional) == (1, 1, False)
    empty = row(ci_low="", ci_high="", status="provisional")
    (one,) = history.of_desk(programme(), small_study.codebook(), calendar(), [past("run-1", "h1", empty)])
    assert math.isnan(one.low)
    assert one.provisional


def test_the_newest_run_of_each_earlier_cohort_counts() -> None:
    newer = past("run-2", "h1", row(estimate="0.4"), opened=2)
    assert carried(newer, past()) == (("h1", "run-2", 0.4),)
    both = carried(past(), past("run-3", "c1", row(estimate="0.5")), asked=programme("c2"))
    assert both == (("h1", "run-1", 0.2), ("c1", "run-3", 0.5))


def test_a_later_run_of_fewer_regions_does_not_take_the_place_of_a_whole_one() -> None:
    whole = past("run-1", "h1", row(regions_included=3, regions_expected=3))
    partly = past("run-2", "h1", row(estimate="0.4", regions_expected=3), opened=2)
    assert carried(whole, partly) == carried(partly, whole) == (("h1", "run-1", 0.2),)


def test_later_cohorts_and_those_that_no_calendar_knows_are_left_out() -> None:
    assert carried(past("run-2", "c2"), past("run-3", "c1")) == ()
    one = past()
    gone = one.programme.programme.model_copy(update={"cohort": "c9"})
    assert carried(replace(one, programme=one.programme.model_copy(update={"programme": gone}))) == ()


@pytest.mark.parametrize("heading", [{"data": "synthetic"}, {"test_only": True}])
def test_made_up_figures_and_tests_never_enter_a_study_nor_the_other_way_round(
    heading: dict[str, Any],
) -> None:
    assert carried(past(**heading)) == ()
    asked = past("run-0", "c1", **heading).programme
    assert carried(past(), asked=asked) == ()
    assert carried(past(**heading), asked=asked) == (("h1", "run-1", 0.2),)


def test_other_estimators_regions_and_what_cannot_be_read_are_not_carried() -> None:
    rows = (
        row(estimator="composite"),
        row(scope="DD"),
        row(status="withheld"),
        row(status="missing", estimate="", std_error=""),
    )
    assert carried(past("run-1", "h1", *rows)) == ()


def test_a_definition_that_changed_makes_another_question() -> None:
    stopped = Statistic(id="a", kind="proportion", of="state == none", unit="household", wave="T1")
    key = same_key(stopped, small_study.codebook())
    moved = parse_yaml(Codebook, small_study.CODEBOOK.replace("incidents < 3", "incidents < 2"), "codebook.yaml")
    assert key is not None
    assert same_key(stopped, moved) != key
    wider = parse_yaml(Codebook, small_study.CODEBOOK.replace("bounds: [0, 4]", "bounds: [0, 5]"), "codebook.yaml")
    assert same_key(stopped, wider) != key
    relabelled = parse_yaml(Codebook, small_study.CODEBOOK.replace("nl: eerst", "nl: begin"), "codebook.yaml")
    assert same_key(stopped, relabelled) == key


def test_names_labels_weights_and_how_it_is_answered_make_no_difference() -> None:
    one = Statistic(id="a", kind="proportion", of="state == none", unit="household", wave="T1")
    label = Text(nl="x", en="y")
    spelled = {"id": "b", "of": "not state in {some, many}", "mode": "national", "weight": Decimal(9), "label": label}
    other = one.model_copy(update=spelled)
    book = small_study.codebook()
    assert same_key(one, book) == same_key(other, book)
    assert same_key(one.model_copy(update={"wave": "T0"}), book) != same_key(one, book)
    assert same_key(one.model_copy(update={"wave": "T0"}), book, "T1") == same_key(one, book)
    assert same_key(one.model_copy(update={"where": "help == yes"}), book) != same_key(one, book)
    assert same_key(one.model_copy(update={"of": "nobody == none"}), book) is None
    change = Statistic(id="c", kind="transition", of="state", unit="household", wave="T0->T1")
    assert same_key(change, book, "T1") is None


def test_only_published_figures_with_an_error_are_carried_and_only_where_the_desk_never_asked() -> None:
    asked, book = programme(), small_study.codebook()
    (one,) = history.earlier(asked, book, calendar(), [], published())
    assert (one.estimate, one.std_error, one.source) == (0.3, 0.02, "A paper, example.org/1")
    (one,) = history.earlier(asked, book, calendar(), [past()], published())
    assert one.source == "run-1"
    synthetic = past(data="synthetic").programme
    assert history.earlier(synthetic, book, calendar(), [], published()) == ()


def now() -> Past:
    return past("run-9", "c1", row(estimate="0.25"), row(estimator="composite", estimate="0.24"), row(scope="AA"))


def test_a_statistic_over_the_cohorts_has_this_desks_figures_and_published_ones_beside_them() -> None:
    rows = trends.trends(now(), [past()], published(), calendar())
    stopped = [one for one in rows if one.statistic == "stopped"]
    told = [(one.cohort, one.estimator, one.estimate, one.comparable, one.wave) for one in stopped]
    assert told == [
        ("h1", "direct", "0.2", "yes", "T1"),
        ("h1", "published", "0.3", "yes", "T1"),
        ("h1", "published", "0.4", "no", "T3"),
        ("c1", "direct", "0.25", "yes", "T1"),
        ("c1", "composite", "0.24", "yes", "T1"),
    ]
    assert "measured at T3, 18 months after the start: not comparable with T1" in stopped[2].note
    assert "of 576 units" in stopped[2].note
    assert stopped[1].source == "A paper, example.org/1"
    assert [one.label for one in stopped] == ["once", "once", "once", "first", "first"]
    (words,) = [one for one in rows if one.statistic == "wellbeing"]
    assert (words.estimate, words.note) == ("", "published as: about a half")


def test_what_was_asked_at_another_wave_stands_there_only_where_nothing_else_does() -> None:
    asked = programme("h1")
    changed = tuple(
        one.model_copy(update={"wave": "T0", "of": "state == none"}) if one.id == "stopped" else one
        for one in asked.statistics
    )
    first = replace(past(), programme=asked.model_copy(update={"statistics": changed}))
    (other,) = [one for one in trends.trends(now(), [first], published(), calendar()) if one.run == "run-1"]
    assert (other.wave, other.comparable) == ("T0", "no")
    assert "measured at T0: not comparable with T1" in other.note
    both = trends.trends(now(), [first, past("run-2")], published(), calendar())
    assert {one.run for one in both} == {"", "run-2", "run-9"}


def test_trends_keep_made_up_runs_apart_and_show_the_run_asked_about_once() -> None:
    rows = trends.trends(now(), [past(data="synthetic"), now()], published(), calendar())
    assert {one.run for one in rows} == {"", "run-9"}
    assert {one.data for one in rows} == {"study", "published"}
    assert sum(one.estimator == "composite" for one in rows) == 1


def test_the_shipped_list_holds_what_was_published_and_nothing_else() -> None:
    figures = {one.asked.id: one for one in shipped().published.figures}
    assert str(figures["c3_stopped_t1"].value) == "0.21"
    assert str(figures["c2_stopped_t2"].value) == "0.30"
    assert str(figures["c2_stopped_t0"].value) == "0.065"
    with pytest.raises(ValueError, match="in the words of"):
        Literature(shipped().published, small_study.codebook())
    # No standard error was published, so nothing of it is ever carried forward.
    assert all(one.std_error is None and one.status == "published" for one in figures.values())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sources: [paper], status: published}", "sources: [book], status: published}", "book is not one of"),
        ("cohort: h1, asked: {id: f2", "cohort: h2, asked: {id: f2", "h2 is not one of the `cohorts`"),
        ("id: f2", "id: f1", "this id stands twice"),
        ('value: "0.4", ', "", "expected a `value`, or `said`"),
        ('std_error: "0.02"', 'std_error: "0"', "expected a positive number"),
        ("status: published}", "status: derived}", "needs a `remark`"),
    ],
)
def test_a_list_that_cannot_be_is_refused_with_the_place(old: str, new: str, said: str) -> None:
    with pytest.raises(BadDocument, match=said) as caught:
        parse_yaml(Published, PUBLISHED.replace(old, new, 1), "published.yaml")
    assert "published.yaml:" in caught.value.places[0]
