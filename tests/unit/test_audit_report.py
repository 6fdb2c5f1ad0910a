"""The auditor's page: everything that was found and spent, in both languages, from evidence that may be hostile."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rondgang.canonical import Json
from rondgang.notes import Checkpoint, sign_checkpoint

from audit.findings import Finding, Severity
from audit.model import Bundle, Fork, GivenAnswer
from audit.report.budgets import LIFETIME, accounts
from audit.report.naming import names
from audit.report.page import page
from audit.verdict import Verdict
from policies.pages.numbers import at_most
from policies.pages.words import catalogue, say
from policies.study.text import Language
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho
from tests.applicants import signing_key
from tests.html_pages import Element, complaints, contrast, read
from tests.report_world import (
    CODES,
    CONSORTIUM,
    FINDINGS,
    NANO,
    Region,
    digest,
    national,
    nationally,
    programme,
    region,
    verdict,
)

EVIL = "</title></style><script>alert(1)</script><img src=x onerror='a'>{{ 1234 * 1111 }} & \"quoted\""
LANGUAGES: tuple[Language, ...] = ("nl", "en")


def section(root: Element, heading: str) -> Element:
    """The section of the page that has this heading's id as its name."""
    return next(one for one in root.all("section") if one.attributes.get("aria-labelledby") == heading)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_whole_self_contained_and_readable_for_everyone(lang: Language) -> None:
    assert complaints(page(national(), lang), lang) == []
    assert complaints(page(verdict(), lang), lang) == [], "nothing to show is a page too"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_finding_is_on_it_the_gravest_first(lang: Language) -> None:
    shown = section(read(page(national(), lang)), "findings").all("li")
    assert [one.attributes["class"] for one in shown] == ["finding error", "finding warning", "finding note"]
    by_gravity = sorted(FINDINGS, key=lambda finding: list(Severity).index(finding.severity))
    for one, finding in zip(shown, by_gravity, strict=True):
        for said in (finding.what, finding.meaning, finding.ask, finding.entry, finding.bundle, finding.code):
            assert said in one.text


def test_it_begins_with_the_conclusion_and_the_fingerprint_to_quote() -> None:
    unsound, sound = (read(page(national(findings), "en")) for findings in (FINDINGS, ()))
    for root, word in ((unsound, "report.unsound_word"), (sound, "report.sound_word")):
        (header,) = root.all("header")
        assert say(word, "en") in header.text
        assert digest("evidence") in header.text
    assert "13 regions and 43 answers" in sound.text
    warned = page(national([one for one in FINDINGS if one.severity is Severity.WARNING]), "en")
    assert "1 finding needs to be asked about" in read(warned).text


@pytest.mark.parametrize(
    ("lang", "words"),
    [("nl", "Nagerekend voor 1 regio en 1 antwoord:"), ("en", "Checked for 1 region and 1 answer:")],
)
def test_a_single_region_and_answer_are_spoken_of_as_one(lang: Language, words: str) -> None:
    one = region("FR", CODES, [programme("stopping", "0.05")])
    assert words in read(page(verdict(one), lang)).text


def test_every_chart_stands_beside_a_table_with_the_same_numbers() -> None:
    root = read(page(national(), "nl"))
    charts = [one for one in root.all("section") if one.attributes.get("class") == "account"]
    assert len(charts) == len(root.all("svg")) - len(section(root, "overview").all("svg"))
    assert len(charts) == 13 * 2 + 3
    for chart in charts:
        (picture,), (table,) = chart.all("svg"), chart.all("table")
        assert picture.all("title")[0].text in table.all("caption")[0].text
        rises = len([row for row in table.all("tr") if row.all("td") and row.all("td")[1].text != "-"])
        assert len(picture.all("circle")) - ("herstart" in table.text) == rises


def test_amounts_are_added_up_from_the_charges_and_shown_in_both_currencies() -> None:
    made = national()
    (drenthe,) = (one for one in made.regions if one.code == "DR")
    found = {one.cohort: one for one in accounts(drenthe, names((drenthe.bundle,), "nl"))}
    assert found["c3"].spent == found[LIFETIME].spent == sum(spend.charge for spend in drenthe.spends)
    assert found["c3"].cap == 400_000_000
    root = read(page(made, "nl"))
    (row,) = (one for one in section(root, "overview").all("tr") if "Drenthe" in one.text)
    spent, cap = (
        at_most(epsilon_from_rho(NanoRho(nano), Decimal("1e-6")), 2, "nl") for nano in (410 * 10**6, 4 * 10**8)
    )
    assert "0,410 / 0,400" in row.text
    assert f"epsilon {spent} / {cap}" in row.text
    assert say("report.over", "nl") in row.text
    (zeeland,) = (one for one in section(root, "overview").all("tr") if "Zeeland" in one.text)
    assert "0,350 / 0,400" in zeeland.text
    assert say("report.over", "nl") not in zeeland.text


def test_a_reset_charges_what_it_says_and_a_cohort_without_a_cap_has_none() -> None:
    made = region("WB", CODES, [programme("stopping", "0.05")])
    made.reset({"c3": 400_000_000}, 800_000_000)
    made.govern(2, {"c4": "0.2"}, "0.8")
    found = {one.cohort: one for one in accounts(made.history, names((made.history.bundle,), "nl"))}
    assert (found["c3"].spent, found["c3"].cap) == (400_000_000, 0)
    assert (found["c4"].spent, found["c4"].cap) == (0, 200_000_000)
    assert found[LIFETIME].spent == 800_000_000


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_says_who_asked_what_why_at_what_price_and_what_became_of_it(lang: Language) -> None:
    (question,) = (
        one
        for one in section(read(page(national(), lang)), "asked").all("section")
        if "violence" in one.all("h3")[0].text
    )
    assert "To know about violence" in question.text
    assert "Research office" in question.text
    assert "Dr. A. de Vries" in question.text
    assert ("Derde cohort" if lang == "nl" else "Third cohort") in question.text
    assert ("0,03" if lang == "nl" else "0.03") in question.text
    assert ("Geweld gestopt" if lang == "nl" else "Violence stopped") in question.text
    labels = "help: Hulp; state: Geweld in het gezin" if lang == "nl" else "help: Help; state: Violence in the family"
    assert labels in question.text
    assert len([row for row in question.all("tr") if row.all("td")]) == 2
    assert say("report.dead", lang) in question.text


def test_refusals_policies_witnesses_and_documents_are_told() -> None:
    root = read(page(national(), "nl"))
    refused = section(root, "refused").text
    assert say("node.reason.over_cohort_cap", "nl") in refused
    assert say("report.declined.purpose", "nl") in refused
    assert "no such reason" in refused, "a reason of a later version is shown as it is"
    policies = section(root, "policies")
    assert len(policies.all("section")) == 2, "thirteen alike are one, three alike another"
    assert "automatisch, binnen deze regels" in policies.all("table")[1].text
    (midden,) = (one for one in section(root, "witnesses").all("tbody") if "Hollands Midden" in one.text)
    assert [row.all("td")[2].text for row in midden.all("tr")] == ["1", "-"], "missed by the first, by nobody else"
    assert "witness.bundle" in section(root, "documents").text


@pytest.mark.parametrize(
    ("about", "policy", "key"),
    [
        ({"data": "synthetic"}, {}, "report.synthetic"),
        ({"test_only": True}, {}, "report.test_only"),
        ({}, {"test_only": True}, "report.test_only"),
    ],
)
def test_synthetic_data_and_tests_are_said_at_the_top_and_on_every_sheet(
    about: dict[str, Any], policy: dict[str, Any], key: str
) -> None:
    made = Region("FR")
    made.govern(1, {"c3": "0.4"}, "0.8", **policy)
    made.ask(programme("stopping", "0.05", **about))
    text = page(verdict(made), "nl")
    first, *_ = read(text).all("header")[0].all("p")
    assert (first.attributes["class"], first.text) == ("banner", say(key, "nl"))
    assert say(key, "nl")[:20] in "".join(re.findall(r'@top-center \{ content: "(.*?)"', text))
    assert say(key, "nl") not in page(national(), "nl")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_from_the_evidence_becomes_markup(lang: Language) -> None:
    made = Region("FR")
    heading: dict[str, Json] = {"title": {"nl": EVIL, "en": EVIL}, "purpose": EVIL, "requester": EVIL}
    made.govern(1, {EVIL: "0.4"}, "0.8", approval=EVIL)
    made.ask(programme("x", "0.1", EVIL, **heading))
    made.log("refused", programme="a" * 64, run=EVIL, reason=EVIL)
    made.log("adopted", kind=EVIL, name=EVIL, hash=EVIL)
    made.log("imported", snapshot=EVIL, cohort=EVIL)
    made.watch(EVIL)
    hostile = Finding(EVIL, Severity.ERROR, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL)
    history = made.history
    bundle = replace(history.bundle, file=EVIL, name=EVIL, sealed_by=EVIL)
    text = page(Verdict((hostile,), (replace(history, bundle=bundle),), (), EVIL, EVIL), lang)
    assert [one for one in complaints(text, lang) if one not in ("url(", "@import")] == []
    assert EVIL in read(text).text
    assert str(1234 * 1111) not in text, "and no template is filled in"


def test_colours_have_the_contrast_that_wcag_asks() -> None:
    text = page(national(), "en")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", text))
    papers = ["#ffffff", colours["wash"], *re.findall(r"background: (#[0-9a-f]{6})", text)]
    for ink in ("ink", "soft", "first", "good", "bad"):
        assert min(contrast(colours[ink], paper) for paper in papers) >= 4.5, ink
    assert contrast(colours["ink"], colours["warn"]) >= 4.5
    assert min(contrast(colours[line], "#ffffff") for line in ("first", "second", "bad")) >= 3, "lines of pictures"


def test_the_same_verdict_gives_the_same_bytes() -> None:
    assert page(national(), "nl") == page(national(), "nl")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text(max_size=12) | st.just("9" * 40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab<&", max_size=8), inner, max_size=3),
    max_leaves=6,
)
EVENTS = (
    "opened",
    "adopted",
    "imported",
    "asked",
    "refused",
    "approved",
    "declined",
    "debited",
    "answered",
    "attempted",
    "summed",
    "reset",
    "",
)
KEYS = ("programme", "run", "researcher", "cohort", "charge", "cohorts", "lifetime_total", "reason", "kind", "name",
        "hash", "snapshot")  # fmt: skip
BODIES = st.dictionaries(st.sampled_from(KEYS), JSON)
DOCUMENTS = st.dictionaries(
    st.sampled_from(("programme", "charge", "statistics", "policy", "cohorts", "lifetime", "regions", "members",
                     "witnesses", "variables", "forbidden_crossings", "test_only", "approval", "secure", "weights",
                     "run", "attempt")), JSON)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EVENTS), BODIES), max_size=6), st.lists(DOCUMENTS, max_size=3), st.data())
def test_whatever_the_evidence_holds_there_is_a_page(
    events: list[tuple[str, dict[str, Any]]], documents: list[dict[str, Json]], data: st.DataObject
) -> None:
    made = Region("FR")
    made.govern(1, {"c3": "0.4"}, "0.8")
    for event, body in events:
        made.log(event, **body)
    asked = programme("x", "0.1")
    made.ask(asked)
    kinds = ("programme", "policy", "calendar", "roster", "national_sum")
    for number, body in enumerate(documents):
        kind = data.draw(st.sampled_from(kinds))
        made.papers[f"{number}" * 64] = replace(asked, kind=kind, hash=f"{number}" * 64, body=body)
    text = page(verdict(made), "nl")
    assert complaints(text, "nl") == []


def test_every_word_of_the_report_is_said_somewhere_in_both_languages() -> None:
    for lang in LANGUAGES:
        text = re.sub(r"\s+", " ", " ".join(unescape(page(one, lang)) for one in _everything()))
        for key, said in catalogue().items():
            if key.startswith("report."):
                fixed = [literal for literal, *_ in string.Formatter().parse(said.in_language(lang))]
                pattern = ".*?".join(re.escape(re.sub(r"\s+", " ", one)) for one in fixed)
                assert re.search(pattern, text), f"{key} is never said in {lang}"


def _everything() -> list[Verdict]:
    """Worlds in which everything happens that the page has a word for."""
    made = region("FR", CODES, [programme("one", "0.05", data="synthetic", test_only=True)])
    for reason in ("purpose", "price", "detail", "timing", "other"):
        made.log("declined", programme="f" * 64, approval="e" * 64, reason=reason)
    made.log("refused", programme="", run="", reason="malformed")
    made.log("asked", programme="b" * 64, run="run-2", researcher="d" * 64)
    rules: dict[str, Any] = {
        "statistics": ["count"],
        "variables": {"deny": ["x"]},
        "forbidden_crossings": [["x", "y"]],
    }
    made.govern(2, {"c3": "0.5"}, "0.9", approval="steward", test_only=True, **rules)
    made.govern(3, {"c3": "0.5"}, "0.9", approval="steward", test_only=True, **rules, tick_ms=50)
    made.govern(4, {"c3": "0.5"}, "0.9", approval="steward", secure={"own_noise": {"rho": "0.3"}})
    made.govern(5, {"c3": "0.5"}, "0.9", households={"most_cohorts": 2})
    made.log("inherited", calendar="c" * 64, cohorts={"c3": "100"}, lifetime="100")
    made.attempt(nationally("sums", "0.05", "0.02"))
    made.attempt(nationally("sums", "0.05", "0.02"), 2, dead=True)
    made.reset({"c3": NANO}, NANO)
    regions = [made]
    for code, span in (("DR", 5), ("ZE", 180), ("ZL", 7200), ("HM", 3 * 86_400)):
        missed = Region(code)
        missed.log("opened")
        for names_ in (("A", "B"), ("A",), ("A", "B")):
            missed.now += span
            missed.watch(*names_)
        regions.append(missed)
    note = sign_checkpoint(Checkpoint("FR/1", 1, bytes(32)), signing_key("log"))
    fork = Fork("FR", "root", made.now, note, note)
    answer = GivenAnswer("FR", "run-1", made.now, "a" * 64, programme("one", "0.05"))
    witness = Bundle("w", "witness", "W", made.now, CONSORTIUM, digest("w"), forks=(fork,))
    desk = Bundle("d", "coordinator", "D", made.now, CONSORTIUM, digest("d"), checkpoints=(note,), answers=(answer,))
    warning = [one for one in FINDINGS if one.severity is Severity.WARNING]
    full = verdict(*regions, findings=FINDINGS, others=(witness, desk))
    alone = verdict(region("FR", CODES, [programme("one", "0.05")]), findings=warning * 2)
    return [replace(full, no_bundles=("n",)), national(), national(()), national(warning), verdict(), alone]


def test_what_counts_over_the_lifetime_is_that_of_the_dearest_cohorts() -> None:
    made = Region("FR")
    made.log("inherited", calendar="c" * 64, cohorts={"c1": "30000000", "c2": "20000000"}, lifetime="40000000")
    made.govern(1, {"c3": "0.5", "c4": "0.5"}, "0.9")
    for name, cohort in (("one", "c3"), ("two", "c4"), ("three", "c4")):
        made.ask(programme(name, "0.05", cohort))
    made.govern(2, {"c3": "0.5", "c4": "0.5"}, "0.9", households={"most_cohorts": 2})
    made.ask(programme("four", "0.01", "c3"))
    made.log("inherited", calendar="d" * 64, cohorts={"c1": "31000000"}, lifetime="41000000")
    *cohorts, lifetime = accounts(made.history, names((made.history.bundle,), "nl"))
    assert {one.cohort: one.spent for one in cohorts} == {
        "c1": 31_000_000, "c2": 20_000_000, "c3": 60_000_000, "c4": 100_000_000
    }  # fmt: skip
    spent = [move.spent // 1_000_000 for move in lifetime.moves]
    assert spent == [40, 40, 90, 140, 190, 150, 160, 160]


def test_caps_are_exact_fractions_rounded_down() -> None:
    made = Region("FR")
    made.govern(1, {"c3": "0.4"}, "0.8")
    made.caps[0] = replace(made.caps[0], cohorts={"c3": Fraction(1, 3)})
    (cohort, _) = accounts(made.history, names((made.history.bundle,), "nl"))
    assert cohort.cap == 333_333_333
