"""The page for a data-protection officer: the policy's numbers, every claim of the code, and what is not promised."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from rondgang.roles import Role
from typer.testing import CliRunner

from node.cli import app
from node.guaranteeing import Counted, Guaranteed, Watcher
from node.pages.guarantees import PROVED, page
from node.pages.paragraphs import ROOMS, Paragraph, Proof, paragraphs_of, read_proof
from policies.documents import to_canonical
from policies.pages.words import catalogue, say
from policies.study.text import Language, Text
from policies.units.money import NANO
from tests.html_pages import Element, complaints, read
from tests.national_study import RULE
from tests.node_world import REGION, make_home
from tests.shape.sources import ROOMS as FOLDERS
from tests.shape.sources import files, shown
from tests.small_study import region_policy

MADE = 1_790_000_000
EVIL = "<img src=x onerror='a'>{{ 1234 * 1111 }}"
LANGUAGES: tuple[Language, ...] = ("nl", "en")


@cache
def installed() -> Proof:
    """Read once: every file of the code is parsed for it."""
    return read_proof()


def facts(spent: int = 0, **policy: object) -> Guaranteed:
    return Guaranteed(
        region="AA",
        region_name=Text(nl="Regio Aa", en="Region Aa"),
        policy=to_canonical(region_policy(**policy)).decode(),
        hash="ab" * 32,
        spent={"c1": spent},
        spent_lifetime=spent,
        cohorts={"c1": Text(nl="eerste ronde", en="first round")},
        witnesses=(Watcher(name="National desk", coordinator=True), Watcher(name="Court of Audit", coordinator=False)),
        counted=(Counted(codebook="small@1", adults=2, children=3),),
    )


def made(lang: Language = "nl", proof: Proof | None = None, spent: int = 0, **policy: object) -> str:
    return page(facts(spent, **policy), proof or installed(), MADE, "0.1.0", lang)


def rows(root: Element) -> dict[str, list[str]]:
    """The lines of the table of caps, by their name."""
    return {row.all("th")[0].text: [cell.text for cell in row.all("td")] for row in root.all("tr") if row.all("td")}


def test_every_privacy_paragraph_of_the_code_stands_on_the_page_word_for_word() -> None:
    text = read(made()).text
    # Another way to find them than the page's own: by the text alone, to an empty line or the end of the docstring.
    begins = re.compile(r'(?<![`\w])Privacy: (.+?)(?=\n\s*\n|""")', re.DOTALL)
    found = 0
    for path in files(*FOLDERS):
        for told in begins.findall(path.read_text(encoding="utf-8")):
            found += 1
            assert " ".join(told.split()) in text, shown(path)
    assert found == len(installed().paragraphs) > 40


def test_every_claim_is_tied_to_paragraphs_and_every_link_leads_to_one() -> None:
    proof = installed()
    assert all(proof.of(place) for places in PROVED.values() for place in places), "a place of PROVED says nothing"
    root = read(made())
    for item in root.all("section")[0].all("li"):
        assert item.all("a"), item.text
    assert {one.where.partition(".")[0] for one in proof.paragraphs} <= set(ROOMS)
    assert proof.absent == ()


def test_the_figures_are_those_of_the_policy_in_force() -> None:
    found = rows(read(made(cohorts={"c1": {"rho": "0.4"}}, lifetime={"rho": "0.8"}, programme={"rho": "0.185"})))
    # epsilon at delta 1e-6, e^epsilon, exp(-(sqrt(ln 100) - sqrt(rho))^2) and (1 + sqrt(rho/2))/2, all rounded up.
    assert found["Alles over eerste ronde"] == ["0,4", "4,61", "0", "hooguit 100,0", "hooguit 10,2", "hooguit 72,4"]
    assert found["Alles over alle cohorten samen"][:2] == ["0,8", "6,83"]
    assert found["Een enkele vraag"][:3] == ["0,185", "3,00", "."]


def test_more_spent_than_the_cap_of_now_is_what_the_meaning_is_about() -> None:
    before, after = (rows(read(made("en", spent=nano))) for nano in (0, 2 * NANO))
    name = "All about first round"
    assert before[name][0] == after[name][0] == "0.5", "the cap is the policy's"
    assert after[name][2] == "2"
    worse, than = ([Decimal(cell.split()[-1].replace(",", "")) for cell in one[name][3:]] for one in (after, before))
    assert all(one > other for one, other in zip(worse, than, strict=True))


def test_a_policy_that_allows_national_sums_says_what_they_rest_on_and_what_is_left_beyond_it() -> None:
    plain, allowed = read(made("en")).text, read(made("en", secure={**RULE, "attempts": 2, "colluders": 3})).text
    assert "The policy allows no national sums" in plain
    assert "X25519, ChaCha20" not in plain
    assert "at most 2 attempts for a question, assuming at least 3 colluding regions" in allowed
    # epsilon at delta 1e-6 of rho 1, as in privacy tables elsewhere.
    assert "at most rho 1 (epsilon 7.77) an attempt" in allowed
    assert "Colluding regions are no assumption here" not in allowed
    assert complaints(made("nl", secure=RULE), "nl") == []


def test_a_limit_on_cohorts_is_promised_with_what_it_rests_on() -> None:
    plain, limited = read(made("en")).text, read(made("en", households={"most_cohorts": 2})).text
    assert "A household may be in all cohorts" in plain
    assert "A household counts in at most 2 cohorts." in limited
    assert "whoever is under two ids, moves or lives in two households is outside it" in limited
    assert complaints(made("nl", households={"most_cohorts": 1}), "nl") == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_whole_self_contained_and_readable_for_everyone(lang: Language) -> None:
    assert complaints(made(lang), lang) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_of_it_is_said(lang: Language) -> None:
    lone = Proof((), ("audit",))
    texts = [
        made(lang),
        made(lang, lone, approval="steward", variables={"deny": ["x"]}, forbidden_crossings=[["x", "y"]]),
        made(lang, lone, 100 * NANO, test_only=True, witnesses={"need": 3, "faulty": 1}),
        made(lang, lone, secure=RULE),
        made(lang, lone, households={"most_cohorts": 1}),
        made(lang, households={"most_cohorts": 2}),
    ]
    text = re.sub(r"\s+", " ", " ".join(map(unescape, texts)))
    for key, words in catalogue().items():
        if key.startswith("guarantees."):
            fixed = [literal for literal, *_ in string.Formatter().parse(words.in_language(lang))]
            assert re.search(".*?".join(map(re.escape, fixed)), text), f"{key} is never said"


def test_rules_that_cannot_be_met_and_policies_for_tests_are_said_plainly() -> None:
    few = read(made(witnesses={"need": 3, "faulty": 1})).text
    assert "het knooppunt geeft daarom niets uit" in few
    assert "Court of Audit" in few
    (banner,) = (one for one in read(made(test_only=True)).all("p") if one.attributes.get("class") == "banner")
    assert banner.text == say("guarantees.test_only", "nl")


def test_nothing_in_it_becomes_markup() -> None:
    hostile = facts().model_copy(
        update={
            "region_name": Text(nl=EVIL, en=EVIL),
            "cohorts": {"c1": Text(nl=EVIL, en=EVIL)},
            "witnesses": (Watcher(name=EVIL, coordinator=False),),
            "hash": EVIL,
        }
    )
    text = page(hostile, Proof((Paragraph(1, EVIL, EVIL),), (EVIL,)), MADE, EVIL, "nl")
    assert complaints(text, "nl") == []
    assert EVIL in read(text).text
    assert str(1234 * 1111) not in text


@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        ("What it does. Privacy: rounded\n    down.\n\n    More.", ["rounded down."]),
        ("Two.\n\nPrivacy: one.\n\nPrivacy: another.", ["one.", "another."]),
        ("About `Privacy:` paragraphs.", []),
        ("", []),
    ],
)
def test_a_paragraph_begins_at_its_name_and_ends_at_an_empty_line(docstring: str, found: list[str]) -> None:
    assert paragraphs_of(docstring) == found


def test_paragraphs_are_found_wherever_code_says_something_about_itself() -> None:
    """Modules, classes, functions, methods, and the strings below fields and constants."""
    places = {one.where for one in installed().paragraphs}
    assert {"policies.statistics.count", "policies.statistics.blocks.Block", "node.mechanism.noisy"} <= places
    assert {"policies.statistics.programme.PlannedBlock.rho", "audit.reprice.price.Price.nano"} <= places


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    home = make_home(tmp_path / "home", always=True)

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["guarantees", "--home", str(home.root), *words])
        return result.exit_code, result.stdout

    return call


def test_the_verb_writes_the_page_of_its_home(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    out = tmp_path / "new" / "guarantees.html"
    code, told = run("--out", str(out), "--lang", "en", "--json")
    assert code == 0
    assert json.loads(told)["region"] == REGION
    text = out.read_text(encoding="utf-8")
    assert complaints(text, "en") == []
    assert rows(read(text))["All about first"][0] == "0.5"
    assert Role.WITNESS.value in read(text).text, "the witnesses of the roster in force"
    assert run("--out", str(tmp_path / "home" / "config.yaml" / "x.html"))[0] == 2
