"""The starter programmes: each can be asked as it stands, and the list says what it costs."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coordinator.cli import app
from policies.documents import load_yaml, parse_yaml
from policies.rules.region_policy import RegionPolicy
from policies.starters import Starter, starters
from policies.statistics.compile import Compilation
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.statistics.verify import verify_plan
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
CODEBOOK = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")
CALENDAR = load_yaml(Calendar, SHIPPED / "rotation.yaml")
POLICY = load_yaml(RegionPolicy, SHIPPED / "region.policy.yaml")
QUESTIONS = {"violence", "families", "wellbeing", "help", "cooperation", "stopping", "children", "profiles"}
EVERY = pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.name)


def planned(starter: Starter) -> Programme:
    return plan(starter.draft, CODEBOOK, CALENDAR, ("0" * 64, "1" * 64))


def rondgang(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["starters", *map(str, words)])
    assert result.exit_code == exit_code, result.output
    return result


def test_there_is_one_for_each_question_and_one_with_all_outcomes() -> None:
    assert [starter.name for starter in starters()] == ["outcomes", *sorted(QUESTIONS)]


@EVERY
def test_it_can_be_asked_under_the_documents_we_ship(starter: Starter) -> None:
    programme = planned(starter)
    assert isinstance(verify_plan(programme, CODEBOOK, CALENDAR), Compilation)
    assert programme.charge.amount <= POLICY.programme.amount
    assert {statistic.kind for statistic in programme.statistics} <= set(POLICY.statistics)
    assert [word for word in POLICY.variables.deny if word in starter.text] == []


@EVERY
def test_every_figure_has_a_label_in_both_languages(starter: Starter) -> None:
    labels = [statistic.label for statistic in starter.draft.statistics]
    assert all(label is not None and label.nl and label.en and label.nl != label.en for label in labels)


@EVERY
def test_the_copy_for_another_place_leads_editors_to_the_schema(starter: Starter) -> None:
    first = starter.text.splitlines()[0]
    assert Path(first.partition("$schema=file://")[2]).name == "programme.schema.json"
    assert parse_yaml(Draft, starter.text, "copy.yaml") == starter.draft


def test_the_eight_together_cost_what_their_files_say_and_fit_a_regions_cap() -> None:
    eight = [starter for starter in starters() if starter.name in QUESTIONS]
    together = sum((starter.draft.price.rho or Decimal(0) for starter in eight), Decimal(0))
    assert all(f"cost {together} together" in starter.text for starter in eight)
    cap = POLICY.cohorts["c3"].rho
    assert together < cap
    assert all(f"Of the {cap} that" in starter.text for starter in eight)
    spent = sum(planned(starter).charge.amount.nano for starter in eight)
    assert 0 <= together * 10**9 - spent < 100


def test_a_national_figure_about_all_families_is_worth_its_price() -> None:
    """Shares of all families within 10 percent points, at the public expected numbers."""
    from coordinator.estimates.margins import expected_margins
    from policies.statistics.compile import compile_blocks

    for starter in starters():
        programme = planned(starter)
        compilation = compile_blocks(programme.statistics, CODEBOOK)
        for one, margin in zip(
            programme.statistics, expected_margins(programme, compilation, CODEBOOK, CALENDAR), strict=True
        ):
            if (one.kind, one.unit, one.by) == ("proportion", "household", ()):
                assert margin.national < 0.1, (starter.name, one.id)


def test_the_list_names_each_with_its_price() -> None:
    shown = rondgang().stdout
    assert all(starter.name in shown for starter in starters())
    facts = json.loads(rondgang("--json").stdout)["starters"]
    assert {one["starter"]: one["rho"] for one in facts}["stopping"] == 0.05
    cap = POLICY.cohorts["c3"].rho
    assert f"policy allows {cap} on a cohort" in shown


def test_one_is_shown_or_written_and_never_over_another_file(tmp_path: Path) -> None:
    (stopping,) = (starter for starter in starters() if starter.name == "stopping")
    assert rondgang("stopping").stdout == stopping.text
    assert json.loads(rondgang("stopping", "--json").stdout)["text"] == stopping.text
    path = tmp_path / "mine.yaml"
    rondgang("stopping", "--out", path)
    assert path.read_text(encoding="utf-8") == stopping.text
    path.write_text("changed")
    assert "exists already" in rondgang("help", "--out", path, exit_code=2).output
    assert path.read_text() == "changed"


@pytest.mark.parametrize("words", [("stoping",), ("--out", "some.yaml")])
def test_a_wrong_name_or_none_says_what_to_give(words: tuple[str, ...]) -> None:
    assert "starter" in rondgang(*words, exit_code=2).output
