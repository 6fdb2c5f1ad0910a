"""Pages of decisions: what stands on them, where they lie, and that a word counts also without one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rondgang.keys import SigningKey
from typer.testing import CliRunner, Result

from node.approving import Heard, Proposal, Unheard
from node.cli import app
from node.entropy import seed32
from node.filing import filed, read_filed
from node.home import Home
from node.operations import one_entry, one_programme
from node.region import Region
from node.steward import give_word
from policies.rules.approval import DeclineReason
from tests.asking import ask, asked_for, now
from tests.html_pages import complaints
from tests.node_world import STEWARD, make_home, put_snapshot


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(tmp_path / "home", always=True, approval="steward")
    put_snapshot(made)
    config = made.config_file.read_text(encoding="utf-8")
    made.config_file.write_text(config.replace("lang: en", "lang: nl"), encoding="utf-8")
    assert made.config().lang == "nl"
    return made


def waiting(home: Home, name: str = "uitkomst") -> Proposal:
    one = one_programme(home, ask(home, asked_for(name, requester='<img src="x" onerror="alert(1)">')))
    assert isinstance(one, Proposal)
    return one


def run(home: Home, *words: str) -> Result:
    found = CliRunner().invoke(app, [*words, "--home", str(home.root)])
    assert found.exit_code == 0, found.output
    return found


def test_a_yes_leaves_a_page_that_says_what_was_decided_and_where_it_stands(home: Home) -> None:
    one, moment = waiting(home), now()
    given = give_word(home, STEWARD, one, None, moment, "voor mezelf")
    assert isinstance(given.outcome, Heard)
    assert given.page is not None
    day = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
    assert given.page == home.decisions / f"{day}-{one.hash[:8]}-approve.html"
    assert given.page.stat().st_mode & 0o777 == 0o600
    assert home.decisions.stat().st_mode & 0o777 == 0o700
    text = given.page.read_text(encoding="utf-8")
    entry = one_entry(home, given.outcome.entry or 0)
    assert getattr(entry, "leaf", "") == given.outcome.leaf != ""
    told = [
        "Goedgekeurd", one.hash, one.purpose, one.title.nl, STEWARD.public.fingerprint, given.outcome.leaf,
        f"regel {given.outcome.entry}", "aandeel huishoudens met ‘state: none’", "plus of min 23,3 procentpunt",
        "rho 0,5 (epsilon", f"rho {one.left_cohort.rho.replace(chr(46), chr(44))} (epsilon", "van c1",
    ]  # fmt: skip
    assert [words for words in told if words not in text] == []
    assert "voor mezelf" not in text
    assert "<img" not in text


def test_the_page_stands_alone_and_runs_nothing(home: Home) -> None:
    given = give_word(home, STEWARD, waiting(home), "detail", now())
    assert given.page is not None
    assert complaints(given.page.read_text(encoding="utf-8"), "nl") == []


def test_a_no_says_why_and_the_note_is_there_only_where_that_is_wanted(home: Home) -> None:
    one = waiting(home)
    given = give_word(home, STEWARD, one, "detail", now(), "per wijk\nis te klein", with_note=True)
    assert given.page is not None
    text = given.page.read_text(encoding="utf-8")
    assert "Geweigerd: het vraagt te fijne details" in text
    assert "per wijk is te klein" in text
    assert "het budget blijft zoals het voor het antwoord was" in text
    assert given.page.name.endswith("-refuse.html")


def test_every_word_has_its_own_page_and_the_same_word_again_has_none(home: Home) -> None:
    one, moment = waiting(home), now()
    said: tuple[DeclineReason | None, ...] = (None, None, "price", None)
    pages = [give_word(home, STEWARD, one, why, moment + at).page for at, why in enumerate(said)]
    assert [page is None for page in pages] == [False, True, False, False]
    assert pages[3] is not None
    assert pages[3].name.endswith("-approve-2.html")
    listed = filed(home)
    assert sorted(page.word for page in listed) == ["approve", "approve", "refuse"]
    assert filed(home, one.hash) == listed
    assert filed(home, "0" * 64) == ()


def test_a_word_counts_also_where_its_page_cannot_be_written(home: Home) -> None:
    one = waiting(home)
    home.decisions.write_text("in the way")
    given = give_word(home, STEWARD, one, None, now())
    assert isinstance(given.outcome, Heard)
    assert given.page is None
    assert given.not_filed
    found = one_programme(home, one.hash)
    assert getattr(found, "state", "") == "approved"


def test_a_word_that_is_not_heard_leaves_no_page(home: Home) -> None:
    """Another's key, a clock that is wrong, a question that nobody asked here."""
    one, stranger = waiting(home), SigningKey.generate(seed32())
    unknown = one.model_copy(update={"hash": "ab" * 32})
    for key, asked, moment, why in (
        (stranger, one, now(), "not_steward"),
        (STEWARD, one, now() - 600, "stale"),
        (STEWARD, one, now() + 600, "stale"),
        (STEWARD, unknown, now(), "unknown"),
    ):
        given = give_word(home, key, asked, None, moment)
        assert isinstance(given.outcome, Unheard)
        assert given.outcome.why == why
    assert filed(home) == ()
    assert not list(home.notes.glob("*")) if home.notes.is_dir() else True


def test_a_yes_to_what_is_answered_or_cannot_be_is_not_taken(home: Home) -> None:
    """A policy that came later forbids it: approving would promise what does not happen."""
    one = waiting(home)
    run(home, "pause")
    give_word(home, STEWARD, one, "timing", now())
    assert getattr(one_programme(home, one.hash), "state", "") == "declined"
    region = Region(home, now)
    (home.root / "policy.yaml").write_text(
        'policy: {version: 9}\ncohorts: {c1: {rho: "0.01"}}\nlifetime: {rho: "0.8"}\nprogramme: {rho: "0.3"}\n'
        "approval: steward\n"
    )
    region.close()
    run(home, "policy", "adopt", str(home.root / "policy.yaml"))
    given = give_word(home, STEWARD, one, None, now())
    assert isinstance(given.outcome, Unheard)
    assert (given.outcome.why, given.outcome.reason) == ("refused", "over_cohort_cap")


def test_the_verb_lists_them_and_reads_no_other_file(home: Home) -> None:
    assert "nog geen besluiten" in run(home, "decisions").stdout
    one = waiting(home)
    told = json.loads(run(home, "approve", one.hash, "--note", "x", "--with-note", "--json").stdout)
    assert Path(told["page"]).is_file()
    assert Path(told["page"]).read_text(encoding="utf-8").count("Eigen aantekening") == 1
    listed = run(home, "decisions").stdout
    assert "goedgekeurd" in listed
    assert told["page"] in listed
    (home.decisions / "other.html").write_text("mine")
    assert [page["file"] for page in json.loads(run(home, "decisions", "--json").stdout)["decisions"]] == [told["page"]]
    assert read_filed(home, Path(told["page"]).name) is not None
    for name in ("other.html", "../config.yaml", "2026-01-01-00000000-approve.html", ""):
        assert read_filed(home, name) is None
