"""A question in words: by the codebook's labels, for every shape that a condition has, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.pages.phrases import Phrases
from policies.documents import load_yaml
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import Draft
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.text import Language

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
BOOKS = {book.label: book for book in (load_yaml(Codebook, path) for path in SHIPPED.glob("*.codebook.yaml"))}
DRAFTS = sorted([*SHIPPED.glob("*.programme.yaml"), *(SHIPPED / "programmes").glob("*.yaml")])
BOOK = BOOKS["cohort3@1"]


def asked(where: str | None = None, **fields: object) -> Statistic:
    """One statistic about children after a year, in canonical spelling."""
    usual = {"id": "one", "kind": "count", "unit": "child", "wave": "T1", "where": where}
    (found,) = compile_blocks((Statistic.model_validate(usual | fields),), BOOK).statistics
    return found.statistic


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_no_shipped_question_is_told_in_code(path: Path, lang: Language) -> None:
    draft = load_yaml(Draft, path)
    book = BOOKS[draft.programme.codebook]
    for one in compile_blocks(draft.statistics, book, draft.using).statistics:
        phrases = Phrases(book, lang)
        told = " ".join((phrases.statistic(one.statistic), *phrases.keys(one.statistic)))
        assert not {"@", "{", "_", "=="} & {sign for sign in ("@", "{", "_", "==") if sign in told}, told


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("incidents == 0", "‘Geweldsincidenten in het gezin in het afgelopen jaar: 0’"),
        ("incidents < 22", "‘Geweldsincidenten in het gezin in het afgelopen jaar: 21 of minder’"),
        ("incidents > 21", "‘Geweldsincidenten in het gezin in het afgelopen jaar: 22 of meer’"),
        (
            "incidents in {0, 5..9, 800}",
            "‘Geweldsincidenten in het gezin in het afgelopen jaar: 0, 5 tot en met 9 of 800’",
        ),
        ("incidents >= 0", "‘Geweldsincidenten in het gezin in het afgelopen jaar: bekend’"),
        ("incidents > 825", "‘Geweldsincidenten in het gezin in het afgelopen jaar: geen enkele waarde’"),
        ("help == none", "‘Hulp die het gezin kreeg: geen hulp’"),
        ("help != none", "‘Hulp die het gezin kreeg: anders dan geen hulp’"),
        ("profile in {1, 2}", "‘Gezinsprofiel: Intieme terreur of Gezin in de stress’"),
        ("missing(help)", "‘Hulp die het gezin kreeg: niet bekend’"),
        ("not missing(help)", "‘Hulp die het gezin kreeg: bekend’"),
        (
            "trauma == yes and (missing(profile) or profile == 1)",
            "‘Traumaklachten (klinisch): ja’ en (‘Gezinsprofiel: Intieme terreur’ of ‘Gezinsprofiel: niet bekend’)",
        ),
        (
            "trauma@T0 == yes and not missing(help) and not missing(profile)",
            "‘Traumaklachten (klinisch) bij T0: ja’ en ‘Hulp die het gezin kreeg’ en ‘Gezinsprofiel’ bekend",
        ),
    ],
)
def test_every_shape_of_a_condition_has_its_words(condition: str, words: str) -> None:
    told = Phrases(BOOK, "nl").statistic(asked(condition))
    assert told == f"aantal kinderen (meting T1, twaalf maanden later), onder kinderen met {words}"


def test_waves_and_the_breakdown_are_named() -> None:
    phrases = Phrases(BOOK, "nl")
    change = asked(kind="transition", of="trauma", wave="T0->T1", where="help@T1 == none", by=("profile",))
    told = phrases.statistic(change)
    assert "van meting T0, kort na de melding naar meting T1, twaalf maanden later" in told
    assert "beginsituatie van ‘Traumaklachten (klinisch)’:" in told
    assert "‘Hulp die het gezin kreeg bij T1: geen hulp’" in told
    assert phrases.keys(change) == ("‘Gezinsprofiel’",)
    pooled = asked(kind="proportion", of="trauma == yes", wave="T0+T1")
    assert "kort na de melding en meting T1, twaalf maanden later samen" in phrases.statistic(pooled)


def test_without_a_codebook_that_fits_the_question_stays_as_it_is_written() -> None:
    one = asked("help != none")
    assert "help@T1 in {general, specialised}" in Phrases(None, "nl").statistic(one)
    stranger = one.model_copy(update={"where": "kleur in {rood}"})
    assert "kleur in {rood}" in Phrases(BOOK, "nl").statistic(stranger)
    assert Phrases(BOOK, "nl").categories("help") == ("geen hulp", "algemene hulp", "gespecialiseerde hulp")
    assert Phrases(BOOK, "nl").categories("incidents") == ()
