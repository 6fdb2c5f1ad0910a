"""The auditor's page of real bundles: what the check finds in them stands on the page, and the verb ends as it does."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.findings import Rule, Severity
from audit.practise.catalogue import CATALOGUE
from audit.practise.fraud import Fraud
from audit.report.dutch import in_dutch
from audit.report.page import page
from audit.verify import verify
from policies.pages.numbers import exact
from policies.pages.words import say
from policies.study.text import Language
from policies.units.money import NanoRho
from tests.html_pages import complaints, read
from tests.made_up import honest_files, people, study

Run = Callable[..., tuple[int, str]]


def rules() -> Iterator[Rule]:
    """Every rule that a check of `verify` keeps beside it."""
    for module in pkgutil.walk_packages(audit.__path__, "audit."):
        if "practise" not in module.name and module.name != "audit.diff":
            yield from (one for one in vars(importlib.import_module(module.name)).values() if isinstance(one, Rule))


def test_every_finding_has_dutch_words_and_no_other_has() -> None:
    found = {one.code: one for one in rules()}
    assert len(found) > 90
    assert set(in_dutch()) == set(found)
    for code, dutch in in_dutch().items():
        assert dutch.meaning
        assert bool(dutch.ask) == bool(found[code].ask), code


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_honest_bundles_give_a_page_with_every_charge(lang: Language) -> None:
    verdict = verify(list(honest_files().items()), people().consortium.public)
    text = page(verdict, lang)
    assert complaints(text, lang) == []
    shown = read(text).text
    assert say("report.sound_word", lang) in shown
    assert say("report.synthetic", lang) in shown
    assert verdict.fingerprint in shown
    for region in verdict.regions:
        assert region.spends
        for spend in region.spends:
            assert spend.entry.place in shown
            assert exact(Decimal(NanoRho(spend.charge).text()), lang) in shown


@pytest.mark.parametrize("fraud", CATALOGUE[::20], ids=lambda fraud: fraud.name)
def test_a_planted_fraud_stands_on_the_page_in_both_languages(fraud: Fraud) -> None:
    planted = fraud.plant(study(fraud.name))
    verdict = verify(list(planted.files.items()), people().consortium.public)
    errors = [one for one in verdict.findings if one.severity is Severity.ERROR]
    assert errors
    for lang in ("nl", "en"):
        text = page(verdict, lang)
        assert complaints(text, lang) == []
        shown = read(text).text
        assert say("report.unsound_word", lang) in shown
        for one in errors:
            assert " ".join(one.what.split()) in shown
            assert (in_dutch()[one.code].meaning if lang == "nl" else one.meaning) in shown


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(files: dict[str, bytes], *words: str) -> tuple[int, str]:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        paths = [str(tmp_path / name) for name in files]
        result = CliRunner().invoke(app, ["report", *paths, "--out", str(tmp_path / "out" / "report.html"), *words])
        return result.exit_code, result.stdout

    return call


def test_the_verb_ends_as_verify_does_and_writes_the_page_all_the_same(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out" / "report.html"
    code, told = run(honest_files(), "--lang", "nl", "--consortium-key", people().consortium.public.hex, "--json")
    assert (code, json.loads(told)["sound"], json.loads(told)["findings"]) == (0, True, 0)
    assert complaints(out.read_text(encoding="utf-8"), "nl") == []

    planted = next(fraud for fraud in CATALOGUE if fraud.name == "two-answers-to-one-debit").plant(study())
    assert run(dict(planted.files))[0] == 1
    assert say("report.unsound_word", "en") in out.read_text(encoding="utf-8")

    assert run({"note.bundle": b"no evidence"})[0] == 2
    assert "note.bundle" in read(out.read_text(encoding="utf-8")).all("header")[0].text


def test_what_cannot_be_read_or_written_ends_with_two(run: Run, tmp_path: Path) -> None:
    absent = CliRunner().invoke(app, ["report", str(tmp_path / "none.bundle"), "--out", str(tmp_path / "r.html")])
    assert absent.exit_code == 2
    (tmp_path / "out").write_bytes(b"a file where the folder should be")
    assert run(honest_files())[0] == 2
    assert run(honest_files(), "--consortium-key", "nothing")[0] == 2
