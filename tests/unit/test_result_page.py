"""The printable page: the numbers of the file, in the reader's notation, self-contained and readable for everyone."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from node.pages.result import Facts, page
from node.status import amount
from policies.pages import words
from policies.pages.numbers import percentage, percentage_interval
from policies.pages.words import catalogue, say
from policies.rules.result import NATIONAL, Result
from policies.study.text import Language
from policies.units.money import NanoRho
from tests import national_study
from tests.node_world import RUN
from tests.small_study import codebook, heading, planned

EVIL = '<img src="x" onerror="alert(1)">'


def row(statistic: str, scope: str, estimate: str, low: str, high: str, **more: Any) -> dict[str, Any]:
    return {
        "statistic": statistic, "measure": "share", "estimator": "direct", "mode": "regional", "unit": "household",
        "wave": "T1", "scope": scope, "estimate": estimate, "ci_low": low, "ci_high": high, "std_error": "0.05",
        "regions_included": 1, "regions_expected": 3, "status": "ok", **more,
    }  # fmt: skip


ROWS = (
    row("stopped", NATIONAL, "0.2104", "0.0810", "0.33149", status="provisional"),
    row("stopped", "AA", "-0.0321", "-0.33211", "0.3240"),
    row("helped", NATIONAL, "0.5", "0.4", "0.6"),
    row("helped", "AA", "0.7", "", "", status="withheld"),
    row("grade", NATIONAL, "1234.56", "1200.14", "1269.01", measure="mean", std_error="0.7"),
    row("grade", "AA", "0.0", "-2.1", "2.1", measure="mean", std_error="0.9", status="withheld"),
    row("adults_by_profile", NATIONAL, "1500.0", "1480.2", "1519.9", measure="count", cell=(("profile", "12a"),)),
    row("adults_by_profile", "AA", "0.0", "-20.5", "20.5", measure="count", cell=(("profile", "12a"),)),
    row("adults_by_profile", NATIONAL, "3.0", "1.0", "5.0", measure="count", cell=(("profile", "c"),)),
)


def result(**about: Any) -> Result:
    asked = planned().model_copy(update={"programme": heading(**about)})
    return Result.model_validate(
        {"run": RUN, "revision": 1, "region": "AA", "programme": "ab" * 32, "asked": asked, "regions": ("AA",),
         "epsilon": "3", "delta": "0.000001", "rows": ROWS}
    )  # fmt: skip


def facts(**changes: Any) -> Facts:
    left = amount(NanoRho(500_000_000))
    usual: dict[str, Any] = {"digest": "cd" * 32, "region_name": "Aa", "received": 1_790_000_000, "left_cohort": left,
             "left_lifetime": left, "test_only": False, "codebook": codebook()}  # fmt: skip
    return Facts(**(usual | changes))


class Outline(HTMLParser):
    """Tags with their attributes, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._in_style = False
        self.feed(text)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_style else f" {data}"


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_page_holds_every_figure_that_may_be_read_and_no_other(lang: Language) -> None:
    text = Outline(page(result(), facts(), lang)).text
    for one in result().rows:
        if one.measure == "share" and one.ci_low:
            assert percentage(Decimal(one.estimate), lang) in text
            assert percentage_interval(Decimal(one.ci_low), Decimal(one.ci_high), lang) in text
    withheld = percentage(Decimal("0.7"), lang)
    assert withheld not in text
    assert say("page.why.unbounded", lang) in text
    assert say("page.why.weak", lang) in text
    assert say("page.why.absent", lang) in text


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_another_estimators_figure_stands_in_a_table_of_its_own_beside_the_raw_one(lang: Language) -> None:
    more = (
        row("stopped", "AA", "0.1731", "0.0631", "0.2831", estimator="shrunk"),
        row("adults_by_profile", NATIONAL, "1498.0", "1479.0", "1517.0", measure="count", cell=(("profile", "12a"),),
            estimator="consistent"),
        row("helped", NATIONAL, "0.41", "0.3", "0.5", estimator="invented"),
    )  # fmt: skip
    both = Result.model_validate(result().model_dump() | {"rows": (*result().rows, *more)})
    text = Outline(page(both, facts(), lang)).text
    for shown in ("-0.0321", "0.1731", "0.41", "0.5"):
        assert percentage(Decimal(shown), lang) in text
    for said in (say("page.estimator.shrunk", lang), say("page.estimator.consistent", lang), "invented"):
        assert f"({said})" in text


def test_once_the_deadline_has_passed_missing_regions_are_named_and_nothing_is_provisional() -> None:
    settled = tuple(one | {"status": "ok"} if one["status"] == "provisional" else one for one in ROWS)
    over = Result.model_validate(result().model_dump() | {"rows": settled})
    text = Outline(page(over, facts(), "nl")).text
    assert "VOORLOPIG" not in text
    assert say("page.without", "nl", regions="BB, CC") in text


def test_numbers_are_in_the_notation_of_cbs() -> None:
    text = Outline(page(result(), facts(), "nl")).text
    for shown in ("21,0", "*", "8,1 tot 33,2", "-3,2", "-33,3 tot 32,4", "1.234,6", "1.500", "1.480 tot 1.520", " - "):
        assert shown in text
    assert "twee" in text, "a category by its label"
    english = Outline(page(result(), facts(), "en")).text
    assert "1,234.6" in english
    assert "two" in english


def test_it_says_what_was_asked_what_it_cost_and_what_it_does_not_say() -> None:
    text = Outline(page(result(), facts(), "nl")).text
    asked = planned().programme
    for said in (asked.title.nl, asked.purpose, asked.requester, asked.cohort, asked.codebook, RUN, "1 van 3: AA"):
        assert said in text
    # The price and what is left, rho exactly and epsilon rounded up.
    spent = amount(planned().charge.amount)
    assert spent.rho.replace(".", ",") in text
    assert "0,5" in text
    assert all(say(key, "nl") in text for key in catalogue() if key.startswith(("page.limits.", "page.reading.")))
    assert "VOORLOPIG" in text


@pytest.mark.parametrize(
    ("about", "changes", "label"),
    [
        ({"data": "synthetic"}, {}, "page.synthetic"),
        ({"test_only": True}, {}, "page.test_only"),
        ({}, {"test_only": True}, "page.test_only"),
    ],
)
def test_synthetic_data_and_tests_are_marked_at_the_top_on_every_table_and_on_every_sheet(
    about: dict[str, Any], changes: dict[str, Any], label: str
) -> None:
    text = page(result(**about), facts(**changes), "nl")
    mark = say(label, "nl")
    assert Outline(text).text.count(mark) == 1 + text.count("<caption>")
    (running,) = re.findall(r'@top-center \{ content: "(.*?)"', text)
    assert mark in running
    assert mark not in page(result(), facts(), "nl")


def test_nothing_comes_from_outside_and_nothing_in_it_becomes_markup() -> None:
    text = page(result(purpose=EVIL, requester='"};</style><script>'), facts(region_name=EVIL), "nl")
    outline = Outline(text)
    assert {tag for tag, _ in outline.tags}.isdisjoint({"script", "img", "link", "iframe", "object", "base", "form"})
    assert not any(name in ("src", "href", "onerror") for _, attributes in outline.tags for name in attributes)
    assert re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert EVIL in outline.text


def test_tables_and_language_are_marked_up_for_everyone() -> None:
    for lang in ("nl", "en"):
        tags = Outline(page(result(), facts(), lang)).tags
        assert dict(tags)["html"] == {"lang": lang}
        heads = [attributes for tag, attributes in tags if tag == "th"]
        assert heads
        assert all("scope" in attributes for attributes in heads)
        levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_colours_have_the_contrast_that_wcag_asks() -> None:
    style = (words.CATALOGUE.parent / "style.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", style))
    for ink in ("ink", "soft", "first", "second"):
        for paper in ("#ffffff", colours["wash"]):
            assert _contrast(colours[ink], paper) >= 4.5
    assert _contrast(colours["ink"], colours["warn"]) >= 4.5


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_codebook_that_is_gone_leaves_the_codes() -> None:
    assert "12a" in Outline(page(result(), facts(codebook=None), "nl")).text


def national_result(*rows: dict[str, Any], attempts: int = 1) -> Result:
    """A result of region AA of a programme that asks `helped` and two others nationally."""
    secure = national_study.SECURE.model_copy(update={"attempts": attempts})
    asked = national_study.planned(secure=secure)
    shown = (row("stopped", NATIONAL, "0.2", "0.1", "0.3"), row("stopped", "AA", "0.3", "0.1", "0.5"), *rows)
    return Result.model_validate(
        {"run": RUN, "revision": 5, "region": "AA", "programme": "ab" * 32, "asked": asked,
         "regions": asked.regions, "epsilon": "3", "delta": "0.000001", "rows": shown}
    )  # fmt: skip


@pytest.mark.parametrize(("lang", "said"), [("nl", "alleen landelijk"), ("en", "national only")])
def test_a_national_statistic_has_a_national_figure_and_says_why_there_is_no_other(lang: Language, said: str) -> None:
    summed = row("helped", NATIONAL, "0.4", "0.3", "0.5", mode="national", regions_included=4, regions_expected=4)
    text = Outline(page(national_result(summed), facts(), lang)).text
    assert text.count(said) == 1
    assert percentage(Decimal("0.4"), lang) in text
    assert say("page.why.absent", lang) not in text
    assert say("page.no_sum", lang) not in text


def test_a_sum_without_some_regions_or_no_sum_at_all_is_said_at_the_top() -> None:
    fewer = row(
        "helped", NATIONAL, "0.4", "0.3", "0.5", mode="national", status="provisional", regions_included=3,
        regions_expected=4,
    )  # fmt: skip
    text = Outline(page(national_result(fewer), facts(), "nl")).text
    assert say("page.reduced_sum", "nl", included=3, expected=4) in text
    none = row("helped", NATIONAL, "", "", "", mode="national", status="missing", regions_included=0)
    text = Outline(page(national_result(none), facts(), "nl")).text
    assert say("page.no_sum", "nl") in text
    assert say("page.why.no_sum", "nl") in text


def test_the_price_of_a_question_with_several_attempts_says_that_it_is_of_one() -> None:
    for attempts, said in ((1, False), (2, True)):
        text = Outline(page(national_result(attempts=attempts), facts(), "nl")).text
        assert (say("page.budget.question_once", "nl") in text) is said
